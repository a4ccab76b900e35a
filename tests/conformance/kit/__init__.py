"""What the conformance client and the system tests share: a server, stubs, an agent's desk, counted checks.

Everything here knows the server by its command line and by proto/ alone.
"""

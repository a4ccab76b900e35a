"""A floor under full load that is killed again and again: who is on it, what they were told, what each kill leaves.

`oracle` holds every OK, `clients` are those who got them, `look` compares after a restart.
"""

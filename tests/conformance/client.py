"""The conformance client: every promise of the protos, checked by a client in another language against a real server.

Usage: client.py --server PATH-OF-BATON. Starts the server on a free port with an empty folder, tells its stories
against it, and ends with a count.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from kit.checks import Checks
from kit.server import Folder, Server, binary

import customers
import edge
import first_light
import floor
import intake
import journeys
import offers
import people
import platform_desk
import rules
import supervision
import whole_floor

STORIES = [first_light, intake, offers, platform_desk, customers, people, supervision, whole_floor,
           journeys, floor, rules, edge]


def main():
    check = Checks()
    server = Server(binary(sys.argv), Folder() / "data").up()
    for module in STORIES:
        for title, tell in module.STORIES:
            check.story(title, tell, server)
    check.story("the server ends in order", ends, server)
    check.end()


def ends(check, server):
    check.same("asked to end, the server ends with 0", server.stop(), 0)
    check.same("it had nothing to complain about in its log", server.complaints(), [])


main()

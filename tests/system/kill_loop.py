"""The kill loop: a server under full load is killed again and again, on one folder; whatever it answered OK must hold.

Usage: kill_loop.py --server PATH-OF-BATON [--cycles NUMBER] [--seed NUMBER]. 25 cycles, or BATON_KILLS; the seed is
drawn and printed, or BATON_SEED. It decides at which OK the blow falls, how, and what is looked at again; the rest is
up to the threads.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "conformance"))

from kit.checks import PATIENCE_S, Checks, until
from kit.server import Folder, Server, binary, snapshot_writers

from under_load.clients import everybody
from under_load.look import each, look
from under_load.oracle import OVER, Oracle, floor

SNAPSHOT_EVENTS = 1_000
"""As few as the server allows: snapshots and the archive must take part."""
AT_ONCE, WHILE_ENDING, AMID_A_SNAPSHOT = "at once", "while it ends in order", "amid a snapshot"
NOT_KILLED = "it ends in order"
BLOWS = [(AT_ONCE, 70), (WHILE_ENDING, 15), (AMID_A_SNAPSHOT, 15)]
"""How it is killed, and how often of a hundred times."""
OKS_MAX = 700
"""A cycle ends after one to so many OKs."""
ALL_MAX = 20_000
"""So many are asked for one by one in the end."""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True, help="the built program")
    drawn = random.SystemRandom().getrandbits(32)
    parser.add_argument("--cycles", type=int, default=int(os.environ.get("BATON_KILLS", "25")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("BATON_SEED", drawn)))
    found = parser.parse_args()
    if found.cycles < 1:
        parser.error(f"--cycles: got {found.cycles}, want 1 or more")
    return found


class Loop:
    """One folder, one server after the other on it."""

    def __init__(self, check, program, seed):
        self.check, self.program = check, program
        self.rng, self.seed = random.Random(seed), seed
        self.data = Folder() / "data"
        self.oracle = Oracle()
        self.server = None
        self.kills = self.early = self.amid = self.amid_tried = 0
        self.to_serve = []

    def start(self):
        began = time.monotonic()
        self.server = self.launch().up()
        self.to_serve.append(time.monotonic() - began)

    def launch(self):
        return Server(self.program, self.data, "--snapshot-events", SNAPSHOT_EVENTS)

    def strike(self):
        """The blow, from the thread that was given the last OK. Now and then the server is ending in order already, and
        has begun its last snapshot."""
        process = self.server.process
        if self.blow != AT_ONCE:
            begun = self.begun_snapshots()
            process.send_signal(signal.SIGTERM)
            if self.blow == WHILE_ENDING:
                gone_within(process, self.moment)
            while self.blow == AMID_A_SNAPSHOT and not gone_within(process, 0.001):
                if self.begun_snapshots() - begun:
                    self.amid += 1
                    break
        if self.blow != NOT_KILLED and process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)

    def begun_snapshots(self):
        return set((self.data / "tenants" / "default" / "snapshots").glob("*.new"))

    def load(self, cycle, blow):
        """Full load until the blow; everybody gives up then. The exit code."""
        rng = self.rng
        self.blow, self.moment = blow, rng.random() * 0.3
        self.oracle.begin(self.oracle.oks + rng.randint(1, OKS_MAX), self.strike)
        people = everybody(self.server, self.oracle, f"{self.seed} {cycle}")
        self.check.ok(f"cycle {cycle}: the OKs come", self.oracle.struck.wait(PATIENCE_S), self.oracle.oks)
        ended = self.server.ended()
        for one in people:
            one.join(PATIENCE_S)
        self.kills += ended != 0
        self.close()
        wrong = self.oracle.complaints() + [f"{one.name} goes on" for one in people if one.is_alive()]
        self.check.ok(f"cycle {cycle}: nobody met anything unexpected before it", not wrong, wrong[:5])
        return ended

    def close(self):
        """What the server said before its end; its log goes."""
        self.server.kill()
        self.said = self.server.complaints()
        shutil.rmtree(self.server.folder.path, ignore_errors=True)

    def killed_while_starting(self):
        """Once or twice, before it says that it serves: recovery is begun again and again."""
        for _ in range(self.rng.choice([0, 0, 0, 1, 1, 2])):
            self.server = self.launch()
            gone_within(self.server.process, self.rng.random() * max(self.to_serve[-3:]))
            self.kills, self.early = self.kills + 1, self.early + ("baton is serving" not in self.server.said())
            said = self.said
            self.close()
            self.said += said

    def cycle(self, number):
        (blow,) = self.rng.choices(*zip(*BLOWS))
        ended = self.load(number, blow)
        if blow == AT_ONCE:
            self.check.same(f"cycle {number}: it was killed amid the load", ended, -signal.SIGKILL)
        self.amid_tried += blow == AMID_A_SNAPSHOT
        self.killed_while_starting()
        self.go_on(number)

    def ended_in_order(self, number):
        """The other end a server comes to: it leaves a snapshot, and with two of them there is an archive."""
        self.check.same(f"cycle {number}: it ends in order under load", self.load(number, NOT_KILLED), 0)
        self.go_on(number)

    def go_on(self, number):
        self.start()
        self.check.same(f"cycle {number}: no server complained", self.said, [])
        look(self.check, self.server, self.oracle, self.rng, f"cycle {number}")

    def end(self, cycles, began):
        """Everything once more, one by one; and what must have taken part has."""
        oracle, check = self.oracle, self.check
        names = [one.name for one in oracle.known.values()]
        if len(names) > ALL_MAX:
            names = self.rng.sample(names, ALL_MAX)
        wrong = each(self.server, oracle, names)
        check.ok("in the end: every single one is as it was told", not wrong, wrong[:5])
        check.ok("cards were read, and said what the customers said", oracle.cards > 0)
        check.ok("decisions were explained", len(oracle.explained) > 0 and len(oracle.judged) > 0)
        check.same("it ends in order", self.server.stop(), 0)
        check.same("with nothing to complain about", self.server.complaints(), [])
        until("whoever wrote a snapshot for any of them has ended", lambda: not snapshot_writers(self.data))
        tenant = self.data / "tenants" / "default"
        for folder in ("snapshots", "archive"):
            files = [path for path in (tenant / folder).glob("*") if path.stat().st_size > 0]
            check.ok(f"there is something in {folder}", files, sorted(tenant.glob("*")))
        # One alone may come too late: the snapshot is written by then.
        check.ok("of those to be killed amid a snapshot some were", self.amid or self.amid_tried < 3,
                 (self.amid, self.amid_tried))
        over = sum(one.state in OVER for one in oracle.known.values())
        answered = sum(one.answered is not None for one in oracle.known.values())
        print(f"       {cycles} cycles, {self.kills} kills, {self.early} of them before it served, {self.amid} of "
              f"{self.amid_tried} amid a snapshot; {oracle.oks} OKs held, "
              f"{len(oracle.known)} interactions found ({answered} answered, {over} over), {oracle.cards} cards read, "
              f"{len(oracle.explained)} explained, {oracle.refused} refused as too busy; "
              f"{time.monotonic() - began:.0f} s, longest time to serve again {max(self.to_serve):.2f} s", flush=True)


def gone_within(process, moment_s):
    """Gives a process so long to end by itself; whether it has."""
    try:
        process.wait(moment_s)
        return True
    except subprocess.TimeoutExpired:
        return False


def tell(check, program, cycles, seed):
    began, loop = time.monotonic(), Loop(check, program, seed)
    loop.start()
    floor(loop.server)
    for number in range(1, cycles + 1):
        loop.cycle(number)
    for number in range(cycles + 1, cycles + 3):
        loop.ended_in_order(number)
    loop.end(cycles, began)


def main():
    asked, check = arguments(), Checks()
    program = binary([sys.argv[0], "--server", asked.server])
    print(f"seed {asked.seed}: again with --seed {asked.seed} --cycles {asked.cycles}")
    check.story("killed again and again under full load", tell, program, asked.cycles, asked.seed)
    check.end()


main()

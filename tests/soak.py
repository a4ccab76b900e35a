#!/usr/bin/env python3
"""The soak: the demo's load at 10 times the speed of life for an hour, while memory and open handles of the server are
sampled; or the same with a restart every minute, in order and by kill -9 in turn. By hand; Linux and Python will do.

    tests/soak.py --server PATH-OF-BATON --minutes 60
    tests/soak.py --server PATH-OF-BATON --minutes 60 --restart-every 60s

Without restarts it ends with lines fitted over the last five sixths: how much memory and how many handles an hour adds,
and the same of the second half of that, which shows whether it levels off. Memory does grow by what is kept for good
reason (interactions that are over, up to 100,000; keys of requests for a day), so it says how many contacts came
meanwhile. With restarts it says how long the server took to be back. Exit code 1 if the books do not balance, or the
server died by itself or logged an error.
"""

import argparse
import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

SAMPLE_S = 10
SHOWN_S = 60
LEFT_OUT = 1 / 6
"""Of the time, at the begin: the floor fills, caches warm up."""
RESTARTS_MAX = 15
"""A run of the demo gives up after 20 deaths of its server: after so many the next run goes on in the same folder."""
LAST_S = 5
"""No restart so shortly before a run ends: it would meet people on their way home."""
CLOSING_S = 120
"""How long the demo may take to send everybody home and to end."""


def length(text):
    """Seconds, from text such as 60s, 2m or 90."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([sm]?)", text)
    if not found or float(found[1]) <= 0:
        raise argparse.ArgumentTypeError(f"got {text!r}, want a positive time such as 60s or 2m")
    return float(found[1]) * (60 if found[2] == "m" else 1)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True, type=Path, help="the built program")
    parser.add_argument("--minutes", type=float, default=60, help="how long, real time [default: 60]")
    parser.add_argument("--restart-every", type=length, metavar="TIME", help="such as 60s; 10s or more [default: no]")
    parser.add_argument("--speed", type=int, default=10, help="of engine time [default: 10]")
    parser.add_argument("--scale", type=int, default=1, help="times the demo's 13 agents and its arrivals [default: 1]")
    parser.add_argument("--seed", type=int, default=1999, help="of the demo [default: 1999]")
    parser.add_argument("--snapshot-events", type=int, default=10_000, help="as of `baton serve` [default: 10000]")
    parser.add_argument("--samples", type=Path, metavar="FILE", help="write the samples there, as CSV")
    asked = parser.parse_args()
    if not os.access(asked.server, os.X_OK):
        parser.error(f"--server: {asked.server} is not a program: build it with `cargo build --release`")
    if asked.minutes <= 0:
        parser.error(f"--minutes: got {asked.minutes}, want more than 0")
    if asked.restart_every is not None and asked.restart_every < 2 * LAST_S:
        parser.error(f"--restart-every: got {asked.restart_every:g} s, want {2 * LAST_S} s or more")
    return asked


class Run:
    """One run of `baton demo`, whose server is its child: what it prints is read as it comes."""

    def __init__(self, asked, data, last_s):
        command = [str(asked.server.resolve()), "demo", "--speed", str(asked.speed), "--scale", str(asked.scale),
                   "--seed", str(asked.seed), "--for", f"{max(1, round(last_s))}s", "--listen", "127.0.0.1:0",
                   "--data", str(data)]
        ours = {key: value for key, value in os.environ.items() if not key.startswith("BATON_")}
        ours["BATON_SNAPSHOT_EVENTS"] = str(asked.snapshot_events)
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, env=ours)
        atexit.register(self.end)
        self.pid, self.entered, self.said, self.deaths = None, 0, [], 0
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.hear(line.rstrip())
                self.changed.notify_all()
        with self.changed:
            self.pid = None
            self.changed.notify_all()

    def hear(self, line):
        serves = re.search(r"^server process (\d+) on|the server is back as process (\d+)", line)
        figures = re.search(r"  waiting .*  entered (\d+) ", line)
        if serves:
            self.pid = int(serves[1] or serves[2])
        elif "died:" in line:
            self.pid, self.deaths = None, self.deaths + 1
        if figures:
            self.entered = int(figures[1])
        else:
            self.said.append(line)

    def serving(self, other_than=None, patience_s=90):
        """The process id of its server, as soon as there is one."""
        with self.changed:
            self.changed.wait_for(lambda: self.over() or self.pid not in (None, other_than), patience_s)
            return self.pid

    def over(self):
        return self.process.poll() is not None

    def ends_within(self, moment_s):
        """Waits; whether it has ended by then."""
        try:
            self.process.wait(moment_s)
            return True
        except subprocess.TimeoutExpired:
            return False

    def end(self):
        """In order: it takes its server along, and says how the books stand."""
        if self.process.poll() is None:
            self.process.terminate()
            if not self.ends_within(CLOSING_S):
                self.process.kill()
                self.process.wait()
        self.reader.join(CLOSING_S)


class Soak:
    def __init__(self, asked, data):
        self.asked, self.data = asked, data
        self.began = time.monotonic()
        self.samples, self.wrong, self.restarts, self.back_s, self.struck = [], [], Counter(), [], 0
        self.shown_at = -SHOWN_S

    def elapsed(self):
        return time.monotonic() - self.began

    def left(self):
        return self.asked.minutes * 60 - self.elapsed()

    def go_on(self):
        """Runs of the demo, one after the other, until the time is over; just one if nothing is restarted."""
        while self.left() > 1 and not self.wrong:
            every = self.asked.restart_every
            run = Run(self.asked, self.data, min(self.left(), every * (RESTARTS_MAX + 1) if every else self.left()))
            try:
                self.watch(run)
            except KeyboardInterrupt:
                self.asked.minutes = 0
            run.end()
            self.close(run)

    def watch(self, run):
        """Samples, and restarts when it is time, until the run ends."""
        every, begun = self.asked.restart_every, time.monotonic()
        ends = begun + self.left()
        run.serving()
        restart_at, restarts = begun + every if every else None, 0
        while True:
            self.sample(run)
            now = time.monotonic()
            until = min(now + SAMPLE_S, restart_at or now + SAMPLE_S)
            if run.ends_within(max(0.01, until - now)):
                return
            if restart_at and time.monotonic() >= restart_at:
                if restarts < RESTARTS_MAX and ends - time.monotonic() > LAST_S:
                    self.restart(run)
                    restarts += 1
                restart_at += every

    def restart(self, run):
        """Ends the server, and waits until the demo has it back."""
        pid = run.serving()
        if pid is None:
            return
        how = [signal.SIGTERM, signal.SIGKILL][sum(self.restarts.values()) % 2]
        self.sample(run)
        began = time.monotonic()
        os.kill(pid, how)
        back = run.serving(other_than=pid)
        self.restarts[how.name] += 1
        if back in (None, pid):
            self.wrong.append(f"the server was not back after {how.name}")
        else:
            self.back_s.append(time.monotonic() - began)

    def sample(self, run):
        """Memory and open handles of the server, as the system counts them."""
        pid = run.pid
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            handles = len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            return  # It is between two lives.
        found = [re.search(rf"^{name}:\s+(\d+)", status, re.M) for name in ("VmRSS", "Threads")]
        if None in found:
            return  # It has just ended.
        resident, threads = (int(one[1]) for one in found)
        self.samples.append((self.elapsed(), resident / 1_024, handles, threads, run.entered))
        if self.elapsed() - self.shown_at >= SHOWN_S:
            self.shown_at = self.elapsed()
            print("{:6.0f} s  {:8.1f} MiB  {:4} handles  {:3} threads  {:7} contacts entered".format(*self.samples[-1]),
                  flush=True)

    def close(self, run):
        """The books of a run, and what its server complained about."""
        print("\n".join(run.said), flush=True)
        if run.process.returncode != 0:
            self.wrong.append(f"the demo ended with {run.process.returncode}: its books do not balance, or see above")
        if not any("the books add up" in line for line in run.said):
            self.wrong.append("the demo closed no books")
        self.struck += run.deaths
        if self.struck != sum(self.restarts.values()):
            self.wrong.append(f"the server died {self.struck} times, {sum(self.restarts.values())} times by us")

    def logged(self):
        """Lines of the server's log by level; what is no log line, such as a panic, is an error."""
        lines, log = {"WARN": [], "ERROR": []}, self.data / "serve.log"
        for line in log.read_text(errors="replace").splitlines() if log.exists() else []:
            try:
                level = json.loads(line)["level"]
            except (ValueError, KeyError, TypeError):
                level = "ERROR"
            if level in lines:
                lines[level].append(line)
        return lines

    def report(self):
        logged = self.logged()
        levels = {level: len(lines) for level, lines in logged.items()}
        for line in logged["WARN"][:5] + logged["ERROR"][:10]:
            print(line)
        if levels["ERROR"]:
            self.wrong.append(f"the server logged {levels['ERROR']} errors: see above")
        entered = self.samples[-1][4] if self.samples else 0
        print(f"\nsoaked for {self.elapsed() / 60:.1f} minutes at speed {self.asked.speed}, scale {self.asked.scale}: "
              f"{entered} contacts, {levels['WARN']} warnings and {levels['ERROR']} errors logged")
        if self.samples:
            self.report_samples()
        if self.asked.restart_every:
            back = sorted(self.back_s) or [0]
            kinds = ", ".join(f"{count} by {how}" for how, count in sorted(self.restarts.items()))
            print(f"restarts: {kinds or 'none'}; back after {back[len(back) // 2]:.2f} s in the middle, "
                  f"{back[-1]:.2f} s at most")
        for sentence in self.wrong:
            print(f"WRONG: {sentence}")
        return 1 if self.wrong or not self.samples else 0

    def report_samples(self):
        print(f"{len(self.samples)} samples: at most {max(one[1] for one in self.samples):.1f} MiB resident, "
              f"{max(one[2] for one in self.samples)} handles, {max(one[3] for one in self.samples)} threads")
        fitted = [one for one in self.samples if one[0] >= self.samples[-1][0] * LEFT_OUT]
        if self.asked.restart_every:
            return  # Each life begins anew: a line over several says nothing.
        if len(fitted) < 3:
            print("too few samples for a line")
            return
        for part in (fitted, fitted[len(fitted) // 2:]):
            if len(part) >= 3:
                print_line(part)


def print_line(samples):
    memory, handles = (3_600 * slope([(one[0], one[part]) for one in samples]) for part in (1, 2))
    (begin, mib, open_then, _, entered), (end, mib_now, open_now, _, entered_now) = samples[0], samples[-1]
    print(f"line over the last {end - begin:.0f} s: {memory:+.2f} MiB an hour, {handles:+.2f} handles an hour "
          f"({mib:.1f} to {mib_now:.1f} MiB, {open_then} to {open_now} handles, {entered_now - entered} contacts came)")


def slope(points):
    """Of the line with the least squares."""
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    return (sum((x - middle_x) * (y - middle_y) for x, y in points)
            / sum((x - middle_x) ** 2 for x, _ in points))


def main():
    asked = arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="baton-soak-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    soak = Soak(asked, folder / "data")
    soak.go_on()
    if asked.samples:
        rows = [",".join(f"{figure:g}" for figure in one) for one in soak.samples]
        asked.samples.write_text("\n".join(["s,mib,handles,threads,entered", *rows]) + "\n")
    sys.exit(soak.report())


main()

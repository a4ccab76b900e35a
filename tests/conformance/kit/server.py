"""A real server: started on a free port with a folder of its own, ended by its process id, also when a test fails."""

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import grpc

from .checks import until
from .stubs import pb

TENANT = "tenants/default"
CALL_S = 60
"""Deadline of a call that is expected to answer at once."""
OURS = "BATON_"
"""Settings of the surroundings that would change what is tested."""


class Folder:
    """A temporary folder that goes with the program."""

    def __init__(self):
        self.path = Path(tempfile.mkdtemp(prefix="baton-test-"))
        atexit.register(shutil.rmtree, self.path, ignore_errors=True)

    def __truediv__(self, name):
        return self.path / name


class Server:
    """`baton serve`, from start to its end."""

    def __init__(self, binary, data, *options, listen="127.0.0.1:0", settings=None):
        self.binary, self.data = str(binary), Path(data)
        self.folder = Folder()
        self.log = self.folder / "log"
        command = [self.binary, "serve", "--listen", listen, "--data", str(data), *map(str, options)]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**surroundings(), **(settings or {})}, cwd=self.folder.path)
        atexit.register(self.kill)
        self.address = None
        self.channel = None

    def up(self):
        """Waits until it serves, and opens a channel to it."""
        self.address = until("the server serves", self.serving)
        self.channel = grpc.insecure_channel(self.address)
        self.connect(self.channel)
        return self

    def connect(self, channel):
        self.interactions = pb.InteractionsStub(channel)
        self.agents = pb.AgentsStub(channel)
        self.customers = pb.CustomersStub(channel)
        self.floor = pb.FloorStub(channel)
        self.rules = pb.RulesStub(channel)
        self.supervision = pb.SupervisionStub(channel)

    def serving(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}: {self.said()}")
        for line in self.said().splitlines():
            if "baton is serving" in line and line.endswith("}"):
                return json.loads(line)["fields"]["address"]
        return None

    def said(self):
        return self.log.read_text(errors="replace")

    def ended(self):
        """Waits for the end; the exit code."""
        until("the server ends", lambda: self.process.poll() is not None)
        return self.process.returncode

    def stop(self):
        """Asks it to end, as a supervisor of processes does; the exit code."""
        self.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def kill(self):
        """kill -9, by its process id."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.close()

    def close(self):
        if self.channel is not None:
            self.channel.close()
            self.channel = None

    def complaints(self):
        """Warnings and errors in its log, and whatever is not a log line: a panic for example."""
        found = []
        for line in self.said().splitlines():
            try:
                calm = json.loads(line)["level"] in ("INFO", "DEBUG", "TRACE")
            except (ValueError, KeyError, TypeError):
                calm = False
            if not calm:
                found.append(line)
        return found


def snapshot_writers(data):
    """The processes that write snapshots below a folder, by what they were started with."""
    lines = (line_of(process) for process in Path("/proc").glob("[0-9]*"))
    return [words for words in lines if b"write-snapshot" in words and any(bytes(data) in word for word in words)]


def line_of(process):
    """Nothing of one that has ended."""
    try:
        return (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def surroundings():
    return {key: value for key, value in os.environ.items() if not key.startswith(OURS)}


def ends_with_the_program():
    """A test that is told to end leaves no server behind: atexit runs on SystemExit only."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))


def binary(arguments):
    """The server's program, from `--server PATH`."""
    if len(arguments) != 3 or arguments[1] != "--server":
        sys.exit(f"usage: {arguments[0]} --server PATH-OF-BATON")
    path = Path(arguments[2]).resolve()
    if not os.access(path, os.X_OK):
        sys.exit(f"{path} is not a program: build it with `cargo build`")
    ends_with_the_program()
    return path

"""A process that is told to end: it takes no more, waits no longer than it was told to, and ends at once when told twice.

Usage: stopping.py --server PATH-OF-BATON. Drives real processes.
"""

import atexit
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "conformance"))

from kit.checks import Checks, until
from kit.desk import phone
from kit.server import CALL_S, TENANT, Folder, Server, binary, snapshot_writers
from kit.stubs import pb

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS, PING = 4, 6
SUBMIT = b"/baton.v1.Interactions/Submit"
HEADERS = (b"\x83\x86\x04" + bytes([len(SUBMIT)]) + SUBMIT + b"\x01\x05baton"
           + b"\x0f\x10\x10application/grpc" + b"\x00\x02te\x08trailers")
"""`POST` over http as in RFC 7541, without Huffman codes and without a table."""


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def half_a_call(server):
    """A connection with a call whose message never comes. The server has heard of it when this returns."""
    host, port = server.address.rsplit(":", 1)
    caller = socket.create_connection((host, int(port)), timeout=CALL_S)
    caller.sendall(PREFACE + frame(SETTINGS, 0, 0) + frame(1, 0x4, 1, HEADERS) + frame(PING, 0, 0, b"heard of"))
    heard = b""
    while frame(PING, 1, 0, b"heard of") not in heard:
        said = caller.recv(4096)
        if not said:
            raise AssertionError(f"the server closed the connection after {heard!r}")
        heard += said
    return caller


def limited(check, program):
    server = Server(program, Folder() / "data", "--stop-within", 1).up()
    caller = half_a_call(server)
    server.process.send_signal(signal.SIGTERM)
    check.same("a call that never ends does not keep the server: exit code 0", server.ended(), 0)
    check.ok("and it says so", "calls were still open" in server.said(), server.said())
    caller.close()


def twice(check, program):
    server = Server(program, Folder() / "data", "--stop-within", 600).up()
    address = server.address.rsplit(":", 1)
    caller = half_a_call(server)
    server.process.send_signal(signal.SIGTERM)
    until("it stops", lambda: '"stopping"' in server.said())

    def refused():
        try:
            socket.create_connection((address[0], int(address[1])), timeout=CALL_S).close()
        except ConnectionRefusedError:
            return True

    check.ok("nobody new is taken", until("a refusal", refused))
    check.same("it waits for the call", server.process.poll(), None)
    server.process.send_signal(signal.SIGTERM)
    check.same("told twice it ends at once: exit code 143", server.ended(), 143)
    caller.close()
    again = Server(program, server.data).up()
    check.same("and starts again in order", again.stop(), 0)


def early(check, program):
    """It is told to end while it starts: a file of tokens that nobody writes holds it there."""
    folder = Folder()
    tokens = folder / "tokens"
    os.mkfifo(tokens)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Server(program, folder / "data", "--tokens", tokens, listen=f"127.0.0.1:{port}")

    def bound():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=CALL_S).close()
        except ConnectionRefusedError:
            return None
        return True

    until("its port is open", bound)
    server.process.send_signal(signal.SIGTERM)
    check.same("it has heard, and ends at once: exit code 143", server.ended(), 143)
    check.ok("and says so", "before it serves" in server.said(), server.said())


def unheard(check, program):
    """Whoever collects its log goes away; it goes on, and logs on for nobody."""
    said, into = os.pipe()
    command = [program, "serve", "--listen", "127.0.0.1:0", "--data", str(Folder() / "data"), "--log", "trace"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=into)
    atexit.register(process.kill)
    os.close(into)
    with os.fdopen(said, "rb") as log:
        line = next(line for line in log if b"baton is serving" in line)
    host, port = json.loads(line)["fields"]["address"].rsplit(":", 1)
    for _ in range(3):
        socket.create_connection((host, int(port)), timeout=CALL_S).close()
    process.send_signal(signal.SIGTERM)
    check.same("it serves on, and ends in order", process.wait(CALL_S), 0)


def beside_a_snapshot(program, within):
    """A server that was told to end, and whose last snapshot never ends: somebody else holds the folder. The server, and
    what lets the folder go."""
    server = Server(program, Folder() / "data", "--stop-within", within).up()
    somebody = pb.ResolveRequest(parent=TENANT, address=phone("+4930901820"))
    customer = server.customers.Resolve(somebody, timeout=CALL_S).customer
    # No snapshot has more than the histories, and whoever is shown one sees all that was answered.
    server.customers.ListHistory(pb.ListHistoryRequest(parent=customer.name), timeout=CALL_S)
    (snapshots := server.data / TENANT / "snapshots").mkdir(exist_ok=True)
    held = os.open(snapshots, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    server.process.send_signal(signal.SIGTERM)
    until("somebody writes a snapshot", lambda: snapshot_writers(server.data))
    return server, lambda: os.close(held)


def unfinished(check, program):
    """Snapshots are written by a process of their own."""
    server, _ = beside_a_snapshot(program, 1)
    check.same("a snapshot does not keep the server: exit code 0", server.ended(), 0)
    check.ok("and it says so", "no last snapshot is written" in server.said(), server.said())
    until("whoever wrote it ends", lambda: not snapshot_writers(server.data))
    server, let_go = beside_a_snapshot(program, 600)
    server.kill()
    until("whoever wrote it ends with a server that is killed", lambda: not snapshot_writers(server.data))
    let_go()
    again = Server(program, server.data).up()
    check.same("the next one starts and ends in order", again.stop(), 0)


def main():
    check = Checks()
    program = binary(sys.argv)
    stories = (("a limit", limited), ("told twice", twice), ("told while it starts", early),
               ("nobody reads what it says", unheard), ("its last snapshot takes too long", unfinished))
    for title, tell in stories:
        check.story(title, tell, program)
    check.end()


main()

"""A disk that fails or is full: nothing is answered OK that is not kept, the server says why and ends, and comes back.

Usage: faults.py --server PATH-OF-BATON. Builds tests/faults/failing.c with cc and preloads it into real servers.
"""

import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "conformance"))

import grpc

from kit.centre import interaction, queue, submit
from kit.checks import Checks, until
from kit.desk import phone
from kit.server import CALL_S, TENANT, Folder, Server, binary
from kit.stubs import pb

SOURCE = Path(__file__).resolve().parents[1] / "faults" / "failing.c"
SENDERS = 6
BEFORE = 40
"""So many are answered before the disk fails."""
RESERVE = 16 << 20
EXIT_FAILED, EXIT_UNAVAILABLE = 74, 69


def built():
    library = Folder() / "failing.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return library


class Disk:
    """When and how the disk under a server fails."""

    def __init__(self, library, data, calls, error, path="journal.db", after=0):
        self.folder = Folder()
        self.when, self.said = self.folder / "fails", self.folder / "said"
        self.settings = {"LD_PRELOAD": str(library), "FAIL_CALLS": calls, "FAIL_ERROR": error, "FAIL_PATH": path,
                         "FAIL_WHEN": str(self.when), "FAIL_AFTER": str(after), "FAIL_SAID": str(self.said),
                         "FAIL_ROOM": str(data / "reserve")}

    def fail(self):
        self.when.touch()

    def failed_ns(self):
        return int(self.said.read_text()) if self.said.exists() else None


class Load:
    """Threads that submit until the server is gone. Of each answer: the id, its name, and when it was asked for."""

    def __init__(self, server):
        self.server, self.answered, self.refused = server, [], []
        self.threads = [threading.Thread(target=self.send, args=(sender,), daemon=True) for sender in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def send(self, sender):
        stub = pb.InteractionsStub(grpc.insecure_channel(self.server.address))
        for number in range(1_000_000):
            key, asked = f"s{sender}-{number}", time.monotonic_ns()
            try:
                answer = stub.Submit(pb.SubmitRequest(parent=TENANT, interaction=contact(key)), timeout=CALL_S)
            except grpc.RpcError as error:
                self.refused.append((error.code(), error.details()))
                return
            self.answered.append((key, answer.interaction.name, asked))

    def ended(self):
        for thread in self.threads:
            thread.join(CALL_S)
        return not any(thread.is_alive() for thread in self.threads)


def contact(key):
    return interaction("sales", key, message=f"words of {key}", **{"from": phone("+15553000001")})


def fails_under_load(check, program, library, calls, error, after):
    what = f"{error} on {calls}"
    data = Folder() / "data"
    disk = Disk(library, data, calls, error, after=after)
    server = Server(program, data, settings=disk.settings).up()
    queue(server, "sales")
    check.same(f"{what}: the reserve is there", (data / "reserve").stat().st_size, RESERVE)
    load = Load(server)
    until("some are answered", lambda: len(load.answered) >= BEFORE)
    disk.fail()
    check.same(f"{what}: the server ends with its own code", server.ended(), EXIT_FAILED)
    check.ok(f"{what}: everybody is told", load.ended())
    codes = {code for code, _ in load.refused}
    check.ok(f"{what}: whoever waited got UNAVAILABLE", codes == {grpc.StatusCode.UNAVAILABLE}, load.refused)
    failed = disk.failed_ns()
    late = [key for key, _, asked in load.answered if asked > failed]
    check.same(f"{what}: nobody who asked after the failure was told OK", late, [])
    said = server.said()
    check.ok(f"{what}: it says which file", "the shard of tenant default ended" in said and "journal.db" in said, said)
    if error == "ENOSPC":
        check.ok(f"{what}: it says how much is free, and where", "are free in" in said and str(data) in said, said)
        check.ok(f"{what}: the reserve is given back", not (data / "reserve").exists())
    server.close()
    comes_back(check, program, data, what, load.answered)


def comes_back(check, program, data, what, answered):
    """Without the fault the server starts, and everything that was answered OK is there."""
    server = Server(program, data).up()
    wrong = []
    for key, name, _ in answered:
        again = submit(server, contact(key))
        if not again.repeated or again.interaction.name != name or again.interaction.message != f"words of {key}":
            wrong.append((key, name, str(again)))
    check.ok(f"{what}: after the restart each of the {len(answered)} answered is there, once", not wrong, wrong[:3])
    check.same(f"{what}: it takes work again", submit(server, contact("new")).repeated, False)
    check.ok(f"{what}: the reserve is made again", (data / "reserve").exists())
    check.same(f"{what}: and it ends in order", server.stop(), 0)


def starts_on_a_failing_disk(check, program, library):
    data = Folder() / "data"
    server = Server(program, data).up()
    queue(server, "sales")
    answered = [(key, submit(server, contact(key)).interaction.name, 0) for key in ("a", "b", "c")]
    server.kill()
    disk = Disk(library, data, "sync", "EIO", path="journal.db")
    disk.fail()
    server = Server(program, data, settings=disk.settings)
    check.same("a start that cannot sync is refused", server.ended(), EXIT_UNAVAILABLE)
    check.ok("and says which file", "journal.db" in server.said(), server.said())
    server.close()
    comes_back(check, program, data, "a failed start", answered)


def customers_fail(check, program, library):
    """The customers' file is no truth of the shard's: it goes on without."""
    data = Folder() / "data"
    disk = Disk(library, data, "write", "EIO", path="customers.db")
    server = Server(program, data, settings=disk.settings).up()
    queue(server, "sales")
    submit(server, contact("before"))
    disk.fail()
    names = [submit(server, contact(f"during-{number}")).interaction.name for number in range(5)]
    check.ok("a customers' file that fails keeps nobody from being taken", len(set(names)) == 5)
    until("the log says so", lambda: "a group of customer writes failed" in server.said())
    server.kill()
    server = Server(program, data).up()

    def entries():
        request = pb.ResolveRequest(parent=TENANT, address=phone("+15553000001"))
        customer = server.customers.Resolve(request, timeout=CALL_S).customer
        page = server.customers.ListHistory(pb.ListHistoryRequest(parent=customer.name, page_size=100))
        return {entry.interaction for entry in page.entries}

    until("the history is made good from the journal", lambda: entries().issuperset(names))
    check.ok("after the restart the history has all of them", entries().issuperset(names))
    check.same("and it ends in order", server.stop(), 0)


def main():
    check = Checks()
    program, library = binary(sys.argv), built()
    for calls, error, after in (("sync", "EIO", 0), ("sync", "EIO", 25), ("write", "EIO", 7), ("write", "ENOSPC", 0),
                                ("write", "ENOSPC", 31)):
        check.story(f"{error} on {calls} after {after} more", fails_under_load, program, library, calls, error, after)
    check.story("a start on a failing disk", starts_on_a_failing_disk, program, library)
    check.story("a customers' file that fails", customers_fail, program, library)
    check.end()


main()

"""Rules by the command line, and through kill -9: what was published is in force after any end, and the trail holds.

Usage: rules.py --server PATH-OF-BATON. Drives real processes.
"""

import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "conformance"))

import grpc

from kit.centre import interaction, queue, submit
from kit.checks import PATIENCE_S, Checks
from kit.server import CALL_S, TENANT, Folder, Server, binary
from kit.stubs import pb

KILLS = 5
WRONG, UNAVAILABLE = 2, 69


def points(figure):
    return f"name: points {figure}\nqueues:\n  sales: {{ priority: {figure} }}\n"


def run(program, *arguments):
    return subprocess.run([str(program), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=PATIENCE_S)


def publish(server, figure, waiting=pb.WAITING_POLICY_KEEP):
    request = pb.PublishRequest(parent=TENANT, text=points(figure), reason="again", waiting=waiting)
    return server.rules.Publish(request, timeout=CALL_S).version.number


def in_force(server):
    return server.rules.GetVersion(pb.GetVersionRequest(name=f"{TENANT}/rules/in-force"), timeout=CALL_S)


def by_the_command_line(check, program):
    folder = Folder()
    server = Server(program, folder / "data").up()
    queue(server, "sales")
    at = ("--addr", f"http://{server.address}")
    first, second = folder / "first.yaml", folder / "second.yaml"
    first.write_text(points(1))
    second.write_text(points(2))

    def does(sentence, *arguments, code=0, says=""):
        done = run(program, *arguments)
        check.ok(sentence, done.returncode == code and says in done.stdout + done.stderr,
                 f"{done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    does("rules are published", "rules", "publish", first, "--reason", "one", *at, says="version 2 \"points 1\"")
    submit(server, interaction("sales", "c-1"))
    does("a preview says who would be planned otherwise", "rules", "preview", second, *at,
         says="priority points 1 → 2")
    does("who waits is planned again", "rules", "publish", second, "--reason", "two", "--waiting", "plan-again", *at,
         says="1 who waited were planned again")
    does("two files are compared without a server", "rules", "diff", first, second,
         says="queue sales: priority points 1 → 2")
    does("versions are compared", "rules", "diff", "2", "2", *at, says="nothing changes")
    does("the versions are listed", "rules", "versions", *at, says="*     3")
    check.same("a version is printed as it was", does("a version is shown", "rules", "show", "2", *at), points(1))
    does("the version before is put back", "rules", "rollback", "--reason", "worse", *at, says="version 2")
    does("one that is there is put back", "rules", "rollback", "--to", "3", "--reason", "better", *at,
         says="version 3")
    does("a draft is written", "rules", "draft", first, *at, says="etag d1")
    does("nobody writes over it unseen", "rules", "draft", second, *at, code=WRONG, says="there is a draft already")
    does("a draft is published", "rules", "publish", "--draft", "d1", "--reason", "three", *at, says="version 4")
    wrong = folder / "wrong.yaml"
    wrong.write_text("name: x\nqueues:\n  sales: { priority: 999 }\n")
    does("a wrong document is refused with what is wrong", "rules", "publish", wrong, "--reason", "x", *at,
         code=UNAVAILABLE, says="line 3, queues.sales.priority: got 999")
    does("no server is an error of its own", "rules", "versions", "--addr", "http://127.0.0.1:9", code=UNAVAILABLE,
         says="no server at")
    does("the trail is listed", "audit", "list", *at, says="published 4: three")
    does("the trail is looked through while the server runs", "audit", "verify", server.data,
         says="rows are as they were written")
    check.same("the server ends with 0", server.stop(), 0)
    does("and when it has ended", "audit", "verify", server.data, says="rows are as they were written")
    book = server.data / "tenants" / "default" / "rules.db"
    changed = [path for path in (book, book.with_name("rules.db-wal")) if path.exists()]
    for path in changed:
        path.write_bytes(path.read_bytes().replace(b"better", b"bettor"))
    does("a changed byte is found, and the row is named", "audit", "verify", server.data, code=WRONG,
         says="row 6 of the audit trail is not as it was written")
    does("a folder without a rulebook is an error", "audit", "verify", folder.path, code=UNAVAILABLE)


def through_kills(check, program):
    folder = Folder()
    answered = 1
    for kill in range(KILLS):
        server = Server(program, folder / "data").up()
        number = in_force(server).number
        check.ok("what was answered is in force, or what was under way", number in (answered, answered + 1),
                 f"{number}, answered {answered}")
        if kill == 0:
            queue(server, "sales")
        submit(server, interaction("sales", f"c-{kill}"))
        answered, enough, numbers = number, threading.Event(), []

        def publishes():
            try:
                while True:
                    numbers.append(publish(server, len(numbers) % 9 + 1, pb.WAITING_POLICY_PLAN_AGAIN))
                    if len(numbers) == 10 + kill:
                        enough.set()
            except grpc.RpcError:
                enough.set()

        publishing = threading.Thread(target=publishes)
        publishing.start()
        check.ok("many are published", enough.wait(PATIENCE_S) and numbers)
        server.kill()
        publishing.join()
        answered = numbers[-1] if numbers else answered
        done = run(program, "audit", "verify", server.data)
        check.ok("the trail holds as it was left", done.returncode == 0, done.stdout + done.stderr)
    server = Server(program, folder / "data").up()
    number = in_force(server).number
    check.ok("in the end too", number in (answered, answered + 1), f"{number}, answered {answered}")
    versions = server.rules.ListVersions(pb.ListVersionsRequest(parent=TENANT, page_size=1_000), timeout=CALL_S)
    numbers = [one.number for one in versions.versions]
    check.same("no number is missing or there twice", numbers, list(range(len(numbers), 0, -1)))
    check.same("exactly one is in force", [one.number for one in versions.versions if one.in_force], [number])
    check.same("the server ends with 0", server.stop(), 0)


def main():
    check = Checks()
    program = binary(sys.argv)
    check.story("rules are published, compared and put back by the command line", by_the_command_line, program)
    check.story("what was published survives kill -9", through_kills, program)
    check.end()


main()

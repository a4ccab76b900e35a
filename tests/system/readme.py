"""What README shows must run: the commands marked for it, and the clients of "A route in ten minutes" and "Customers".

Usage: readme.py --server PATH-OF-BATON. Drives real processes.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "conformance"))

from kit.checks import PATIENCE_S, Checks
from kit.server import Folder, Server, binary

DATA = "../shared/data"
README = (ROOT / "README.md").read_text()


def marked():
    """The commands of the blocks that follow a test mark."""
    for block in re.findall(r"<!-- test -->\n```sh\n(.*?)```", README, re.S):
        yield from block.strip().splitlines()


def run(command, **options):
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=10 * PATIENCE_S, **options)


def commands(check, server):
    folder = Folder()
    (folder / "baton").symlink_to(Path(server).resolve())
    path = {**os.environ, "PATH": f"{folder.path}:{os.environ['PATH']}"}
    for command in marked():
        if DATA in command and not (ROOT / DATA).is_dir():
            print(f"passed over, {DATA} is not here: {command}")
            continue
        done = run(["bash", "-ec", command], env=path)
        check.ok(f"README's `{command}` does what it says", done.returncode == 0 and done.stdout, done.stderr[-500:])


def shown(part, language):
    """The first block of a language in a part of README."""
    text = README[README.index(f"\n## {part}\n"):]
    return re.search(rf"```{language}\n(.*?)```", text, re.S).group(1)


def clients(check, server):
    """The clients as printed, but for the port: the route, and then whose it was."""
    folder = Folder()
    protos = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "proto").rglob("*.proto"))
    stubs = folder / "gen"
    stubs.mkdir()
    generated = run([sys.executable, "-m", "grpc_tools.protoc", "-I", "proto", f"--python_out={stubs}",
                     f"--grpc_python_out={stubs}", *protos])
    check.ok("the stubs are generated from proto/ alone", generated.returncode == 0, generated.stderr)
    serving = Server(server, folder / "data").up()
    route(check, folder, serving)
    customers(check, folder, serving)
    serving.stop()


def client(folder, serving, part):
    script = folder / "client.py"
    script.write_text(shown(part, "python").replace("127.0.0.1:7700", serving.address))
    return subprocess.run([sys.executable, str(script)], cwd=folder.path, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=10 * PATIENCE_S)


def route(check, folder, serving):
    done = client(folder, serving, "A route in ten minutes")
    check.same("README's client ends well", done.returncode, 0)
    printed = re.search(r"It printed:\n\n(.*?)\n\n", README, re.S).group(1)
    kinds = [line.split()[0] for line in printed.splitlines()]
    # How often it waited first is chance: the calls come one right after the other.
    check.same("it prints what README says", {line.split()[0] for line in done.stdout.splitlines()}, set(kinds))
    for line in printed.splitlines():
        if line.split()[0] in ("route", "history"):
            check.ok(f"it prints: {line.strip()}", line.strip() in done.stdout, done.stdout + done.stderr)


def customers(check, folder, serving):
    """The client and the card as printed, but for the times."""
    done = client(folder, serving, "Customers")
    check.same("README's customer client ends well", (done.returncode, done.stderr), (0, ""))
    card = run([serving.binary, "card", "+34911234567", "--place", "branch B", "--addr", f"http://{serving.address}"])
    text = README[README.index("\n## Customers\n"):]
    printed = re.search(r"It printed, [^\n]*\n\n(.*?)\n\n\S", text, re.S).group(1)
    check.same("it and `baton card` print what README says",
               timeless(done.stdout + "\n" + card.stdout), timeless(printed))
    rules = folder / "rules.yaml"
    rules.write_text(shown("Customers", "yaml"))
    checked = run([serving.binary, "rules", "check", str(rules)])
    check.ok("the rules that README shows are right", checked.returncode == 0, checked.stderr)


def timeless(text):
    lines = (re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "TIME", line.strip()) for line in text.splitlines())
    return [line for line in lines if line]


def main():
    check = Checks()
    program = binary(sys.argv)
    check.story("the marked commands", commands, program)
    check.story("a route in ten minutes, and whose it was", clients, program)
    check.end()


main()

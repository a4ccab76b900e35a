"""What README shows must run: the commands marked for it, and the client of "A route in ten minutes".

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


def route(check, server):
    """The client as printed, but for the port."""
    folder = Folder()
    protos = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "proto").rglob("*.proto"))
    stubs = folder / "gen"
    stubs.mkdir()
    generated = run([sys.executable, "-m", "grpc_tools.protoc", "-I", "proto", f"--python_out={stubs}",
                     f"--grpc_python_out={stubs}", *protos])
    check.ok("the stubs are generated from proto/ alone", generated.returncode == 0, generated.stderr)
    code = re.search(r"```python\n(.*?)```", README, re.S).group(1)
    serving = Server(server, folder / "data").up()
    script = folder / "route.py"
    script.write_text(code.replace("127.0.0.1:7700", serving.address))
    done = subprocess.run([sys.executable, str(script)], cwd=folder.path, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=10 * PATIENCE_S)
    check.same("README's client ends well", done.returncode, 0)
    printed = re.search(r"It printed:\n\n(.*?)\n\n", README, re.S).group(1)
    kinds = [line.split()[0] for line in printed.splitlines()]
    # How often it waited first is chance: the calls come one right after the other.
    check.same("it prints what README says", {line.split()[0] for line in done.stdout.splitlines()}, set(kinds))
    for line in printed.splitlines():
        if line.split()[0] in ("route", "history"):
            check.ok(f"it prints: {line.strip()}", line.strip() in done.stdout, done.stdout + done.stderr)
    serving.stop()


def main():
    check = Checks()
    program = binary(sys.argv)
    check.story("the marked commands", commands, program)
    check.story("a route in ten minutes", route, program)
    check.end()


main()

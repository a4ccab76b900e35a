"""The machine and the build: what it is, how busy it was, and the programs to start."""

import json
import os
import subprocess
from datetime import datetime, timezone


def described(root):
    listed = json.loads(said(["lscpu", "--json"]))["lscpu"]
    cpu = {entry["field"].rstrip(":"): entry["data"] for entry in listed}
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(root),
        "cpu": cpu.get("Model name", "unknown"),
        "cores": cpu.get("CPU(s)", str(os.cpu_count())),
        "virtual": cpu.get("Hypervisor vendor", "no"),
        "kernel": os.uname().release,
        "load_before": load(),
    }


def commit(root):
    try:
        changed = said(["git", "-C", root, "status", "--porcelain", "--untracked-files=no"])
        return said(["git", "-C", root, "rev-parse", "--short", "HEAD"]) + ("+changes" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def load():
    """The load average of the last minute: this machine's, whoever caused it."""
    return round(os.getloadavg()[0], 2)


def built(root):
    """Builds the programs, and says where each is."""
    found = {}
    for ask in (["build", "--release", "--bin", "baton"],
                ["bench", "--no-run", "--bench", "echo", "--bench", "in_process"]):
        lines = said(["cargo", *ask, "--message-format", "json"], cwd=root).splitlines()
        for line in lines:
            message = json.loads(line) if line.startswith("{") else {}
            if message.get("executable"):
                found[message["target"]["name"]] = message["executable"]
    return found


def said(words, **rest):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, **rest).stdout.strip()

"""Generates the stubs from proto/ into a temporary folder and imports them.

Nothing generated is kept: a client that works was built from the protos as they are now.
"""

import atexit
import importlib
import shutil
import sys
import tempfile
from importlib import resources
from pathlib import Path
from types import SimpleNamespace

from grpc_tools import protoc

PROTO = Path(__file__).resolve().parents[3] / "proto"
FILES = ["types", "interactions", "agents", "customers", "floor", "rules", "supervision"]


def generate():
    """All messages, enums and stubs of baton.v1 under one name each."""
    out = tempfile.mkdtemp(prefix="baton-stubs-")
    atexit.register(shutil.rmtree, out, ignore_errors=True)
    well_known = resources.files("grpc_tools") / "_proto"
    paths = [f"baton/v1/{name}.proto" for name in FILES]
    options = [f"-I{PROTO}", f"-I{well_known}", f"--python_out={out}", f"--grpc_python_out={out}"]
    if protoc.main(["protoc", *options, *paths]) != 0:
        raise SystemExit("the protos do not compile")
    sys.path.insert(0, out)
    names = {}
    for name in FILES:
        for suffix in ("_pb2", "_pb2_grpc"):
            names.update(public(importlib.import_module(f"baton.v1.{name}{suffix}")))
    return SimpleNamespace(**names)


def public(module):
    return {name: value for name, value in vars(module).items() if not name.startswith("_")}


pb = generate()

"""Programs started for a measurement: bounded in time, and ended by process id, with whatever they started."""

import contextlib
import os
import signal
import socket
import subprocess
import time

# How long somebody asked to end may take before being ended, s.
PATIENCE = 5


class Missing(Exception):
    """Not to be had here."""


def output(words, bound, **rest):
    """What a program says on standard output. It is ended when it takes longer than `bound` seconds."""
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             start_new_session=True, **rest)
    try:
        out, err = child.communicate(timeout=bound)
    except subprocess.TimeoutExpired:
        raise ValueError(f"took longer than {bound} s") from None
    finally:
        end(child)
    if child.returncode != 0:
        last = (err.strip() or out.strip() or "nothing").splitlines()[-1]
        raise ValueError(f"exit {child.returncode}: {last}")
    return out


@contextlib.contextmanager
def running(words, **rest):
    """A server, for as long as the block lasts."""
    rest = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **rest}
    child = subprocess.Popen(words, start_new_session=True, **rest)
    try:
        yield child
    finally:
        end(child)


def end(child):
    """Its session is its own, so that is whom the signal goes to. SIGINT first: most then tidy up."""
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=PATIENCE)
            break
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_true(what, asked, bound=10):
    until = time.monotonic() + bound
    while not asked():
        if time.monotonic() > until:
            raise ValueError(f"{what} did not come up within {bound} s")
        time.sleep(0.05)

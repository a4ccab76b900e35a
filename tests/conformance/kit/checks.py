"""Checks that are sentences: each prints one line, and all of them are counted.

A story that breaks off counts as one failure and does not keep the next from running.
"""

import sys
import threading
import time
import traceback

import grpc
from google.rpc import error_details_pb2, status_pb2

PATIENCE_S = 60
"""How long something may take to happen. Generous: a slow machine is no defect."""


class Checks:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.lock = threading.Lock()

    def ok(self, sentence, holds, seen=None):
        """Counts one check; `seen` is shown when it fails."""
        with self.lock:
            if holds:
                self.passed += 1
                print(f"ok     {sentence}", flush=True)
            else:
                self.failed += 1
                shown = "" if seen is None else f"\n       seen: {seen}"
                print(f"FAILED {sentence}{shown}", flush=True)
        return bool(holds)

    def same(self, sentence, got, want):
        return self.ok(sentence, got == want, f"{got!r}, want {want!r}")

    def refused(self, sentence, call, code, reason=None, field=None, fallback=None, told=None):
        """The call must fail with this code, this ErrorInfo reason, blaming this field; `told` must be in its metadata,
        which is returned."""
        try:
            answer = call()
        except grpc.RpcError as error:
            got = details(error)
            lacking = {key: value for key, value in (told or {}).items() if got["told"].get(key) != value}
            want = {"code": code, "reason": reason, "field": field, "fallback": fallback}
            wrong = {key: got[key] for key, value in want.items() if value is not None and got[key] != value}
            named = got["domain"] == "baton" or reason is None
            self.ok(sentence, not wrong and not lacking and named, f"{got}, want {want}, told {told}")
            return got["told"]
        self.ok(sentence, False, f"an answer: {answer}")
        return {}

    def story(self, title, tell, *arguments):
        """Runs a story; an error ends it and counts."""
        print(f"\n-- {title}", flush=True)
        try:
            tell(self, *arguments)
        except Exception as error:  # Whatever broke off the story is a failure of it.
            place = traceback.format_exc(limit=-3)
            said = f"{error.code()} {error.details()}" if isinstance(error, grpc.RpcError) else repr(error)
            self.ok(f"the story goes to its end: {title}", False, f"{said}\n{place}")

    def end(self):
        """Prints the count and ends the program with it."""
        print(f"\n{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed or not self.passed else 0)


def details(error):
    """Code, reason, field, metadata and retry of a failed call."""
    found = {"code": error.code(), "reason": None, "domain": None, "field": None, "fallback": None,
             "told": {}, "retry_ms": None, "message": error.details()}
    packed = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    for detail in status_pb2.Status.FromString(packed).details if packed else ():
        info = error_details_pb2.ErrorInfo()
        request = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            found.update(reason=info.reason, domain=info.domain, fallback=info.metadata.get("fallback"),
                         told=dict(info.metadata))
        elif detail.Unpack(request):
            found["field"] = request.field_violations[0].field
        elif detail.Unpack(retry):
            found["retry_ms"] = retry.retry_delay.ToMilliseconds()
    return found


def until(what, look, patience_s=PATIENCE_S):
    """Looks again and again until there is something; says what was waited for in vain."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {patience_s} s in vain until {what}")

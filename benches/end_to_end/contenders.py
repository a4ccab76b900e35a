"""Who is compared, what one unit of each does, and against whom.

Not quite the same job, and the table says what each does: Redis and PostgreSQL pick and mark in one call, where
baton's life cycle picks, offers, is accepted, completes and wraps up, in four calls and two messages to the agent.
"""

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Callable

import postgres
import redis_lua
from children import Missing, output, running

__all__ = ["Contender", "Missing", "everybody"]
# For setting up, beside the measured time, s.
SETUP = 40


@dataclass
class Contender:
    key: str
    does: str
    durable: str
    measure: Callable
    against: tuple = ()


def everybody(binaries, folder, wanted):
    echo, local = Echo(binaries["echo"], wanted), binaries["in_process"]
    load = Load(binaries["baton"], wanted)
    redis, pg = redis_lua.Redis(folder, wanted.in_flight), postgres.Postgres(folder)
    calls = "calls (submits and cancels; nobody free, 1,000 waiting)"
    cycle = "life cycles (submit, match, offer, accept, complete, wrap-up)"
    return [
        Contender("echo-unary", "bare tonic calls, 300 bytes, echoed", "-", echo.of("unary")),
        Contender("echo-stream", "bare tonic stream, 300-byte messages, echoed", "-", echo.of("stream")),
        Contender("echo-unary-one", "the same calls, server on one thread", "-", echo.of("unary", "one"),
                  ("echo-unary",)),
        Contender("echo-h2load", "the same calls, asked by h2load", "-", echo.by_h2load, ("echo-unary",)),
        Contender("load-unary-memory", calls, "no", load.of("submit", "unary", "memory"), ("echo-unary",)),
        Contender("load-unary-durable", calls, "yes", load.of("submit", "unary", "sqlite"),
                  ("load-unary-memory",)),
        Contender("load-stream-memory", calls, "no", load.of("submit", "stream", "memory"), ("echo-stream",)),
        Contender("load-stream-durable", calls, "yes", load.of("submit", "stream", "sqlite"),
                  ("load-stream-memory",)),
        Contender("cycle-stream-memory", cycle, "no", load.of("cycle", "stream", "memory")),
        Contender("cycle-stream-durable", cycle, "yes", load.of("cycle", "stream", "sqlite"),
                  ("cycle-stream-memory",)),
        Contender("local-engine", f"{cycle}, in process, one thread", "no", in_process(local, "engine")),
        Contender("local-two-shards", "the same, a shard on each of two threads", "no",
                  in_process(local, "two_shards"), ("local-engine",)),
        Contender("local-mutex", "the same, two threads, a mutex around one shard", "no",
                  in_process(local, "mutex"), ("local-engine",)),
        Contender("local-naive", "picks by scanning 1,000 agents, nothing else", "no",
                  in_process(local, "naive"), ("local-engine",)),
        Contender("redis", "picks by a Lua script, best of 16 with the skill", "no", redis.of(pipeline=1),
                  ("cycle-stream-memory",)),
        Contender("redis-pipelined", "the same, 16 in a pipeline", "no", redis.of(pipeline=16),
                  ("cycle-stream-memory",)),
        Contender("redis-durable", "the same, appendfsync always", "yes", redis.of(pipeline=16, durable=True),
                  ("cycle-stream-durable",)),
        Contender("postgres", "takes with FOR UPDATE SKIP LOCKED, a route written", "yes", pg.measure,
                  ("cycle-stream-durable",)),
    ]


def in_process(binary, what):
    def measure(seconds):
        return figure(json.loads(output([binary, what, str(seconds)], seconds + SETUP)))
    return measure


def figure(said, **more):
    return {"per_s": float(said["completed_per_s"]), **more}


class Echo:
    """The bare echo, server and client each a process."""

    def __init__(self, binary, wanted):
        self.binary, self.wanted = binary, wanted

    def of(self, via, threads="many"):
        def measure(seconds):
            numbers = [str(number) for number in (self.wanted.in_flight, self.wanted.connections, seconds)]
            with served(self.binary, threads) as address:
                said = json.loads(output([self.binary, "load", address, via, *numbers], seconds + SETUP))
            if said["errors"]:
                raise ValueError(f"{said['errors']} errors")
            return figure(said)
        return measure

    def by_h2load(self, seconds):
        if not shutil.which("h2load"):
            raise Missing("h2load is not there: Debian has it in nghttp2-client")
        body = subprocess.run([self.binary, "request"], check=True, stdout=subprocess.PIPE).stdout
        connections = self.wanted.connections
        with served(self.binary, "many") as address, body_file(body) as path:
            out = output(["h2load", f"--duration={seconds}", f"--clients={connections}",
                          f"--max-concurrent-streams={max(1, self.wanted.in_flight // connections)}",
                          "--threads=1", f"--data={path}", "--header=te: trailers",
                          "--header=content-type: application/grpc",
                          f"http://{address}/baton.bench.Echo/Unary"], seconds + SETUP)
        line = next(line for line in out.splitlines() if line.startswith("finished in"))
        return {"per_s": float(line.split(",")[1].split()[0])}


class served:
    """The echo's server, as long as the block lasts. It ends when its standard input does."""

    def __init__(self, binary, threads):
        self.child = running([binary, "serve", threads], stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self.child.__enter__().stdout.readline().strip()

    def __exit__(self, *how):
        return self.child.__exit__(*how)


class body_file:
    """Bytes in a file."""

    def __init__(self, content):
        self.file = tempfile.NamedTemporaryFile()
        self.file.write(content)
        self.file.flush()

    def __enter__(self):
        return self.file.name

    def __exit__(self, *how):
        self.file.close()


class Load:
    """baton itself, by its own load generator, which starts a server and checks the books at the end."""

    def __init__(self, binary, wanted):
        self.binary, self.wanted = binary, wanted

    def of(self, what, via, journal):
        def measure(seconds):
            # Connections of the same number as the echo's; everything else as the generator does it by itself.
            words = [self.binary, "load", "--serve", "--what", what, "--via", via,
                     "--closed", str(self.wanted.in_flight), "--for", f"{seconds}s", "--output", "json",
                     "--connections", str(self.wanted.connections)]
            words += ["--memory"] if journal == "memory" else []
            said = json.loads(output(words, seconds + 2 * SETUP))
            if not said["books_balanced"]:
                raise ValueError("the books do not balance")
            return self.read(what, said)
        return measure

    @staticmethod
    def read(what, said):
        calls = said["calls"]
        kinds = ["submit", "cancel"] if what == "submit" else ["cycle"]
        more = {name: said.get(name) for name in ("client_cpu_s", "server_cpu_s", "server_memory_bytes",
                                                  "server_data_bytes")}
        latency = {kind: {name: calls[kind][name] for name in ("p50_us", "p99_us")} for kind in calls}
        errors = sum(call["errors"] for call in calls.values())
        if errors:
            raise ValueError(f"{errors} errors")
        per_s = sum(calls[kind]["completed_per_s"] for kind in kinds)
        return {"per_s": per_s, "latency": latency, **more}

"""What can be wrong at the start, and at the door: each with a clear line and exit code, nothing half started.

Usage: errors.py --server PATH-OF-BATON. Drives real processes.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "conformance"))

import grpc

from kit.centre import agent, interaction, queue, submit
from kit.checks import PATIENCE_S, Checks, details
from kit.desk import Desk, named
from kit.server import CALL_S, Folder, Server, binary, surroundings
from kit.stubs import pb

USAGE, UNAVAILABLE = 2, 69
SHOP, BANK, PLATFORM = "shop-token-0123456789", "bank-token-0123456789", "bank-platform-012345"


def refuses(check, what, server, code, *words):
    """The server must end with this code, and say why in these words."""
    check.same(f"{what}: exit code {code}", server.ended(), code)
    said = [line for line in server.said().splitlines() if not line.startswith("{")]
    check.ok(f"{what}: it says so", said and said[0].startswith("baton: ") and "panicked" not in server.said(),
             server.said())
    check.ok(f"{what}: and what it is about", all(str(word) in server.said() for word in words),
             f"{server.said()!r}, want {words}")
    check.ok(f"{what}: nothing claims to serve", "baton is serving" not in server.said(), server.said())


def ports(check, program):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        folder = Folder() / "data"
        refuses(check, "a port in use", Server(program, folder, listen=address), UNAVAILABLE, address)
        check.ok("a port in use: no data folder is made", not folder.exists())
        metrics = Server(program, Folder() / "data", "--metrics", address)
        refuses(check, "a metrics port in use", metrics, UNAVAILABLE, address, "metrics")


def folders(check, program):
    shared = Folder() / "data"
    first = Server(program, shared).up()
    queue(first, "q")
    second = Server(program, shared)
    refuses(check, "a folder locked by another process", second, UNAVAILABLE, shared, first.process.pid)
    check.ok("the first one is not disturbed",
             first.floor.GetQueue(pb.GetFloorRequest(name=named("queues", "q")), timeout=CALL_S))
    first.kill()
    again = Server(program, shared).up()
    check.ok("the lock goes with its process, however that ends", again.address)
    check.same("a stop in order ends with 0", again.stop(), 0)
    folder = Folder()
    file = folder / "file"
    file.write_text("in the way")
    # Not by permissions: to root everything is writable.
    refuses(check, "a folder that cannot be", Server(program, file / "data"), UNAVAILABLE, file / "data")
    check.same("what was in the way is as it was", file.read_text(), "in the way")


def settings(check, program):
    folder = Folder()
    everywhere = "0.0.0.0:0"
    cert, key = certificate(folder)
    tokens = write(folder / "tokens", f"{SHOP} shop supervisor boss\n")
    alone = Server(program, folder / "a", listen=everywhere)
    refuses(check, "beyond loopback with nothing", alone, USAGE, "beyond loopback", "--tokens", "--tls-cert")
    no_tls = Server(program, folder / "b", "--tokens", tokens, listen=everywhere)
    refuses(check, "beyond loopback without TLS", no_tls, USAGE, "--tls-cert and --tls-key")
    no_tokens = Server(program, folder / "c", "--tls-cert", cert, "--tls-key", key, listen=everywhere)
    refuses(check, "beyond loopback without tokens", no_tokens, USAGE, "demands --tokens")
    half = Server(program, folder / "d", "--tls-cert", cert)
    refuses(check, "a certificate without its key", half, USAGE, "tls-cert and tls-key")
    config = write(folder / "baton.toml", 'spede = 60\n')
    refuses(check, "an unknown key", Server(program, folder / "e", "--config", config), USAGE, "spede", config)
    speed = Server(program, folder / "f", "--speed", 0)
    refuses(check, "a speed of 0", speed, USAGE, "speed", "1 to 1000")
    absent = Server(program, folder / "g", "--config", folder / "none.toml")
    refuses(check, "a config file that is not there", absent, USAGE, folder / "none.toml")
    wrong = write(folder / "wrong", "short shop supervisor boss\n")
    refuses(check, "a token that is too short", Server(program, folder / "h", "--tokens", wrong), UNAVAILABLE,
            wrong, "line 1")
    rubbish = write(folder / "rubbish", "no certificate\n")
    bad = Server(program, folder / "i", "--tls-cert", rubbish, "--tls-key", key, "--tokens", tokens)
    refuses(check, "a certificate that is none", bad, UNAVAILABLE, "certificate")
    made = sorted(path.name for path in folder.path.iterdir() if path.is_dir())
    check.same("no data folder is made by any of them", made, [])



def write(path, text):
    path.write_text(text)
    return path


def certificate(folder):
    """A self-signed certificate for localhost, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key,
                    "-out", cert], check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return cert, key


class Caller:
    """Somebody with a token, or without one."""

    def __init__(self, server, cert, token=None):
        port = server.address.rsplit(":", 1)[1]
        identity = grpc.ssl_channel_credentials(cert.read_bytes())
        if token:
            identity = grpc.composite_channel_credentials(identity, grpc.access_token_call_credentials(token))
        self.channel = grpc.secure_channel(f"localhost:{port}", identity)
        Server.connect(self, self.channel)

    def get(self, name):
        return self.interactions.Get(pb.GetInteractionRequest(name=name), timeout=CALL_S)


def rights(check, program):
    folder = Folder()
    cert, key = certificate(folder)
    tokens = write(folder / "tokens", f"# who may come in\n{SHOP} shop supervisor boss\n\n"
                   f"{BANK} bank supervisor chief\n{PLATFORM} bank platform pbx\n")
    server = Server(program, folder / "data", "--tls-cert", cert, "--tls-key", key, "--tokens", tokens,
                    listen="0.0.0.0:0").up()
    shop, bank = Caller(server, cert, SHOP), Caller(server, cert, BANK)
    platform, nobody = Caller(server, cert, PLATFORM), Caller(server, cert)
    stranger = Caller(server, cert, "a-token-nobody-knows")

    def lists(caller, tenant):
        return lambda: caller.floor.ListQueues(pb.ListFloorRequest(parent=tenant), timeout=CALL_S)

    unauthenticated, missing = grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.NOT_FOUND
    check.refused("a call without a token", lists(nobody, "tenants/shop"), unauthenticated)
    check.refused("a call with an unknown token", lists(stranger, "tenants/shop"), unauthenticated)
    check.same("a call with a token works", len(lists(shop, "tenants/shop")().queues), 0)
    check.refused("a role that may not", lists(platform, "tenants/bank"), grpc.StatusCode.PERMISSION_DENIED)
    check.refused("another tenant's floor is not there", lists(shop, "tenants/bank"), missing)
    bank.floor.CreateQueue(pb.CreateQueueRequest(parent="tenants/bank", queue_id="q"), timeout=CALL_S)
    call = pb.Interaction(source="pbx", external_id="1", channel=pb.CHANNEL_VOICE, queue="tenants/bank/queues/q")
    name = platform.interactions.Submit(pb.SubmitRequest(parent="tenants/bank", interaction=call)).interaction.name
    check.same("a platform submits for its tenant", name, "tenants/bank/interactions/1")
    check.same("and gets it", platform.get(name).name, name)
    check.same("`tenants/-` is the tenant of the token", bank.get("tenants/-/interactions/1").name, name)
    check.refused("another tenant's interaction is not there", lambda: shop.get(name), missing)
    check.refused("nor is its number one's own", lambda: shop.get("tenants/shop/interactions/1"), missing,
                  "INTERACTION_NOT_FOUND")
    call.queue = "tenants/bank/queues/q"
    check.refused("a submit into another tenant's queue", lambda: shop.interactions.Submit(
        pb.SubmitRequest(parent="tenants/shop", interaction=call)), missing)
    with grpc.insecure_channel(server.address.replace("0.0.0.0", "127.0.0.1")) as plain:
        check.refused("a call without TLS gets nowhere", lambda: pb.FloorStub(plain).ListQueues(
            pb.ListFloorRequest(parent="tenants/shop"), timeout=CALL_S), grpc.StatusCode.UNAVAILABLE)
    for secret in (SHOP, BANK, PLATFORM):
        check.ok("no token is in the log", secret not in server.said())
    check.same("it ends in order", server.stop(), 0)


def stops(check, program):
    """SIGTERM with streams open: they end, and so does the server."""
    server = Server(program, Folder() / "data").up()
    queue(server, "q")
    agent(server, "ana")
    ana = Desk(server, "ana")
    ana.available()
    name = submit(server, interaction("q", "1", message="secret-word")).interaction.name
    ana.offer(name)
    watch = server.interactions.Watch(pb.WatchInteractionRequest(name=name))
    next(watch)
    server.process.terminate()
    check.same("a stop with open streams ends with 0", server.ended(), 0)
    ana.reader.join(CALL_S)
    end = details(ana.error)["code"] if ana.error else None
    check.ok("an open stream is told to come back", end in (grpc.StatusCode.UNAVAILABLE, None),
             details(ana.error) if ana.error else None)
    check.same("it has nothing to complain about", server.complaints(), [])
    check.ok("no payload is in the log", "secret-word" not in server.said())


def enough(check, program):
    """Whoever reads may have seen enough, as `head` has: what is done is done, and nothing is wrong."""
    folder = Folder()
    data, rules = folder / "data", folder / "rules.yaml"
    server = Server(program, data).up()
    queue(server, "q")
    check.same("there is something to show", server.stop(), 0)
    rules.write_bytes(subprocess.run([program, "rules", "default"], check=True, capture_output=True).stdout)
    for command in (["rules", "default"], ["rules", "facts"], ["rules", "check", rules], ["audit", "verify", data],
                    ["journal", "dump", data], ["journal", "dump", data, "--json"], ["journal", "verify", data],
                    ["journal", "verify", data, "--output", "json"], ["journal", "poisoned", data],
                    ["journal", "repair", data, "--to", folder / "saved", "--yes"],
                    ["backup", folder / "copy", "--data", data], ["backup", "verify", folder / "copy"]):
        ended = read_by_nobody([program, *map(str, command)])
        check.same(f"read by nobody, baton {command[0]} {command[1]} ends in order",
                   (ended.returncode, ended.stderr.decode()), (0, ""))


def read_by_nobody(command):
    reads, writes = os.pipe()
    os.close(reads)
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=writes, stderr=subprocess.PIPE,
                              env=surroundings(), timeout=PATIENCE_S)
    finally:
        os.close(writes)


def main():
    check = Checks()
    program = binary(sys.argv)
    for title, tell in (("ports", ports), ("folders", folders), ("settings", settings), ("rights", rights),
                        ("stopping", stops), ("read by nobody", enough)):
        check.story(title, tell, program)
    check.end()


main()

"""Customers: who they are, and everything that happened, page by page."""

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from kit.centre import agent, apart, interaction, recognised
from kit.desk import Desk, phone
from kit.server import CALL_S, TENANT
from kit.stubs import pb

INVALID = grpc.StatusCode.INVALID_ARGUMENT


def resolve(server, address, name=""):
    request = pb.ResolveRequest(parent=TENANT, address=address, display_name=name)
    return server.customers.Resolve(request, timeout=CALL_S)


def record(server, customer, request_id="", **fields):
    request = pb.RecordEventRequest(parent=customer, entry=pb.HistoryEntry(**fields), request_id=request_id)
    return server.customers.RecordEvent(request, timeout=CALL_S)


def history(server, customer, page_size=0):
    """All entries, and how many pages they came in."""
    entries, token, pages = [], "", 0
    while True:
        request = pb.ListHistoryRequest(parent=customer, page_size=page_size, page_token=token)
        page = server.customers.ListHistory(request, timeout=CALL_S)
        entries, token, pages = entries + list(page.entries), page.next_page_token, pages + 1
        if not token:
            return entries, pages


def identity(check, server):
    first = resolve(server, phone("+972 50-123-4567"))
    check.ok("an unknown address makes a profile", first.created and first.customer.name)
    again = resolve(server, phone("+972501234567"), "Dana")
    check.same("the same number written differently is the same customer",
               (again.created, again.customer.name), (False, first.customer.name))
    check.same("a name fills an empty one", again.customer.display_name, "Dana")
    kept = resolve(server, phone("+972501234567"), "Somebody else")
    check.same("but replaces none", kept.customer.display_name, "Dana")
    mail = [resolve(server, pb.Address(kind=pb.Address.EMAIL, value=value)).customer.name
            for value in ("Dana@Example.org", "dana@example.ORG")]
    check.ok("letters of an email address are folded", mail[0] == mail[1] != first.customer.name, mail)
    check.refused("no address", lambda: server.customers.Resolve(pb.ResolveRequest(parent=TENANT)), INVALID,
                  field="address")
    check.refused("an empty address", lambda: resolve(server, phone("")), INVALID, field="address.value")
    check.refused("a name that is too long", lambda: resolve(server, phone("+15552001"), "x" * 129), INVALID,
                  field="display_name")


def happened(check, server):
    customer = resolve(server, phone("+15552000")).customer.name
    check.same("a new customer has no history", history(server, customer), ([], 1))
    old = record(server, customer, kind=pb.HistoryEntry.VISIT, time=Timestamp(seconds=1_700_000_000),
                 summary="in the shop")
    names = [record(server, customer, f"r-{number}", kind=pb.HistoryEntry.NOTE, channel=pb.CHANNEL_EMAIL,
                    summary=f"note {number}", text=f"text {number}").name for number in range(5)]
    again = record(server, customer, "r-4", kind=pb.HistoryEntry.NOTE, channel=pb.CHANNEL_EMAIL,
                   summary="note 4", text="text 4")
    check.same("a record repeated is the first entry", again.name, names[4])
    entries, pages = history(server, customer, 4)
    check.same("history comes newest first, page by page", ([one.name for one in entries], pages),
               (names[::-1] + [old.name], 2))
    check.same("an entry keeps its content", (entries[0].summary, entries[0].text, entries[0].channel),
               ("note 4", "text 4", pb.CHANNEL_EMAIL))
    check.same("and its own time", old.time.seconds, 1_700_000_000)

    apart(server, "history")
    call = recognised(server, interaction("history", "hist-1", **{"from": phone("+15552000")}))
    check.same("an interaction of the customer is in the history as soon as it is answered OK",
               [(one.interaction, one.kind, one.outcome) for one in history(server, customer)[0][:1]],
               [(call.name, pb.HistoryEntry.CONTACT, pb.CONTACT_OUTCOME_OPEN)])
    server.interactions.Cancel(pb.CancelRequest(name=call.name), timeout=CALL_S)
    check.same("and says so when the customer left", history(server, customer)[0][0].outcome,
               pb.CONTACT_OUTCOME_LEFT)

    nobody = f"{TENANT}/customers/999999"
    check.refused("the history of nobody", lambda: history(server, nobody), grpc.StatusCode.NOT_FOUND,
                  "CUSTOMER_NOT_FOUND")
    check.refused("an event of nobody", lambda: record(server, nobody, kind=pb.HistoryEntry.NOTE, summary="x"),
                  grpc.StatusCode.NOT_FOUND, "CUSTOMER_NOT_FOUND")
    check.refused("a contact is recorded by the server alone",
                  lambda: record(server, customer, kind=pb.HistoryEntry.CONTACT, summary="x"), INVALID,
                  field="entry.kind")
    check.refused("an event without a kind", lambda: record(server, customer, summary="x"), INVALID,
                  field="entry.kind")
    check.refused("a text that is too long", lambda: record(
        server, customer, kind=pb.HistoryEntry.NOTE, summary="x", text="x" * 16_385), INVALID)
    check.refused("a page token that was never given", lambda: server.customers.ListHistory(
        pb.ListHistoryRequest(parent=customer, page_token="?")), INVALID, field="page_token")
    check.refused("a page of 501", lambda: history(server, customer, 501), INVALID, field="page_size")


def promise(server, customer, request_id="", **fields):
    request = pb.MakePromiseRequest(parent=customer, promise=pb.Promise(**fields), request_id=request_id)
    return server.customers.MakePromise(request, timeout=CALL_S)


def redeem(server, name, by, place="", request_id=""):
    request = pb.RedeemPromiseRequest(name=name, by=by, place=place, request_id=request_id)
    return server.customers.RedeemPromise(request, timeout=CALL_S)


def promised(check, server):
    """A free upgrade, made by email, is on the card of the next call and is kept once."""
    own = apart(server, "promises")
    agent(server, "pam", pool=own)
    mother = resolve(server, phone("+15552100")).customer.name
    how = [pb.Promise.Instruction(place="voice", text="honour it with code X"),
           pb.Promise.Instruction(place="shop", text="code X at the till")]
    upgrade = {"summary": "free upgrade of the daughter's phone", "terms": "web only", "made_by": "marketing",
               "channel": pb.CHANNEL_EMAIL, "instructions": how, "alternative": "half the price"}
    made = promise(server, mother, "p-1", **upgrade)
    check.same("a promise repeated is the first", promise(server, mother, "p-1", **upgrade).name, made.name)
    pam = Desk(server, "pam")
    call = recognised(server, interaction("promises", "pr-1", **{"from": phone("+15552100")}))
    pam.available()
    card = pam.offer(call.name).card
    check.same("it is on the card of her call, with what to do on the phone",
               [(one.summary, one.how) for one in card.promises],
               [("free upgrade of the daughter's phone", "honour it with code X")])
    pam.serve(call.name)
    kept = redeem(server, made.name, "pam", "voice", "r-1")
    check.same("it is kept", (kept.redeemed_by, kept.redeemed_at), ("pam", "voice"))
    check.same("and kept once: a retry gets the same answer",
               redeem(server, made.name, "pam", "voice", "r-1"), kept)
    check.refused("the shop is told that it was kept", lambda: redeem(server, made.name, "the shop", "shop"),
                  grpc.StatusCode.FAILED_PRECONDITION, "PROMISE_REDEEMED")
    listed = server.customers.ListPromises(pb.ListPromisesRequest(parent=mother), timeout=CALL_S).promises
    check.same("it stays in her list", [one.name for one in listed if one.HasField("redeem_time")], [made.name])
    check.refused("a promise of nothing", lambda: promise(server, mother), INVALID, field="promise.summary")
    check.refused("a promise to nobody", lambda: promise(server, f"{TENANT}/customers/999999", summary="x"),
                  grpc.StatusCode.NOT_FOUND, "CUSTOMER_NOT_FOUND")
    pam.leave()


STORIES = [("identity", identity), ("history", happened), ("promises", promised)]

"""Persons: looked up at a counter, what they were promised as a tier, what may be sent to them, and erased."""

import grpc

from customers import history, promise, record, redeem, resolve
from kit.centre import agent, apart, interaction, recognised
from kit.desk import Desk, named, phone
from kit.server import CALL_S, TENANT
from kit.stubs import pb

INVALID = grpc.StatusCode.INVALID_ARGUMENT
MISSING = grpc.StatusCode.NOT_FOUND
REFUSED = grpc.StatusCode.FAILED_PRECONDITION
NOTE, VISIT, MESSAGE = pb.HistoryEntry.NOTE, pb.HistoryEntry.VISIT, pb.HistoryEntry.MESSAGE


def card(server, place="", **who):
    return server.customers.GetCard(pb.GetCardRequest(place=place, **who), timeout=CALL_S)


def prefer(server, customer, **preference):
    request = pb.SetPreferenceRequest(parent=customer, by="the counter", reason="asked", **preference)
    return server.customers.SetPreference(request, timeout=CALL_S)


def looked_up(check, server):
    """A card at a counter, by number or by address."""
    who = resolve(server, phone("+15552200"), "Mia Sand").customer.name
    record(server, who, kind=NOTE, summary="verified by passport", pinned=True)
    promise(server, who, summary="a free coffee",
            instructions=[pb.Promise.Instruction(place="counter", text="the blue button")])
    by_address = card(server, "counter", parent=TENANT, address=phone("+1 555-2200"))
    check.same("a card is found by an address, however it is written",
               (by_address.customer.name, [one.summary for one in by_address.pinned],
                [one.how for one in by_address.promises]), (who, ["verified by passport"], ["the blue button"]))
    check.same("it is the one by number", card(server, "counter", name=who), by_address)
    check.same("another place is told nothing to do", [one.how for one in card(server, name=who).promises], [""])
    check.same("a customer by number", server.customers.Get(pb.GetCustomerRequest(name=who)).display_name, "Mia Sand")
    check.refused("the card of an unknown address", lambda: card(server, parent=TENANT, address=phone("+15552201")),
                  MISSING, "CUSTOMER_NOT_FOUND", field="address")
    check.ok("looking up makes nobody known", resolve(server, phone("+15552201")).created)
    check.refused("a card of nobody", lambda: card(server, parent=TENANT), INVALID, field="name")
    nobody = named("customers", 999999)
    for what, call in (("the card", lambda: card(server, name=nobody)),
                       ("the profile", lambda: server.customers.Get(pb.GetCustomerRequest(name=nobody)))):
        check.refused(f"{what} of an unknown number", call, MISSING, "CUSTOMER_NOT_FOUND", field="name")


def filtered(check, server):
    """A history by kind, channel and matter; and how the customer feels."""
    who = resolve(server, phone("+15552210")).customer.name
    for kind, channel, matter in ((NOTE, pb.CHANNEL_EMAIL, "loan-7"), (VISIT, 0, "loan-7"),
                                  (MESSAGE, pb.CHANNEL_EMAIL, ""), (NOTE, pb.CHANNEL_VOICE, "loan-8")):
        record(server, who, kind=kind, channel=channel, matter=matter, summary=f"{kind} {channel} {matter}")

    def listed(**only):
        request = pb.ListHistoryRequest(parent=who, **only)
        return [one.summary for one in server.customers.ListHistory(request, timeout=CALL_S).entries]

    email, voice = pb.CHANNEL_EMAIL, pb.CHANNEL_VOICE
    check.same("of one kind alone", listed(kinds=[NOTE]),
               [f"{NOTE} {voice} loan-8", f"{NOTE} {email} loan-7"])
    check.same("of two kinds", len(listed(kinds=[NOTE, VISIT])), 3)
    check.same("on one channel alone", listed(channels=[email]), [f"{MESSAGE} {email} ", f"{NOTE} {email} loan-7"])
    check.same("on none", listed(channels=[0]), [f"{VISIT} 0 loan-7"])
    check.same("about one matter", listed(matter="loan-7"), [f"{VISIT} 0 loan-7", f"{NOTE} {email} loan-7"])
    check.same("all at once", listed(kinds=[NOTE], channels=[email], matter="loan-7"), [f"{NOTE} {email} loan-7"])
    first = server.customers.ListHistory(pb.ListHistoryRequest(parent=who, kinds=[NOTE], page_size=1))
    rest = server.customers.ListHistory(pb.ListHistoryRequest(
        parent=who, kinds=[NOTE], page_size=1, page_token=first.next_page_token))
    check.same("page by page", [one.summary for page in (first, rest) for one in page.entries],
               listed(kinds=[NOTE]))
    check.refused("of a kind there is not", lambda: listed(kinds=[99]), INVALID, field="kinds")
    check.refused("on a channel there is not", lambda: listed(channels=[99]), INVALID, field="channels")


def felt(check, server):
    who = resolve(server, phone("+15552220")).customer.name
    check.ok("whoever said nothing has no mood", not card(server, name=who).HasField("sentiment"))
    answer = pb.Feedback(measure=pb.Feedback.RECOMMENDATION, score=2)
    said = record(server, who, kind=pb.HistoryEntry.FEEDBACK, summary="asked after the call", feedback=answer)
    check.same("what a customer answers is kept", said.feedback, answer)
    record(server, who, kind=MESSAGE, channel=pb.CHANNEL_EMAIL, summary="a letter", sentiment=-80)
    shown = card(server, name=who)
    check.ok("and how they feel is on the card", shown.HasField("sentiment") and shown.sentiment < 0, shown.sentiment)
    check.refused("a satisfaction of 6", lambda: record(
        server, who, kind=pb.HistoryEntry.FEEDBACK, summary="x",
        feedback=pb.Feedback(measure=pb.Feedback.SATISFACTION, score=6)), INVALID)
    check.refused("feedback of no measure", lambda: record(
        server, who, kind=pb.HistoryEntry.FEEDBACK, summary="x", feedback=pb.Feedback(score=1)), INVALID,
        field="entry.feedback.measure")
    check.refused("a mood of 101", lambda: record(server, who, kind=NOTE, summary="x", sentiment=101), INVALID)


def tiers(check, server):
    """A promise to a tier is everybody's in it, and each redeems it once."""
    one, two, other = (resolve(server, phone(f"+1555223{number}")).customer.name for number in range(3))
    for customer in (one, two):
        prefer(server, customer, tier="platinum")
    made = promise(server, TENANT, summary="a free bag", tier="platinum")

    def own(customer):
        request = pb.ListPromisesRequest(parent=customer)
        return [found for found in server.customers.ListPromises(request, timeout=CALL_S).promises
                if found.summary == "a free bag"]

    check.same("it is among the promises of the tenant", [found.name for found in own(TENANT)], [made.name])
    check.same("and of whoever is in the tier", [len(own(customer)) for customer in (one, two, other)], [1, 1, 0])
    check.same("on the card too", [found.summary for found in card(server, name=one).promises], ["a free bag"])
    redeem(server, own(one)[0].name, "till 4", "shop")
    check.refused("one redeems it once", lambda: redeem(server, own(one)[0].name, "till 5"), REFUSED,
                  "PROMISE_REDEEMED", told={"by": "till 4", "place": "shop"})
    check.ok("another still may", redeem(server, own(two)[0].name, "till 5").HasField("redeem_time"))
    check.refused("nobody for all", lambda: redeem(server, made.name, "till 6"), INVALID, field="name")
    check.refused("nor who is not in it", lambda: redeem(
        server, f"{other}/promises/{made.name.rsplit('/', 1)[1]}", "till 6"), MISSING, "PROMISE_NOT_FOUND")
    check.refused("a promise to the tenant without a tier", lambda: promise(server, TENANT, summary="x"), INVALID,
                  field="promise.tier")
    server.customers.WithdrawPromise(pb.WithdrawPromiseRequest(name=made.name, by="hq", reason="no bags"),
                                     timeout=CALL_S)
    prefer(server, other, tier="platinum")
    check.refused("withdrawn it is nobody's any more", lambda: redeem(server, own(other)[0].name, "till 6"), REFUSED,
                  "PROMISE_WITHDRAWN", told={"reason": "no bags", "alternative": ""})


def contacted(check, server):
    """Whether something may be sent, and who changed that."""
    who = resolve(server, phone("+15552240")).customer.name

    def may(channel, **whom):
        request = pb.MayContactRequest(channel=channel, **(whom or {"parent": who}))
        return server.customers.MayContact(request, timeout=CALL_S)

    check.ok("unless something was said it may", may(pb.CHANNEL_EMAIL).allowed)
    check.ok("also to an unknown address", may(pb.CHANNEL_VOICE, parent=TENANT, address=phone("+15552241")).allowed)
    prefer(server, who, consent=pb.Consent(allowed=False))
    prefer(server, who, consent=pb.Consent(channel=pb.CHANNEL_EMAIL, allowed=True))
    check.same("what was said of one channel decides before what was said of every channel",
               [may(channel).allowed for channel in (pb.CHANNEL_EMAIL, pb.CHANNEL_VOICE)], [True, False])
    refusal = may(pb.CHANNEL_VOICE)
    check.same("a no says why and to whom it was said", (refusal.reason, refusal.by, refusal.HasField("time")),
               ("CONSENT_WITHDRAWN", "the counter", True))
    kept = prefer(server, who, language="es-MX")
    check.same("what they want is in the profile", (kept.language, [one.allowed for one in kept.consents].count(False)),
               ("es-MX", 1))
    changes = server.customers.ListChanges(pb.ListChangesRequest(parent=who), timeout=CALL_S).changes
    check.same("and every change with who and why, newest first",
               (len(changes), {(one.by, one.reason, one.customer) for one in changes}),
               (3, {("the counter", "asked", who)}))
    check.ok("in words", "es-MX" in changes[0].what, changes[0])
    check.refused("on no channel", lambda: may(0), INVALID, field="channel")
    check.refused("nowhere", lambda: may(pb.CHANNEL_EMAIL, parent=TENANT), INVALID, field="address")
    check.refused("who is their own contact person", lambda: prefer(server, who, contact_person=who), INVALID,
                  field="contact_person")
    check.refused("a preference that is none", lambda: prefer(server, who), INVALID, field="preference")


def erased(check, server):
    """A person is destroyed; whoever comes again by the same phone is somebody new."""
    agent(server, "erik", pool=apart(server, "erasing"))
    number = phone("+15552250")
    who = resolve(server, number, "Gone Tomorrow").customer.name
    made = promise(server, who, summary="a free coffee")
    record(server, who, kind=NOTE, summary="a note")
    call = recognised(server, interaction("erasing", "er-1", message="hello", **{"from": number}))
    erik = Desk(server, "erik")
    erik.available()
    erik.serve(call.name, "solved")
    erik.leave()

    def erase(name=who, by="privacy", reason="asked for in writing"):
        return server.customers.Erase(pb.EraseRequest(name=name, by=by, reason=reason), timeout=CALL_S)

    check.refused("nobody erases without a name of their own", lambda: erase(by=""), INVALID, field="by")
    check.refused("nor without a reason", lambda: erase(reason=""), INVALID, field="reason")
    gone = erase()
    check.same("one customer is erased, and what was said in one interaction", (gone.customers, gone.interactions), (1, 1))
    afterwards = {
        "the customer": lambda: server.customers.Get(pb.GetCustomerRequest(name=who)),
        "the card": lambda: card(server, name=who),
        "the card by address": lambda: card(server, parent=TENANT, address=number),
        "the history": lambda: history(server, who),
        "the promises": lambda: server.customers.ListPromises(pb.ListPromisesRequest(parent=who)),
        "the changes": lambda: server.customers.ListChanges(pb.ListChangesRequest(parent=who)),
        "a new entry": lambda: record(server, who, kind=NOTE, summary="x"),
        "a new promise": lambda: promise(server, who, summary="x"),
        "a preference": lambda: prefer(server, who, minor=True),
        "another erasure": erase,
    }
    for what, call_again in afterwards.items():
        check.refused(f"{what} is not found", call_again, MISSING, "CUSTOMER_NOT_FOUND")
    check.refused("nor is what was promised", lambda: redeem(server, made.name, "till 4"), MISSING, "PROMISE_NOT_FOUND")
    told = server.supervision.Explain(pb.ExplainRequest(interaction=call.name), timeout=CALL_S)
    check.ok("why it was decided so stays, without whose it was",
             told.decisions and not told.interaction.customer and not told.interaction.message, told)
    again = resolve(server, number)
    check.ok("who comes again is somebody new, with a new number",
             again.created and again.customer.name != who and not again.customer.display_name, again)
    check.same("of whom nothing is known", history(server, again.customer.name)[0], [])
    call = recognised(server, interaction("erasing", "er-2", **{"from": number}))
    erik = Desk(server, "erik")
    erik.available()
    shown = erik.offer(call.name).card
    check.same("an agent sees nothing of the old", (shown.customer.name, list(shown.history), list(shown.promises)),
               (again.customer.name, [], []))
    erik.serve(call.name)
    erik.leave()


STORIES = [("a card at a counter", looked_up), ("a filtered history", filtered), ("how customers feel", felt),
           ("promises to a tier", tiers), ("what may be sent", contacted), ("erasing", erased)]

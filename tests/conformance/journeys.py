"""The two stories the product is there for: the free upgrade, and the green sofa."""

import time

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from customers import promise, record, redeem, resolve
from kit.centre import agent, apart, interaction, queue, recognised, skill, submit
from kit.checks import until
from kit.desk import Desk, named, phone
from kit.server import CALL_S, TENANT, Folder, Server
from kit.stubs import pb

REFUSED = grpc.StatusCode.FAILED_PRECONDITION

RULES = """
version: 7
name: nobody has to be persistent to be loyal
queues:
  shop-line:
    repeats:
      within: 7d
      steps:
        - { contact: 2, priority: 2, weight: 2, require: { authority: 3 } }
        - { contact: 3, priority: 4, weight: 4, queue: complaints, require: { authority: 5 } }
"""


def at(kind, value):
    return pb.Address(kind=kind, value=value)


def in_days(days):
    return Timestamp(seconds=int(time.time()) + days * 24 * 60 * 60)


def prefer(server, customer, by, reason="said so on the phone", **preference):
    request = pb.SetPreferenceRequest(parent=customer, by=by, reason=reason, **preference)
    return server.customers.SetPreference(request, timeout=CALL_S)


def consent(server, customer, by, channel, allowed):
    return prefer(server, customer, by, consent=pb.Consent(channel=channel, allowed=allowed))


def look(server, customer, place):
    """What somebody sees who looks a customer up where there is no interaction."""
    return server.customers.GetCard(pb.GetCardRequest(name=customer, place=place), timeout=CALL_S)


def may_contact(server, number, channel):
    request = pb.MayContactRequest(parent=TENANT, address=phone(number), channel=channel)
    return server.customers.MayContact(request, timeout=CALL_S)


def changes(server, customer):
    return server.customers.ListChanges(pb.ListChangesRequest(parent=customer), timeout=CALL_S).changes


def link(server, name, into, by="web login", reason="same session"):
    return server.customers.Link(pb.LinkRequest(name=name, into=into, by=by, reason=reason), timeout=CALL_S)


def unlink(server, name):
    return server.customers.Unlink(pb.UnlinkRequest(name=name, by="bo", reason="another person"), timeout=CALL_S)


def call_back(server, name, channel=pb.CHANNEL_UNSPECIFIED):
    request = pb.RequestCallbackRequest(name=name, channel=channel, until_time=in_days(14))
    return server.interactions.RequestCallback(request, timeout=CALL_S)


def instruction(place, text):
    return pb.Promise.Instruction(place=place, text=text)


def upgrade():
    """Marketing promises by email, with what to do at every place where it may be redeemed."""
    return {"summary": "free upgrade of the daughter's phone", "terms": "on the web only", "made_by": "marketing",
            "channel": pb.CHANNEL_EMAIL, "alternative": "half the price of any phone", "expire_time": in_days(14),
            "instructions": [instruction("voice", "honour it with code X"),
                             instruction("shop", "honour it with code X at the till")]}


def honoured(check, server):
    """A free upgrade, promised by email, is honoured on the phone, once."""
    agent(server, "maren", pool=apart(server, "upgrades"))
    maren, by = Desk(server, "maren"), named("agents", "maren")
    mother = resolve(server, phone("+14155550100"), "Ruth Levi").customer.name
    daughter = resolve(server, phone("+14155550101"), "Lena Levi").customer.name
    prefer(server, daughter, by, minor=True)
    check.same("a daughter has somebody who is asked about her",
               prefer(server, daughter, by, contact_person=mother).contact_person, mother)
    made = promise(server, mother, **upgrade())
    call = recognised(server, interaction("upgrades", "up-1", **{"from": phone("+14155550100")}))
    maren.available()
    offer = maren.offer(call.name)
    check.same("the mother calls: the promise is on the card, with terms and what to do on the phone",
               [(one.how, one.terms) for one in offer.card.promises],
               [("honour it with code X", "on the web only")])
    check.same("and so is her daughter", [(one.display_name, one.minor) for one in offer.card.household],
               [("Lena Levi", True)])

    withdrawn(check, server, daughter, mother, by)

    maren.accept(offer)
    redeem(server, made.name, by, "voice")
    told = check.refused("the shop is told that it was honoured, where and by whom",
                         lambda: redeem(server, made.name, "the shop in Main Street", "shop"), REFUSED,
                         "PROMISE_REDEEMED", told={"place": "voice", "by": by})
    check.ok("and when", told.get("redeem_time", "").endswith("Z"), told)
    check.same("it stays on the card, as redeemed",
               [(one.redeemed_at, one.redeemed_by, one.HasField("redeem_time"))
                for one in look(server, mother, "shop").promises], [("voice", by, True)])
    maren.close()


def withdrawn(check, server, daughter, mother, by):
    """Texts to the daughter stop: from then on they are refused, and so is calling her back."""
    before = may_contact(server, "+14155550101", pb.CHANNEL_MESSAGE)
    check.same("a minor is sent nothing without consent",
               (before.allowed, before.reason), (False, "MINOR_WITHOUT_CONSENT"))
    consent(server, daughter, by, pb.CHANNEL_MESSAGE, False)
    consent(server, daughter, by, pb.CHANNEL_VOICE, False)
    answer = may_contact(server, "+14155550101", pb.CHANNEL_MESSAGE)
    check.same("a consent that was withdrawn says by whom, and who may be asked",
               (answer.allowed, answer.reason, answer.by, answer.contact_person),
               (False, "CONSENT_WITHDRAWN", by, mother))
    told = check.refused("a text to her is refused before it is sent", lambda: record(
        server, daughter, kind=pb.HistoryEntry.MESSAGE, channel=pb.CHANNEL_MESSAGE, outbound=True,
        summary="your new tariff"), REFUSED, "CONSENT_WITHDRAWN", told={"by": by})
    check.ok("with the time at which she said so", told.get("time", "").endswith("Z"), told)
    waits = recognised(server, interaction("upgrades", "up-2", **{"from": phone("+14155550101")}))
    check.refused("calling her back is refused", lambda: call_back(server, waits.name), REFUSED,
                  "CONSENT_WITHDRAWN", told={"by": by})
    consent(server, daughter, by, pb.CHANNEL_VOICE, True)
    check.ok("what was said last holds", call_back(server, waits.name).interaction.name == waits.name)
    listed = changes(server, daughter)
    check.same("every change is kept, the newest first", listed[0].what, "voice: allowed")
    check.ok("with who heard it and why", all(one.by == by and one.reason for one in listed), listed)


def facts(server, name):
    """What was known of the customer, once it is attached."""
    def ask():
        told = server.supervision.Explain(pb.ExplainRequest(interaction=name), timeout=CALL_S)
        return told.customer_facts if told.HasField("customer_facts") else None
    return until(f"what is known of the customer of {name}", ask)


def planned(server, name, priority):
    """The interaction, once the rules have given it so many points."""
    def look():
        found = server.interactions.Get(pb.GetInteractionRequest(name=name), timeout=CALL_S)
        return found if found.priority == priority else None
    return until(f"{name} has {priority} points", look)


def authority(server):
    """The skill of those who may decide, and a queue of those who decide on complaints."""
    skill(server, "authority")
    queue(server, "shop-line")
    queue(server, "complaints")
    for name, level in (("bodo", 1), ("clio", 3), ("dorte", 9)):
        agent(server, name, {"authority": level})


def persistent(check, server):
    """Whoever has to come again finds somebody who may decide."""
    folder = Folder()
    (folder / "rules.yaml").write_text(RULES)
    server = Server(server.binary, folder / "data", "--rules", folder / "rules.yaml").up()
    authority(server)
    mother = resolve(server, phone("+14155550102"), "Ruth Levi").customer.name
    promise(server, mother, **upgrade())

    def comes(external_id, channel):
        call = interaction("shop-line", external_id, channel=channel, intent="upgrade",
                           **{"from": phone("+14155550102")})
        return submit(server, call).interaction

    bodo = Desk(server, "bodo")
    bodo.available()
    first = comes("again-1", pb.CHANNEL_VOICE)
    offer, known = bodo.offer(first.name), facts(server, first.name)
    check.same("of the first contact no other is known, but the promise", (known.about_within, known.open_promises),
               (0, 1))
    assignment = bodo.accept(offer).assignment
    record(server, mother, kind=pb.HistoryEntry.NOTE, channel=pb.CHANNEL_VOICE, pinned=True,
           summary="verified by date of birth")
    bodo.complete(assignment, note="no code for the web offer in my tool")

    second = comes("again-2", pb.CHANNEL_CHAT)
    check.same("the second about the same matter is counted", facts(server, second.name).about_within, 1)
    shown = planned(server, second.name, 2)
    check.same("it is more urgent, and waits beside somebody free who may not decide",
               (shown.state, shown.priority), (pb.INTERACTION_STATE_WAITING, 2))
    clio = Desk(server, "clio")
    clio.available()
    offer = clio.offer(second.name)
    check.same("the verification is pinned on top", [one.summary for one in offer.card.pinned],
               ["verified by date of birth"])
    check.same("the card counts the contacts", (offer.card.contacts_about, offer.card.contacts_24h), (1, 1))
    check.ok("and has what the first agent noted", any(
        one.interaction == first.name and "no code for the web offer" in one.text for one in offer.card.history),
        offer.card.history)
    clio.complete(clio.accept(offer).assignment, note="supervisor not there")

    third = comes("again-3", pb.CHANNEL_EMAIL)
    check.same("the third is the third", facts(server, third.name).about_within, 2)
    shown = planned(server, third.name, 4)
    check.same("and goes, more urgent still, to those who decide on complaints", (shown.queue, shown.priority),
               (named("queues", "complaints"), 4))
    dorte = Desk(server, "dorte")
    dorte.available()
    card = dorte.offer(third.name).card
    check.same("their card has both contacts and what may be given instead",
               (card.contacts_about, sum(one.kind == pb.HistoryEntry.CONTACT for one in card.history),
                card.promises[0].alternative), (2, 2, "half the price of any phone"))
    for desk in (bodo, clio, dorte):
        desk.close()
    check.same("the server with rules ends with 0", server.stop(), 0)


def sofa(check, server):
    """A green sofa is found, reserved, sold by mistake, and made good."""
    own = apart(server, "sofas")
    agent(server, "sofabot", pool=own)
    agent(server, "sigrid", pool=own)
    cookie, by = at(pb.Address.COOKIE, "aB-9"), named("agents", "sigrid")
    visitor = resolve(server, cookie).customer.name
    for summary, text in (("clicked the ad: sofas from 399", ""),
                          ("searched: green velvet sofa three seats", "colour green, width 210 cm"),
                          ("looked for a branch", "nearest branch: B, 4 km")):
        record(server, visitor, kind=pb.HistoryEntry.VISIT, channel=pb.CHANNEL_CHAT, summary=summary, text=text)

    chat = recognised(server, interaction("sofas", "sofa-1", channel=pb.CHANNEL_CHAT, **{"from": cookie},
                                          message="is the green sofa in a branch near me?"))
    bot = Desk(server, "sofabot")
    bot.available()
    assignment = bot.accept(bot.offer(chat.name)).assignment
    sigrid = Desk(server, "sigrid")
    sigrid.available()
    server.agents.Transfer(pb.TransferRequest(
        assignment=assignment, target=pb.Target(agent=by),
        transcript="bot: which branch? customer: B, this week"), timeout=CALL_S)
    offer = sigrid.offer(chat.name)
    check.ok("the bot's transcript is on the card of whoever takes over",
             any("which branch?" in said.text for said in offer.card.said), offer.card.said)
    check.ok("and so is what the visitor did under the cookie",
             {"searched: green velvet sofa three seats", "looked for a branch"}
             <= {one.summary for one in offer.card.history}, offer.card.history)
    sigrid.accept(offer)
    held = promise(server, visitor, summary="green sofa held until Saturday at branch B", made_by=by,
                   channel=pb.CHANNEL_CHAT,
                   instructions=[instruction("branch B", "shelf 12; against the loyalty number")])

    account = resolve(server, at(pb.Address.LOYALTY, "4711"), "Noa Katz").customer.name
    record(server, account, kind=pb.HistoryEntry.PURCHASE, summary="a lamp")
    person = link(server, visitor, account)
    check.same("who logs in is one person with the cookie", (person.name, list(person.linked)),
               (account, [visitor]))
    check.same("under either address", resolve(server, cookie).customer.name, account)
    card = look(server, account, "branch B")
    check.same("the branch sees the promise with what to do there", [one.how for one in card.promises],
               ["shelf 12; against the loyalty number"])
    check.ok("and both histories, newest first", card.history[0].summary == "a lamp" and any(
        one.summary.startswith("searched: green") for one in card.history), card.history)

    mobile = made_good(check, server, held.name, account, by)

    parted = unlink(server, visitor)
    check.same("what was joined can be parted again", (parted.name, list(parted.linked)), (visitor, []))
    check.same("then each has what is their own", list(look(server, account, "voice").promises), [])
    check.ok("histories too", all(one.summary != "a lamp" for one in look(server, visitor, "voice").history))
    check.refused("and is not parted twice", lambda: unlink(server, visitor), REFUSED, "NOT_LINKED")
    unlink(server, mobile)
    call = recognised(server, interaction("sofas", "sofa-3", **{"from": phone("+14155550103")}))
    check.same("whoever called while they were linked calls as themselves again", call.customer, mobile)
    bot.leave()
    sigrid.close()


def made_good(check, server, held, account, by):
    """It was sold by mistake: the branch says so, she is called back as she allows it, and has the alternative."""
    blue = "the same in blue at half the price, delivered"
    server.customers.WithdrawPromise(pb.WithdrawPromiseRequest(
        name=held, by="branch B", reason="sold by mistake", alternative=blue), timeout=CALL_S)
    mobile = resolve(server, phone("+14155550103")).customer.name
    link(server, mobile, account)
    consent(server, account, by, pb.CHANNEL_MESSAGE, False)
    call = recognised(server, interaction("sofas", "sofa-2", **{"from": phone("+14155550103")}))
    check.refused("a call-back by text is refused", lambda: call_back(server, call.name, pb.CHANNEL_MESSAGE),
                  REFUSED, "CONSENT_WITHDRAWN", told={"by": by})
    planned_call = call_back(server, call.name, pb.CHANNEL_VOICE).interaction
    check.same("one by voice is planned", planned_call.name, call.name)
    check.same("the card says what happened and what may be given",
               [(one.withdraw_reason, one.alternative) for one in look(server, account, "voice").promises],
               [("sold by mistake", blue)])
    check.refused("as it was made it cannot be redeemed", lambda: redeem(server, held, "branch B", "branch B"),
                  REFUSED, "PROMISE_WITHDRAWN", told={"reason": "sold by mistake", "alternative": blue})
    given = server.customers.RedeemPromise(pb.RedeemPromiseRequest(
        name=held, by=by, place="voice", alternative=True), timeout=CALL_S)
    check.ok("the alternative can", given.redeemed_alternative and given.HasField("redeem_time"), given)
    return mobile


STORIES = [("the free upgrade", honoured), ("nobody has to be persistent", persistent), ("the green sofa", sofa)]

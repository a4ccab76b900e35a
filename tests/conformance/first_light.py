"""First light: a call from the socket to the agent's screen, and the same customer again on another channel."""

import threading

from kit.centre import agent, interaction, queue, requirement, skill, submit
from kit.desk import Desk, named, phone, seconds
from kit.stubs import pb

CALLER = "+1 555 000-1"
FALLBACK = "sip:voicemail@pbx-1"


def floor(server):
    skill(server, "es")
    skill(server, "billing-code")
    queue(server, "billing", requirements=[requirement("billing-code", 1)])
    agent(server, "ana", {"es": 3, "billing-code": 5}, display_name="Ana")
    agent(server, "bo", {"billing-code": 2}, display_name="Bo")


def switch_submits(server, answers):
    """What a telephone switch does: it submits and keeps the call open for the route."""
    call = interaction("billing", "call-0817", requirements=[requirement("es", 2)], intent="card-lost",
                       language="es-MX", message="perdí mi tarjeta", attributes={"ivr": "2", "node": "7"},
                       **{"from": phone(CALLER)})
    answers.append(submit(server, call, max_wait=seconds(60), fallback=FALLBACK))


def tell(check, server):
    floor(server)
    ana, bo = Desk(server, "ana"), Desk(server, "bo")
    check.ok("a session names its lease", ana.next("opened").lease.seconds > 0)
    check.same("a snapshot shows an agent who is signed out", ana.snapshot.status.presence,
               pb.PRESENCE_SIGNED_OUT)
    check.same("an agent who says so is available", ana.available().presence, pb.PRESENCE_AVAILABLE)
    bo.available()

    answers = []
    switch = threading.Thread(target=switch_submits, args=(server, answers), daemon=True)
    switch.start()
    offer = ana.next("offer")
    check.same("the offer is for the call that was submitted", offer.interaction.external_id, "call-0817")
    offer = ana.offer(offer.interaction.name)
    check.ok("the offer's card is complete, at once or soon after", not offer.card.partial)
    call, card = offer.interaction.name, offer.card
    check.same("the card shows the caller's number in E.164", [one.value for one in card.customer.addresses],
               ["+15550001"])
    check.same("the card's customer is the interaction's", card.customer.name, offer.interaction.customer)
    check.same("a first contact has no history", len(card.history), 0)
    check.same("the card shows what the customer said", card.message, "perdí mi tarjeta")
    check.same("the card shows what the source knows", dict(card.attributes), {"ivr": "2", "node": "7"})
    check.ok("the card says why this agent", "es" in card.why, card.why)
    check.same("the agent without the skill gets no offer", bo.all("offer"), [])
    check.ok("the switch is still waiting for its route", not answers)

    accepted = ana.accept(offer)
    switch.join(60)
    check.ok("the accept gives the switch its route", answers)
    route = answers[0]
    check.same("the route names the agent", route.interaction.agent, named("agents", "ana"))
    check.same("the route says that the call is handled", route.interaction.state,
               pb.INTERACTION_STATE_HANDLING)
    check.same("the route repeats the fallback", route.fallback, FALLBACK)
    check.ok("a first submit repeats nothing", not route.repeated)
    check.same("the accept names the call", accepted.interaction, call)
    check.same("the same accept again gets the same answer", ana.accept(offer).assignment, accepted.assignment)
    ended = ana.next("offer_ended", lambda one: one.offer == offer.name)
    check.same("the stream says how the offer ended", ended.ending, pb.OfferEnded.ACCEPTED)
    check.ok("the stream shows the assignment", ana.sees(
        "assignment", lambda one: (one.name, one.state) == (accepted.assignment, pb.Assignment.TALKING)))

    ana.complete(accepted.assignment, "new-card", "new card sent; call back if it is not there on Friday")
    over = server.interactions.Get(pb.GetInteractionRequest(name=call))
    check.same("a completed call is closed", over.state, pb.INTERACTION_STATE_CLOSED)
    check.same("it keeps its disposition", over.disposition, "new-card")
    check.ok("it has its times in order", times(over.enter_time) <= times(over.answer_time)
             <= times(over.close_time))
    comes_back(check, server, bo, ana, call, card.customer.name)
    ana.leave()
    bo.leave()


def comes_back(check, server, bo, ana, call, customer):
    """The same number on chat and then on messaging: whoever gets it sees what happened before."""
    ana.presence(pb.PRESENCE_ON_BREAK, "lunch")
    chat = submit(server, interaction("billing", "chat-1", source="widget", channel=pb.CHANNEL_CHAT,
                                      message="hi", **{"from": phone("+1.555.0001")}))
    check.same("the next contact on chat is the same customer", chat.interaction.customer, customer)
    card = bo.offer(chat.interaction.name).card
    first = card.history[0]
    check.same("its card shows one earlier contact", len(card.history), 1)
    check.same("it is the call", first.interaction, call)
    check.same("a contact", first.kind, pb.HistoryEntry.CONTACT)
    check.same("with its channel", first.channel, pb.CHANNEL_VOICE)
    check.same("with its agent", first.agent, named("agents", "ana"))
    check.same("with its queue and intent", (first.queue, first.intent),
               (named("queues", "billing"), "card-lost"))
    check.same("with its disposition", first.disposition, "new-card")
    check.ok("with the agent's note", "call back if it is not there on Friday" in first.text, first.text)
    check.same("as served", first.outcome, pb.CONTACT_OUTCOME_SERVED)
    check.ok("with the wait it had", first.HasField("wait_time"))
    check.same("the card counts one contact of today", (card.contacts_24h, card.contacts_7d), (1, 1))
    check.ok("the card says why this agent", card.why)
    bo.serve(chat.interaction.name, "told", "the card is on its way")

    message = submit(server, interaction("billing", "m-1", source="whatsapp", channel=pb.CHANNEL_MESSAGE,
                                         **{"from": phone("+15550001")}))
    card = bo.offer(message.interaction.name).card
    check.same("the third contact sees both, newest first",
               [(one.interaction, one.channel, one.agent, one.disposition) for one in card.history],
               [(chat.interaction.name, pb.CHANNEL_CHAT, named("agents", "bo"), "told"),
                (call, pb.CHANNEL_VOICE, named("agents", "ana"), "new-card")])
    bo.serve(message.interaction.name)


def times(timestamp):
    return timestamp.ToNanoseconds()


STORIES = [("one call from the socket to the screen, and the customer comes back on other channels", tell)]

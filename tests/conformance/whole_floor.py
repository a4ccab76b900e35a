"""Handing on, putting aside, coming back: what a floor does with a conversation, and with lost connections."""

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from kit.centre import agent, apart, interaction, queue, submit
from kit.checks import until
from kit.desk import Desk, named, phone, seconds
from kit.server import CALL_S
from kit.stubs import pb


def get(server, name):
    return server.interactions.Get(pb.GetInteractionRequest(name=name), timeout=CALL_S)


def state(server, name, wanted):
    """The interaction, once it is in that state."""
    def look():
        found = get(server, name)
        return found if found.state == wanted else None
    return until(f"{name} is {pb.InteractionState.Name(wanted)}", look)


def desk(server, own, name, **fields):
    agent(server, name, pool=own, **fields)
    there = Desk(server, name)
    there.available()
    return there


def transfers(check, server):
    own = apart(server, "hand-on")
    first = desk(server, own, "tina")
    name = submit(server, interaction("hand-on", "floor-h-1", channel=pb.CHANNEL_CHAT)).interaction.name
    entered = get(server, name).enter_time
    owned = first.accept(first.offer(name)).assignment
    second = desk(server, own, "theo")
    server.agents.Consult(pb.ConsultRequest(
        assignment=owned, target=pb.Target(agent=named("agents", "theo"))), timeout=CALL_S)
    advice = second.accept(second.offer(name)).assignment
    shown = get(server, name)
    check.same("a consult moves no ownership", shown.agent, named("agents", "tina"))
    server.agents.Transfer(pb.TransferRequest(
        assignment=owned, target=pb.Target(assignment=advice)), timeout=CALL_S)
    check.same("the consulted agent takes the customer over", get(server, name).agent, named("agents", "theo"))
    check.refused("the first agent's part has ended", lambda: first.complete(owned),
                  grpc.StatusCode.FAILED_PRECONDITION, "ASSIGNMENT_ENDED")
    second.complete(advice, "solved")
    closed = state(server, name, pb.INTERACTION_STATE_CLOSED)
    check.same("over a transfer the time of entry stays", closed.enter_time, entered)

    name = submit(server, interaction("hand-on", "floor-h-2", channel=pb.CHANNEL_CHAT)).interaction.name
    asked = until("somebody is asked", lambda: next(
        (one for one in (first, second) if any(offer.interaction.name == name for offer in one.offers())), None))
    other = second if asked is first else first
    owned = asked.accept(asked.offer(name)).assignment
    server.agents.Transfer(pb.TransferRequest(
        assignment=owned, target=pb.Target(agent=other.agent), handover=pb.HANDOVER_WARM), timeout=CALL_S)
    offered = other.offer(name)
    check.same("in a warm transfer the first agent stays until the second accepts", get(server, name).agent, asked.agent)
    taken = other.accept(offered).assignment
    check.same("then the second has the customer", get(server, name).agent, other.agent)
    other.complete(taken)
    first.leave()
    second.leave()


def callback(check, server):
    own = apart(server, "call-back")
    name = submit(server, interaction("call-back", "floor-b-1")).interaction.name
    entered = get(server, name).enter_time
    later = Timestamp()
    later.FromSeconds(entered.seconds + 3600)
    answer = server.interactions.RequestCallback(
        pb.RequestCallbackRequest(name=name, until_time=later), timeout=CALL_S)
    check.same("whoever wants to be called back keeps the place", answer.interaction.enter_time, entered)
    server.interactions.Cancel(pb.CancelRequest(name=name, cause=pb.CancelRequest.CUSTOMER_LEFT), timeout=CALL_S)
    check.same("hanging up takes no promise back", get(server, name).state, pb.INTERACTION_STATE_WAITING)
    caller = desk(server, own, "carla")
    taken = caller.accept(caller.offer(name)).assignment
    server.interactions.ConnectFailed(pb.ConnectFailedRequest(
        name=name, cause=pb.ConnectFailedRequest.CUSTOMER_NO_ANSWER), timeout=CALL_S)
    check.same("a call nobody answers is tried again later", get(server, name).state,
               pb.INTERACTION_STATE_SCHEDULED)
    check.refused("that attempt is over", lambda: caller.complete(taken),
                  grpc.StatusCode.FAILED_PRECONDITION, "ASSIGNMENT_ENDED")
    server.interactions.Cancel(pb.CancelRequest(name=name, cause=pb.CancelRequest.WITHDRAWN), timeout=CALL_S)
    check.same("a withdrawn promise is cancelled", get(server, name).state, pb.INTERACTION_STATE_CANCELLED)
    caller.leave()


def parked(check, server):
    own = apart(server, "inbox")
    mine = desk(server, own, "mia")
    name = submit(server, interaction("inbox", "floor-m-1", channel=pb.CHANNEL_MESSAGE, message="Hello")).interaction.name
    taken = mine.accept(mine.offer(name)).assignment
    status = server.agents.Park(pb.ParkRequest(assignment=taken), timeout=CALL_S)
    check.same("parked work holds nobody", status.routing_state, pb.ROUTING_STATE_IDLE)
    check.same("and waits for the customer", get(server, name).state, pb.INTERACTION_STATE_PARKED)
    other = desk(server, own, "max")
    before = len(mine.offers())
    server.interactions.Update(pb.UpdateInteractionRequest(name=name, message="Are you there?"), timeout=CALL_S)
    until("the same agent is asked again", lambda: len(mine.offers()) > before)
    check.ok("nobody else is asked", not any(one.interaction.name == name for one in other.offers()))
    again = mine.accept(mine.offer(name)).assignment
    mine.complete(again)
    state(server, name, pb.INTERACTION_STATE_CLOSED)
    mine.leave()
    other.leave()


def bot(check, server):
    own = apart(server, "front-door")
    queue(server, "people", pool=own)
    machine = desk(server, own, "botty", bot=True)
    name = submit(server, interaction(
        "front-door", "floor-t-1", channel=pb.CHANNEL_CHAT, message="My card is stolen",
        **{"from": phone("+34 600 11 22 33")})).interaction.name
    taken = machine.accept(machine.offer(name)).assignment
    server.agents.Transfer(pb.TransferRequest(
        assignment=taken, target=pb.Target(queue=named("queues", "people")),
        transcript="Customer: my card is stolen. Bot: I blocked it."), timeout=CALL_S)
    machine.leave()
    person = desk(server, own, "petra")
    card = person.offer(name).card
    told = " ".join(str(entry) for entry in card.said)
    check.ok("the next agent's card has what the bot was told", "I blocked it" in told, told)
    person.serve(name)
    person.leave()


def lost(check, server):
    own = apart(server, "lost-line")
    first = desk(server, own, "lena")
    name = submit(server, interaction("lost-line", "floor-l-1", channel=pb.CHANNEL_CHAT)).interaction.name
    first.offer(name)
    session = first.session
    first.close()
    waiting = state(server, name, pb.INTERACTION_STATE_WAITING)
    check.same("an agent lost while ringing is not blamed, the customer keeps the place", waiting.requeues, 1)
    first = Desk(server, "lena", session)
    check.ok("the session is resumed", first.next("opened").resumed)
    taken = first.accept(first.offer(name)).assignment
    first.close()
    first = Desk(server, "lena", session)
    check.same("a conversation outlives a lost connection", [one.name for one in first.snapshot.assignments], [taken])
    server.agents.Park(pb.ParkRequest(assignment=taken), timeout=CALL_S)
    first.close()
    check.same("so does parked work", get(server, name).state, pb.INTERACTION_STATE_PARKED)
    first = Desk(server, "lena", session)
    pulled = server.agents.Pull(
        pb.PullRequest(agent=first.agent, interaction=name), timeout=CALL_S).assignment
    first.complete(pulled)
    state(server, name, pb.INTERACTION_STATE_CLOSED)
    first.leave()


def supervised(check, server):
    own = apart(server, "watched")
    name = submit(server, interaction("watched", "floor-w-1", channel=pb.CHANNEL_CHAT)).interaction.name
    there = desk(server, own, "wanda")
    there.offer(name)
    other = desk(server, own, "walt")
    server.supervision.Assign(pb.AssignRequest(interaction=name, agent=other.agent), timeout=CALL_S)
    check.ok("a supervisor gives it to somebody else", other.offer(name).interaction.name == name)
    other.serve(name)
    report = server.supervision.Report(pb.ReportRequest(
        parent="tenants/default", **{"from": Timestamp(seconds=1_600_000_000)},
        to=Timestamp(seconds=10_000_000_000), by_queue=True), timeout=CALL_S)
    row = next(row for row in report.rows if row.queue == named("queues", "watched"))
    check.same("the report counts it once", (row.entered, row.answered, row.abandoned), (1, 1, 0))
    there.leave()
    other.leave()


STORIES = [
    ("a conversation is handed on, with advice and warm", transfers),
    ("a customer is called back", callback),
    ("a message waits for its customer, and comes back to the same agent", parked),
    ("a bot hands off with its transcript", bot),
    ("connections are lost in every state", lost),
    ("a supervisor takes it up, and asks for figures", supervised),
]

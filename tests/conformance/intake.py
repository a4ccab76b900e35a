"""Intake: submitted once, waited for, watched, taken back, listed; and what is refused."""

import threading

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from kit.centre import apart, agent, interaction, requirement, submit
from kit.desk import Desk, named, phone, seconds
from kit.server import CALL_S, TENANT
from kit.stubs import pb

FALLBACK = "sip:overflow@pbx-1"
INVALID = grpc.StatusCode.INVALID_ARGUMENT


def get(server, name):
    return server.interactions.Get(pb.GetInteractionRequest(name=name), timeout=CALL_S)


def cancel(server, name, cause=pb.CancelRequest.CUSTOMER_LEFT):
    return server.interactions.Cancel(pb.CancelRequest(name=name, cause=cause), timeout=CALL_S)


def wait(server, name, length, fallback=""):
    request = pb.WaitRequest(name=name, max_wait=seconds(length), fallback=fallback)
    return server.interactions.Wait(request, timeout=CALL_S)


def repeats(check, server):
    apart(server, "repeats")
    call = interaction("repeats", "r-1", attributes={"b": "2", "a": "1"}, **{"from": phone("+15551000")})
    first = submit(server, call, fallback=FALLBACK)
    again = submit(server, call, fallback=FALLBACK)
    check.same("a repeated submit gets the same interaction", again.interaction.name, first.interaction.name)
    check.ok("and says that it repeats", again.repeated and not first.repeated)
    check.same("every answer repeats the fallback", (first.fallback, again.fallback), (FALLBACK, FALLBACK))
    call.priority = 3
    check.refused("other content under the same id is refused, with the fallback",
                  lambda: submit(server, call, fallback=FALLBACK), grpc.StatusCode.ALREADY_EXISTS,
                  "REQUEST_ID_REUSED", fallback=FALLBACK)
    other = submit(server, interaction("repeats", "r-1", source="pbx-2"))
    check.ok("the same id of another source is another interaction",
             other.interaction.name != first.interaction.name and not other.repeated)
    bare = interaction("repeats", "")
    by_request = submit(server, bare, request_id="q-1")
    check.ok("a request id makes a retry safe too",
             submit(server, bare, request_id="q-1").interaction.name == by_request.interaction.name)
    bare.intent = "other"
    check.refused("other content under the same request id is refused",
                  lambda: submit(server, bare, request_id="q-1"), grpc.StatusCode.ALREADY_EXISTS,
                  "REQUEST_ID_REUSED")
    cancel(server, first.interaction.name)
    call.priority = 0
    closed = submit(server, call)
    check.ok("a repeat finds the interaction also when it is over",
             closed.repeated and closed.interaction.state == pb.INTERACTION_STATE_ABANDONED, closed)


def waits(check, server):
    own = apart(server, "waits")
    agent(server, "wes", pool=own)
    first = submit(server, interaction("waits", "w-1"), max_wait=seconds(0.2), fallback=FALLBACK)
    check.same("a submit whose wait runs out says that it waits", first.interaction.state,
               pb.INTERACTION_STATE_WAITING)
    check.same("with nobody there it says that nobody qualifies", first.interaction.wait_reason,
               pb.WAIT_REASON_NO_AGENT_QUALIFIES)
    second = submit(server, interaction("waits", "w-2"))
    check.same("places are counted from 1",
               (get(server, first.interaction.name).estimate.position, second.interaction.estimate.position),
               (1, 2))
    wes = Desk(server, "wes")
    wes.available()
    wes.offer(first.interaction.name)
    ran_out = wait(server, second.interaction.name, 0.3, FALLBACK)
    check.same("a wait that runs out answers WAITING", ran_out.interaction.state, pb.INTERACTION_STATE_WAITING)
    check.same("with the reason", ran_out.interaction.wait_reason, pb.WAIT_REASON_ALL_AGENTS_BUSY)
    check.same("with the position", ran_out.interaction.estimate.position, 1)
    check.ok("with an estimate of the wait", ran_out.interaction.estimate.HasField("wait"))
    check.same("with the fallback", ran_out.fallback, FALLBACK)
    offered = wait(server, first.interaction.name, 0.2)
    check.same("a wait for an offer nobody has answered says OFFERED", offered.interaction.state,
               pb.INTERACTION_STATE_OFFERED)
    answers = []
    waiting = threading.Thread(daemon=True, target=lambda: answers.append(
        wait(server, second.interaction.name, 50, FALLBACK)))
    waiting.start()
    wes.serve(first.interaction.name)
    wes.accept(wes.offer(second.interaction.name))
    waiting.join(CALL_S)
    check.ok("a wait is answered by the accept",
             answers and answers[0].interaction.state == pb.INTERACTION_STATE_HANDLING
             and answers[0].interaction.agent == named("agents", "wes"), answers)
    check.refused("a wait for what does not exist repeats the fallback",
                  lambda: wait(server, named("interactions", 999999), 1, FALLBACK),
                  grpc.StatusCode.NOT_FOUND, "INTERACTION_NOT_FOUND", fallback=FALLBACK)
    wes.leave()


def withheld(check, server):
    """A caller who withholds the number is still a caller."""
    own = apart(server, "withheld")
    agent(server, "wim", pool=own)
    wim = Desk(server, "wim")
    wim.available()
    call = submit(server, interaction("withheld", "a-1", message="hello", **{"from": phone("anonymous")}))
    check.same("a number that is none is admitted, its customer unknown", call.interaction.customer, "")
    card = wim.offer(call.interaction.name).card
    check.ok("its card shows no customer, and is whole", not card.HasField("customer") and not card.partial)
    check.same("and what was said", card.message, "hello")
    wim.serve(call.interaction.name)
    wim.leave()


def watches(check, server):
    own = apart(server, "watches", wrap_up=pb.Queue.TIMED, wrap_up_time=seconds(600))
    agent(server, "ines", pool=own)
    name = submit(server, interaction("watches", "v-1")).interaction.name
    seen = []
    stream = server.interactions.Watch(pb.WatchInteractionRequest(name=name), timeout=CALL_S)
    first = next(stream)
    seen.append(first.interaction.state)
    ines = Desk(server, "ines")
    ines.available()
    assignment = ines.serve(name, "done")
    finish = pb.FinishWrapUpRequest(assignment=assignment)
    wrapped = ines.next("assignment", lambda one: one.state == pb.Assignment.WRAP_UP)
    check.ok("wrap-up says when it ends by itself", wrapped.HasField("wrap_up_end_time"))
    status = server.agents.FinishWrapUp(finish, timeout=CALL_S)
    check.same("who finishes wrap-up is idle", status.routing_state, pb.ROUTING_STATE_IDLE)
    check.refused("wrap-up ends once", lambda: server.agents.FinishWrapUp(finish, timeout=CALL_S),
                  grpc.StatusCode.FAILED_PRECONDITION)
    cursors = [first.cursor.sequence]
    for message in stream:
        seen.append(message.interaction.state)
        cursors.append(message.cursor.sequence)
    ordered = list(dict.fromkeys(seen))
    check.same("a watch shows the states of a life in order and ends with it", ordered,
               [pb.INTERACTION_STATE_WAITING, pb.INTERACTION_STATE_OFFERED, pb.INTERACTION_STATE_HANDLING,
                pb.INTERACTION_STATE_WRAPPING_UP, pb.INTERACTION_STATE_CLOSED])
    check.ok("its cursors never run back", cursors == sorted(cursors), cursors)
    over = list(server.interactions.Watch(pb.WatchInteractionRequest(name=name), timeout=CALL_S))
    check.same("a watch of what is over shows it once and ends", [one.interaction.state for one in over],
               [pb.INTERACTION_STATE_CLOSED])
    ines.leave()


def cancels(check, server):
    own = apart(server, "cancels")
    agent(server, "cleo", pool=own)
    left = submit(server, interaction("cancels", "c-1")).interaction.name
    check.same("a customer who leaves has abandoned", cancel(server, left).state,
               pb.INTERACTION_STATE_ABANDONED)
    taken = submit(server, interaction("cancels", "c-2")).interaction.name
    withdrawn = cancel(server, taken, pb.CancelRequest.WITHDRAWN)
    check.same("one taken back is cancelled", withdrawn.state, pb.INTERACTION_STATE_CANCELLED)
    again = cancel(server, taken)
    check.same("cancelling what is over changes nothing", again.state, pb.INTERACTION_STATE_CANCELLED)
    cleo = Desk(server, "cleo")
    cleo.available()
    ringing = submit(server, interaction("cancels", "c-3")).interaction.name
    offer = cleo.offer(ringing)
    cancel(server, ringing)
    ended = cleo.next("offer_ended", lambda one: one.offer == offer.name)
    check.same("a customer who leaves while offered rescinds the offer", (ended.ending, ended.cause),
               (pb.OfferEnded.RESCINDED, pb.OfferEnded.CUSTOMER_LEFT))
    check.refused("a rescinded offer cannot be accepted", lambda: cleo.accept(offer),
                  grpc.StatusCode.FAILED_PRECONDITION, "OFFER_RESCINDED")
    talking = submit(server, interaction("cancels", "c-4")).interaction.name
    assignment = cleo.accept(cleo.offer(talking)).assignment
    cancel(server, talking)
    ended = cleo.next("assignment", lambda one: one.name == assignment and one.state == pb.Assignment.ENDED)
    check.same("a customer who hangs up ends the conversation", ended.ended_by, pb.Assignment.CUSTOMER)
    check.same("which was answered and is closed", get(server, talking).state, pb.INTERACTION_STATE_CLOSED)
    check.refused("a cause that does not exist is refused by name", lambda: cancel(server, talking, 9),
                  INVALID, field="cause")
    cleo.leave()


def lists_and_sessions(check, server):
    apart(server, "open")
    names = [submit(server, interaction("open", f"o-{number}", source="lister", priority=number % 3))
             .interaction.name for number in range(7)]
    cancel(server, names[3])
    del names[3]
    found, token, pages = [], "", 0
    while True:
        request = pb.ListOpenRequest(parent=TENANT, source="lister", page_size=4, page_token=token)
        page = server.interactions.ListOpen(request, timeout=CALL_S)
        found += [one.name for one in page.interactions]
        token, pages = page.next_page_token, pages + 1
        if not token:
            break
    check.same("a source's open interactions come oldest first, page by page", (found, pages), (names, 2))
    nothing = server.interactions.ListOpen(pb.ListOpenRequest(parent=TENANT, source="nobody"))
    check.same("a source that never submitted has nothing open", len(nothing.interactions), 0)
    check.refused("a page token that was never given is refused",
                  lambda: server.interactions.ListOpen(pb.ListOpenRequest(parent=TENANT, source="lister",
                                                                          page_token="x")),
                  INVALID, field="page_token")
    beat = pb.SourceHeartbeatRequest(parent=TENANT, source="lister")
    first, second = (server.interactions.Heartbeat(beat, timeout=CALL_S) for _ in range(2))
    check.same("a source's first heartbeat opens its session, the next renews it",
               (first.opened, second.opened), (True, False))
    check.ok("and tells the lease", first.lease.seconds > 0)


def refuses(check, server):
    apart(server, "strict", waiting_max=1)

    def wrong(sentence, field, code=INVALID, reason=None, request_id="", **fields):
        # An id of its own, so that one that is wrongly admitted does not fail those after it.
        given = {"queue_name": "strict", "external_id": f"x-{sentence}", **fields}
        check.refused(sentence, lambda: submit(server, interaction(**given), fallback=FALLBACK,
                                               request_id=request_id), code, reason, field, FALLBACK)

    missing = grpc.StatusCode.NOT_FOUND
    wrong("a queue that does not exist", "interaction.queue", missing, "QUEUE_NOT_FOUND", queue_name="none")
    wrong("an empty id", "interaction.external_id", external_id="")
    wrong("an empty source", "interaction.source", source="")
    wrong("no channel", "interaction.channel", channel=pb.CHANNEL_UNSPECIFIED)
    wrong("a channel that does not exist", "interaction.channel", channel=99)
    wrong("a skill that does not exist", "interaction.requirements", missing, "SKILL_NOT_FOUND",
          requirements=[requirement("none", 1)])
    wrong("proficiency 11", "interaction.requirements.proficiency", requirements=[requirement("es", 11)])
    wrong("priority 11", "interaction.priority", priority=11)
    wrong("an attribute of 1 MB", "interaction.attributes[k]", attributes={"k": "x" * 1_000_000})
    wrong("33 attributes", "interaction.attributes", attributes={str(n): "" for n in range(33)})
    wrong("a message that is too long", "interaction.message", message="x" * 4_097)
    wrong("an id that is too long", "interaction.external_id", external_id="x" * 129)
    withheld = submit(server, interaction("strict", "withheld", **{"from": phone("anonymous")})).interaction
    check.ok("a caller who withholds the number is admitted, unknown", withheld.name and not withheld.customer,
             withheld)
    server.interactions.Cancel(pb.CancelRequest(name=withheld.name))
    wrong("an address of 321 characters", "interaction.from.value", **{"from": phone("+" + "1" * 320)})
    wrong("a kind of address that does not exist", "interaction.from.kind",
          **{"from": pb.Address(kind=9, value="x")})
    wrong("a due time in the past", "interaction.due_time", due_time=Timestamp(seconds=1_000_000))
    wrong("a due time in two years", "interaction.due_time", due_time=far())
    wrong("an output field filled in", "interaction.agent", agent=named("agents", "ana"))
    check.refused("a wait of 601 s", lambda: submit(server, interaction("strict", "x-1"), max_wait=seconds(601),
                                                    fallback=FALLBACK), INVALID, None, "max_wait", FALLBACK)
    check.refused("a submit without an interaction",
                  lambda: server.interactions.Submit(pb.SubmitRequest(parent=TENANT, fallback=FALLBACK)),
                  INVALID, None, "interaction", FALLBACK)
    check.refused("a tenant that does not exist",
                  lambda: server.interactions.Submit(pb.SubmitRequest(
                      parent="tenants/none", interaction=interaction("strict", "x-1"), fallback=FALLBACK)),
                  missing, None, "parent", FALLBACK)
    submit(server, interaction("strict", "x-2"))
    wrong("one more than the queue's maximum", None, grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL")
    check.ok("a submit that was full is safe to repeat", submit(server, interaction("strict", "x-2")).repeated)


def far():
    moment = Timestamp()
    moment.GetCurrentTime()
    moment.seconds += 2 * 366 * 24 * 3600
    return moment


STORIES = [("a submit repeated", repeats), ("waiting for a route", waits), ("a withheld number", withheld),
           ("watching a life", watches),
           ("cancelling", cancels), ("what a source has open, and its session", lists_and_sessions),
           ("what intake refuses, each naming the field", refuses)]

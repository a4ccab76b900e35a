"""Offers and agents: declined, expired, taken over, resumed, on break."""

import grpc

from kit.centre import agent, apart, interaction, submit
from kit.checks import details, until
from kit.desk import Desk, named, seconds
from kit.server import CALL_S
from kit.stubs import pb


def get(server, name):
    return server.interactions.Get(pb.GetInteractionRequest(name=name), timeout=CALL_S)


def declines(check, server):
    own = apart(server, "declines")
    agent(server, "dan", pool=own)
    agent(server, "dora", pool=own)
    dan, dora = Desk(server, "dan"), Desk(server, "dora")
    dan.available()
    name = submit(server, interaction("declines", "d-1")).interaction.name
    offer = dan.offer(name)
    entered = get(server, name).enter_time
    dora.available()
    status = dan.decline(offer, "wrong-language")
    check.same("who declines stays available", (status.presence, status.routing_state),
               (pb.PRESENCE_AVAILABLE, pb.ROUTING_STATE_IDLE))
    second = dora.offer(name)
    check.ok("the other agent gets the offer", second.name != offer.name)
    check.refused("a declined offer cannot be accepted", lambda: dan.accept(offer),
                  grpc.StatusCode.FAILED_PRECONDITION, "OFFER_DECLINED")
    dora.decline(second)
    shown = until("both have declined", lambda: waiting(server, name))
    check.same("when everybody free has declined it waits for the cool-down", shown.wait_reason,
               pb.WAIT_REASON_COOLING_DOWN)
    check.same("it went back twice and kept its time of entry", (shown.requeues, shown.enter_time), (2, entered))
    check.refused("an offer that never was", lambda: server.agents.Accept(
        pb.AcceptRequest(offer=named("offers", 999999))), grpc.StatusCode.NOT_FOUND, "OFFER_NOT_FOUND")
    dan.leave()
    dora.leave()


def waiting(server, name):
    found = get(server, name)
    return found if found.state == pb.INTERACTION_STATE_WAITING else None


def expires(check, server):
    own = apart(server, "expires", offer_expiry=seconds(1))
    agent(server, "eva", pool=own)
    eva = Desk(server, "eva")
    eva.available()
    name = submit(server, interaction("expires", "e-1")).interaction.name
    offer = eva.offer(name)
    check.same("an offer is open as long as its queue says",
               offer.expire_time.ToMilliseconds() - offer.open_time.ToMilliseconds(), 1000)
    ended = eva.next("offer_ended", lambda one: one.offer == offer.name)
    check.same("an offer nobody answers expires", ended.ending, pb.OfferEnded.EXPIRED)
    check.refused("an expired offer cannot be accepted", lambda: eva.accept(offer),
                  grpc.StatusCode.FAILED_PRECONDITION, "OFFER_EXPIRED")
    eva.next("status", lambda status: status.routing_state == pb.ROUTING_STATE_NOT_RESPONDING)
    check.ok("who let it expire is not responding", True)
    check.same("the customer waits again", get(server, name).state, pb.INTERACTION_STATE_WAITING)
    eva.available()
    again = eva.next("offer", lambda one: one.interaction.name == name and one.name != offer.name)
    check.same("who comes back is offered it again", eva.accept(again).interaction, name)
    eva.leave()


def takes_over(check, server):
    own = apart(server, "sessions")
    agent(server, "tom", pool=own)
    first = Desk(server, "tom")
    first.available()
    name = submit(server, interaction("sessions", "s-1")).interaction.name
    assignment = first.accept(first.offer(name)).assignment
    second = Desk(server, "tom")
    first.reader.join(CALL_S)
    end = details(first.error) if first.error else {}
    check.same("a second stream takes over, the first is told",
               (end.get("code"), end.get("reason")), (grpc.StatusCode.ABORTED, "SESSION_TAKEN_OVER"))
    check.same("the second sees the work in hand", [one.name for one in second.snapshot.assignments],
               [assignment])
    check.refused("the first one's session is gone", first.heartbeat, grpc.StatusCode.NOT_FOUND,
                  "SESSION_NOT_FOUND")
    check.ok("the second one's is renewed", second.heartbeat().lease.seconds > 0)
    session = second.session
    second.close()
    third = Desk(server, "tom", session)
    check.same("a broken stream resumes its session",
               (third.session, third.next("opened").resumed), (session, True))
    check.same("with the work in hand", [one.name for one in third.snapshot.assignments], [assignment])
    status = third.presence(pb.PRESENCE_ON_BREAK, "lunch")
    check.ok("a break while work is in hand waits for its end", status.draining, status)
    status = third.complete(assignment)
    check.same("and begins with it", (status.presence, status.draining, status.break_reason),
               (pb.PRESENCE_ON_BREAK, False, "lunch"))
    check.refused("a conversation ends once", lambda: third.complete(assignment),
                  grpc.StatusCode.FAILED_PRECONDITION, "ASSIGNMENT_ENDED")
    other = submit(server, interaction("sessions", "s-2")).interaction
    check.same("an agent on break gets nothing", other.state, pb.INTERACTION_STATE_WAITING)
    third.leave()


def capacity(check, server):
    own = apart(server, "chats")
    agent(server, "cara", pool=own, open_offers_max=10)
    cara = Desk(server, "cara")
    cara.available()
    names = [submit(server, interaction("chats", f"h-{number}", channel=pb.CHANNEL_CHAT)).interaction.name
             for number in range(5)]
    offers = [cara.offer(name) for name in names[:4]]
    check.same("four chats fill an agent", get(server, names[4]).wait_reason, pb.WAIT_REASON_ALL_AGENTS_BUSY)
    assignments = [cara.accept(offer).assignment for offer in offers]
    status = cara.complete(assignments[0])
    cara.offer(names[4])
    check.ok("the fifth is offered when one ends", status.capacity == 100, status)
    cara.leave()


def refuses(check, server):
    def presence(agent_name, value):
        return server.agents.SetPresence(pb.SetPresenceRequest(agent=agent_name, presence=value))

    missing, invalid = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT
    check.refused("a stream for an agent who does not exist",
                  lambda: next(server.agents.Work(pb.WorkRequest(agent=named("agents", "none")))),
                  missing, "AGENT_NOT_FOUND")
    check.refused("a presence of nobody", lambda: presence(named("agents", "none"), pb.PRESENCE_AVAILABLE),
                  missing, "AGENT_NOT_FOUND")
    check.refused("no presence", lambda: presence(named("agents", "cara"), 0), invalid, field="presence")
    check.refused("a name that is none", lambda: presence("cara", pb.PRESENCE_AVAILABLE), invalid, field="agent")
    agent(server, "nora")
    check.refused("availability of one who never opened a session",
                  lambda: presence(named("agents", "nora"), pb.PRESENCE_AVAILABLE),
                  grpc.StatusCode.FAILED_PRECONDITION, "NO_SESSION")
    check.refused("a heartbeat without a session", lambda: server.agents.Heartbeat(pb.HeartbeatRequest()),
                  invalid, field="session")
    check.refused("an assignment that never was", lambda: server.agents.Complete(
        pb.CompleteRequest(assignment=named("assignments", 999999))), missing, "ASSIGNMENT_NOT_FOUND")


STORIES = [("declining", declines), ("letting an offer expire", expires), ("sessions and breaks", takes_over),
           ("capacity", capacity), ("what the desk refuses", refuses)]

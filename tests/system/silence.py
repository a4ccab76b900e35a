"""Who falls silent is gone: an agent whose session is not renewed rings no more, and a source that is lost takes its
live customers along, after their grace.

Usage: silence.py --server PATH-OF-BATON. Waits for real leases, so it takes half a minute.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "conformance"))

import grpc

from kit.centre import agent, interaction, queue, submit
from kit.checks import Checks, until
from kit.desk import Desk, seconds
from kit.server import CALL_S, TENANT, Folder, Server, binary
from kit.stubs import pb


def get(server, name):
    return server.interactions.Get(pb.GetInteractionRequest(name=name), timeout=CALL_S)


def beat(server, source):
    request = pb.SourceHeartbeatRequest(parent=TENANT, source=source)
    return server.interactions.Heartbeat(request, timeout=CALL_S)


def tell(check, program):
    server = Server(program, Folder() / "data").up()
    queue(server, "rings", offer_expiry=seconds(600))
    queue(server, "waits", pool=server.floor.CreatePool(
        pb.CreatePoolRequest(parent=TENANT, pool_id="apart"), timeout=CALL_S).name)
    for name in ("ana", "bo"):
        agent(server, name)
    silent, awake = Desk(server, "ana"), Desk(server, "bo")
    silent.available()
    ringing = submit(server, interaction("rings", "r-1", source="steady")).interaction
    offer = silent.offer(ringing.name)
    awake.available()
    # From here on nobody renews this session; its stream stays open, as with a laptop that was closed.
    silent.stopped.set()
    beat(server, "falls-silent")
    gone = {"voice": pb.CHANNEL_VOICE, "chat": pb.CHANNEL_CHAT, "email": pb.CHANNEL_EMAIL}
    lost = {word: submit(server, interaction("waits", word, "falls-silent", channel)).interaction.name
            for word, channel in gone.items()}
    kept = submit(server, interaction("waits", "k-1", source="never-beats")).interaction.name

    again = awake.offer(ringing.name)
    check.ok("an offer to who fell silent goes to another agent", again.name != offer.name)
    check.same("the customer keeps the time of entry", again.interaction.enter_time, ringing.enter_time)
    ended = silent.next("offer_ended", lambda one: one.offer == offer.name)
    check.same("it was taken back for the lost session", (ended.ending, ended.cause),
               (pb.OfferEnded.RESCINDED, pb.OfferEnded.SESSION_LOST))
    check.refused("a lost session cannot be renewed", silent.heartbeat, grpc.StatusCode.NOT_FOUND,
                  "SESSION_NOT_FOUND")
    status = server.floor.GetAgent(pb.GetFloorRequest(name=silent.agent), timeout=CALL_S).status
    check.same("the floor shows it", (status.presence, status.liveness),
               (pb.PRESENCE_AVAILABLE, pb.LIVENESS_LOST))
    back = Desk(server, "ana", silent.session)
    check.same("who comes back is as before", back.snapshot.status.liveness, pb.LIVENESS_LIVE)

    until("the lost source's caller has left",
          lambda: get(server, lost["voice"]).state == pb.INTERACTION_STATE_ABANDONED)
    check.same("a lost source takes its caller along, and nothing that can wait",
               [get(server, lost[word]).state for word in ("chat", "email")],
               [pb.INTERACTION_STATE_WAITING, pb.INTERACTION_STATE_WAITING])
    check.same("a source that never had a session has none to lose", get(server, kept).state,
               pb.INTERACTION_STATE_WAITING)
    check.ok("a lost source that comes back opens a new session", beat(server, "falls-silent").opened)
    check.same("and finds what it still has open", sorted(one.name for one in server.interactions.ListOpen(
        pb.ListOpenRequest(parent=TENANT, source="falls-silent")).interactions), sorted([lost["chat"], lost["email"]]))
    awake.accept(again)
    check.same("it ends in order", server.stop(), 0)
    check.same("and has nothing to complain about", server.complaints(), [])


def main():
    check = Checks()
    program = binary(sys.argv)
    check.story("an agent and a source fall silent", tell, program)
    check.end()


main()

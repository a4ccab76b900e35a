"""Attach: a platform works for two agents on one stream, because their desk phones speak no gRPC."""

import queue
import threading

import grpc

from kit.centre import agent, apart, interaction, submit
from kit.checks import until
from kit.desk import seconds
from kit.stubs import pb


class Platform:
    """One Attach stream; answers are found by their tag."""

    def __init__(self, server):
        self.requests, self.responses, self.tag = queue.Queue(), [], 0
        self.stream = server.agents.Attach(iter(self.requests.get, None))
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            for response in self.stream:
                self.responses.append(response)
        except grpc.RpcError:
            pass  # Closed by this side.

    def ask(self, **request):
        """Sends one request and waits for its answer."""
        self.tag += 1
        tag = self.tag
        self.requests.put(pb.AttachRequest(tag=tag, **request))
        return self.seen(lambda one: one.tag == tag)

    def seen(self, fits):
        return until("the platform's stream brings it",
                     lambda: next((one for one in list(self.responses) if fits(one)), None))

    def work(self, agent_name, kind):
        """The first message of this kind about an agent."""
        def fits(one):
            return (one.tag == 0 and one.agent == agent_name and one.WhichOneof("response") == "work"
                    and one.work.WhichOneof("event") == kind)
        return getattr(self.seen(fits).work, kind)


def tell(check, server):
    own = apart(server, "phones", wrap_up=pb.Queue.TIMED, wrap_up_time=seconds(600))
    names = [agent(server, f"phone-{number}", pool=own).name for number in (1, 2)]
    platform = Platform(server)
    sessions = {}
    for name in names:
        opened = platform.ask(open=pb.WorkRequest(agent=name))
        check.same(f"opening {name} answers with how the agent is", opened.status.agent, name)
        sessions[name] = platform.work(name, "opened").session
        platform.work(name, "snapshot")
        status = platform.ask(set_presence=pb.SetPresenceRequest(agent=name, presence=pb.PRESENCE_AVAILABLE))
        check.same("its presence is answered under its tag", (status.agent, status.status.presence),
                   (name, pb.PRESENCE_AVAILABLE))
    beat = platform.ask(heartbeat=pb.HeartbeatRequest(session=sessions[names[0]]))
    check.ok("a session is renewed on the stream", beat.heartbeat.lease.seconds > 0)

    calls = [submit(server, interaction("phones", f"p-{number}")).interaction.name for number in (1, 2)]
    offers = {name: platform.work(name, "offer") for name in names}
    check.same("each agent has one of the calls", {one.interaction.name for one in offers.values()}, set(calls))
    first, second = names
    accepted = platform.ask(accept=pb.AcceptRequest(offer=offers[first].name)).accepted
    check.same("an accept is answered under its tag", accepted.interaction, offers[first].interaction.name)
    declined = platform.ask(decline=pb.DeclineRequest(offer=offers[second].name, reason="away"))
    check.same("so is a decline, with how the agent is", (declined.agent, declined.status.routing_state),
               (second, pb.ROUTING_STATE_IDLE))
    failed = platform.ask(accept=pb.AcceptRequest(offer=offers[second].name)).failure
    check.same("a failed request is told, and the stream goes on", (failed.code, failed.reason),
               (grpc.StatusCode.FAILED_PRECONDITION.value[0], "OFFER_DECLINED"))
    empty = platform.ask().failure
    check.same("a request without content is told", empty.code, grpc.StatusCode.INVALID_ARGUMENT.value[0])
    done = platform.ask(complete=pb.CompleteRequest(assignment=accepted.assignment, disposition="solved"))
    check.same("a conversation ends on the stream", done.status.routing_state, pb.ROUTING_STATE_IN_WRAP_UP)
    ready = platform.ask(finish_wrap_up=pb.FinishWrapUpRequest(assignment=accepted.assignment))
    check.same("and so does its wrap-up", (ready.agent, ready.status.routing_state),
               (first, pb.ROUTING_STATE_RINGING))
    check.ok("which brings the call the other one declined", until(
        "the call is offered again", lambda: [one for one in list(platform.responses)
                                              if one.work.offer.interaction.name == offers[second].interaction.name
                                              and one.agent == first]))
    platform.requests.put(None)


STORIES = [("a platform works for two agents on one stream", tell)]

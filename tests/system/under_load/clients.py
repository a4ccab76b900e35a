"""Everybody on the floor: sources that hand in without a pause, agents at work, a supervisor who asks why.

Each is a thread that ends with the server. An error before the blow is a finding.
"""

import itertools
import queue
import random
import threading

import grpc

from kit.centre import submit
from kit.checks import details
from kit.server import CALL_S, TENANT
from kit.desk import named, seconds
from kit.stubs import pb

from .oracle import AGENTS, SOURCES, contact, told, words

WAITING_WANTED = 40
"""So many of each source are left waiting; beyond that it takes back as many as it hands in."""
WRAPS_UP = named("queues", "service")
"""Where the work is not over with the conversation."""
UNDER_WAY = 8
"""Requests under way on the stream of bulk traffic."""
BUSY = grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]


class Client(threading.Thread):
    def __init__(self, server, oracle, name, seed):
        super().__init__(name=name, daemon=True)
        self.server, self.oracle = server, oracle
        self.rng, self.cycle = random.Random(f"{seed} {name}"), seed
        self.struck = oracle.struck

    def run(self):
        try:
            self.work()
        except (grpc.RpcError, ValueError) as error:  # ValueError: a call on a channel that was closed.
            if not self.struck.is_set():
                self.oracle.complain(f"{self.name} met {error!r} before the blow")
        except Exception as error:  # A thread that breaks off in silence would be taken for a quiet one.
            self.oracle.complain(f"{self.name} broke off: {error!r}")

    def call(self, request, *expected):
        """Calls again when the server is too busy. `None` if it was refused for one of the expected reasons."""
        while True:
            try:
                return request()
            except grpc.RpcError as error:
                found = details(error)
                if found["code"] == grpc.StatusCode.RESOURCE_EXHAUSTED and not self.struck.is_set():
                    with self.oracle.lock:
                        self.oracle.refused += 1
                    self.struck.wait((found["retry_ms"] or 100) / 1_000)
                elif found["reason"] in expected:
                    return None
                else:
                    raise


class Source(Client):
    """One call after the other: submits, and when enough wait it takes one back, repeats one, or hands on what a
    customer says meanwhile."""

    def work(self):
        self.left = self.oracle.open_of(self.name)
        while True:
            if len(self.left) < WAITING_WANTED:
                self.hand_in(self.oracle.next_of(self.name))
            else:
                name = self.rng.choice(self.left)
                self.rng.choice([self.take_back, self.repeat, self.hand_on, self.hand_on])(name)

    def hand_in(self, number):
        answer = self.call(lambda: submit(self.server, contact(self.name, number)))
        self.oracle.submitted(self.name, number, answer.interaction.name, answer.interaction)
        self.left.append(answer.interaction.name)

    def take_back(self, name):
        request = self.cancel(name)
        self.heard(self.call(lambda: self.server.interactions.Cancel(request, timeout=CALL_S)))

    def cancel(self, name):
        self.oracle.cancels(name)
        self.left.remove(name)
        cause = self.rng.choice([pb.CancelRequest.CUSTOMER_LEFT, pb.CancelRequest.WITHDRAWN])
        return pb.CancelRequest(name=name, cause=cause)

    def heard(self, shown):
        self.oracle.seen(shown)
        self.oracle.ok()

    def repeat(self, name):
        _, number = self.oracle.by_name[name]
        answer = self.call(lambda: submit(self.server, contact(self.name, number)))
        if not answer.repeated:
            self.oracle.complain(f"{name} was handed in again and taken for a new one: {answer.interaction.name}")
        self.oracle.submitted(self.name, number, answer.interaction.name, answer.interaction)

    def hand_on(self, name):
        request = self.more(name)
        shown = self.call(lambda: self.server.interactions.Update(request, timeout=CALL_S), "WRONG_STATE")
        if shown is None:
            self.left.remove(name)
        else:
            self.oracle.said(name, request.message)

    def more(self, name):
        self.spoken = getattr(self, "spoken", 0) + 1
        return pb.UpdateInteractionRequest(name=name, message=f"{self.cycle} {self.name} {self.spoken}: still here")


class Bulk(Source):
    """The same with many requests under way on one stream."""

    def work(self):
        self.left = self.oracle.open_of(self.name)
        self.tags, self.asked, self.requests = itertools.count(1), {}, queue.SimpleQueue()
        for _ in range(UNDER_WAY):
            self.ask_next()
        try:
            for answer in self.server.interactions.Route(iter(self.requests.get, None)):
                self.answered(answer, *self.asked.pop(answer.tag))
        finally:
            self.requests.put(None)

    def ask(self, what, **request):
        tag = next(self.tags)
        self.asked[tag] = (what, request)
        self.requests.put(pb.RouteRequest(tag=tag, **request))

    def ask_next(self):
        if len(self.left) < WAITING_WANTED:
            number = self.oracle.next_of(self.name)
            self.ask(number, submit=pb.SubmitRequest(parent=TENANT, interaction=contact(self.name, number)))
        elif self.rng.random() < 0.5:
            name = self.rng.choice(self.left)
            self.ask(name, cancel=self.cancel(name))
        else:
            name = self.rng.choice(self.left)
            self.ask(name, update=self.more(name))

    def answered(self, answer, what, request):
        kind = answer.WhichOneof("response")
        if kind == "submitted":
            self.oracle.submitted(self.name, what, answer.submitted.name)
            self.left.append(answer.submitted.name)
        elif kind == "interaction" and "update" in request:
            self.oracle.said(what, request["update"].message)
        elif kind == "interaction":
            self.heard(answer.interaction)
        elif answer.failure.code == BUSY and kind == "failure":
            with self.oracle.lock:
                self.oracle.refused += 1
            self.ask(what, **request)
            return
        elif answer.failure.reason == "WRONG_STATE" and "update" in request:
            if what in self.left:
                self.left.remove(what)
        elif not self.struck.is_set():
            self.oracle.complain(f"{self.name} was refused: {answer}")
        self.ask_next()


class Desk(Client):
    """An agent: takes what is offered, now and then declines, finishes what was in hand before the last kill."""

    def work(self):
        self.mine = self.oracle.agents[self.name]
        agent = named("agents", self.name)
        stream = self.server.agents.Work(pb.WorkRequest(agent=agent, session=self.mine.session))
        for message in stream:
            kind = message.WhichOneof("event")
            if kind == "opened":
                self.mine.session = message.opened.session
                threading.Thread(target=self.renew, daemon=True).start()
            elif kind == "snapshot":
                self.take_up(message.snapshot)
                self.call(lambda: self.server.agents.SetPresence(pb.SetPresenceRequest(
                    agent=agent, presence=pb.PRESENCE_AVAILABLE), timeout=CALL_S))
            elif kind == "offer":
                self.answer(message.offer)

    def renew(self):
        while not self.struck.wait(3):
            try:
                self.server.agents.Heartbeat(pb.HeartbeatRequest(session=self.mine.session), timeout=CALL_S)
            except (grpc.RpcError, ValueError):
                return  # The stream tells.

    def take_up(self, snapshot):
        """The work in hand must be what the OKs say, and is finished first."""
        here = {one.name: one for one in snapshot.assignments}
        for assignment, name in self.mine.in_hand.items():
            ended = assignment in self.mine.unclear or name in self.oracle.cancelling
            if assignment not in here and not ended:
                self.oracle.complain(f"{self.name} had {assignment} of {name} in hand, and has it no more")
        for assignment in here:
            if assignment in self.mine.finished:
                self.oracle.complain(f"{self.name} was told that {assignment} is finished, and has it in hand")
        self.mine.in_hand, self.mine.unclear = {}, set()
        for one in snapshot.assignments:
            self.oracle.seen(one.interaction)
            self.mine.in_hand[one.name] = one.interaction.name
            self.finish(one.name, one.interaction)

    def answer(self, offer):
        shown = offer.interaction
        self.oracle.seen(shown)
        agents = self.server.agents
        if self.rng.random() < 0.03:
            request = pb.DeclineRequest(offer=offer.name, reason="not now")
            if self.call(lambda: agents.Decline(request, timeout=CALL_S), "OFFER_RESCINDED"):
                self.oracle.ok()
            return
        self.oracle.accepts(shown.name)
        request = pb.AcceptRequest(offer=offer.name)
        accepted = self.call(lambda: agents.Accept(request, timeout=CALL_S), "OFFER_RESCINDED")
        if accepted is not None:
            self.oracle.accepted(self.name, accepted.interaction, accepted.assignment)
            self.read_card(offer)
            self.finish(accepted.assignment, shown)

    def read_card(self, offer):
        """What the customer said, and what their source knows, from before a kill or after it. Read when the offer was
        still good: one that is taken back before it is sent, since the customer left, comes without their words."""
        if offer.card.partial:
            return
        source, number = told(offer.interaction.external_id)
        want = (words(source, number) if number % 2 else "", {"number": str(number)} if number % 3 == 0 else {})
        got = (offer.card.message, dict(offer.card.attributes))
        with self.oracle.lock:
            self.oracle.cards += 1
        if got != want:
            self.oracle.complain(f"the card of {offer.interaction.name} says {got}, want {want}")
        self.read_said(offer.interaction.name, [one.text for one in offer.card.said])

    def read_said(self, name, said):
        """What was said before the last kill is there, each once, in order; newer words are there or come."""
        before = self.oracle.one(name).said_before
        if len(set(said)) != len(said) or [text for text in said if text in before] != before:
            self.oracle.complain(f"the card of {name} has {said}, said before the last kill was {before}")

    def finish(self, assignment, shown):
        disposition, note = f"done-{self.name}", f"note on {shown.external_id}"
        request = pb.CompleteRequest(assignment=assignment, disposition=disposition, note=note)
        if shown.queue != WRAPS_UP:
            self.mine.unclear.add(assignment)
        # It may be in wrap-up already: the customer left, or a kill came between.
        if self.call(lambda: self.server.agents.Complete(request, timeout=CALL_S), "ASSIGNMENT_ENDED"):
            self.oracle.completed(shown.name, disposition, note)
        self.mine.unclear.add(assignment)
        request = pb.FinishWrapUpRequest(assignment=assignment)
        if self.call(lambda: self.server.agents.FinishWrapUp(request, timeout=CALL_S), "NOT_WRAPPING_UP",
                     "ASSIGNMENT_ENDED"):
            self.oracle.ok()
        self.mine.finished.add(assignment)
        self.mine.unclear.discard(assignment)
        self.mine.in_hand.pop(assignment, None)


class Supervisor(Client):
    """Watches the lines, and asks why of those who were just decided about."""

    def work(self):
        request = pb.WatchFloorRequest(parent=TENANT, interval=seconds(0.1), waiting_listed=1_000)
        for view in self.server.supervision.WatchFloor(request):
            self.oracle.order = {one.queue: [each.name for each in one.waiting_interactions] for one in view.queues}
            for name in {one.interaction for one in view.decisions[:3]}:
                self.oracle.explained[name] = explain(self.server, name)
                self.oracle.ok()


def explain(server, name, decision=0):
    return server.supervision.Explain(pb.ExplainRequest(interaction=name, decision=decision), timeout=CALL_S)


def everybody(server, oracle, seed):
    """All of them, at work."""
    kinds = [(Bulk if name == "bulk" else Source, name) for name in SOURCES]
    kinds += [(Desk, name) for name in AGENTS] + [(Supervisor, "supervisor")]
    found = [kind(server, oracle, name, seed) for kind, name in kinds]
    for one in found:
        one.start()
    return found

"""kill -9 at any instant loses nothing that was answered OK, and doubles nothing.

Usage: kill.py --server PATH-OF-BATON. Ends a server with its embedded store by force, starts it again on the same
folder, and compares.
"""

import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "conformance"))

import grpc

from kit.centre import agent, interaction, queue, requirement, skill, submit
from kit.checks import Checks, until
from kit.desk import Desk, named, phone, seconds
from kit.server import CALL_S, TENANT, Folder, Server, binary
from kit.stubs import pb

MANY = 200
SOURCES = ["pbx-1", "pbx-2", "widget"]
QUEUES = ["sales", "service", "mail"]
CHANNELS = [pb.CHANNEL_VOICE, pb.CHANNEL_VOICE, pb.CHANNEL_CHAT, pb.CHANNEL_EMAIL]
CUSTOMERS = [f"+1555300{number:04}" for number in range(17)]


def floor(server):
    skill(server, "es")
    for name in QUEUES:
        queue(server, name, wrap_up=pb.Queue.TIMED, wrap_up_time=seconds(3_600), offer_expiry=seconds(600))
    agent(server, "ana", {"es": 5})
    agent(server, "bo")


def contact(number):
    """The interactions differ in all that decides their order; always the same for the same number."""
    needs = [requirement("es", 2)] if number % 5 == 0 else []
    return interaction(QUEUES[number % 3], f"x-{number}", SOURCES[number * 7 % 3], CHANNELS[number % 4],
                       priority=number * 11 % 21 - 10, requirements=needs, intent=f"intent-{number % 4}",
                       message=f"words of {number}", attributes={"number": str(number)},
                       **{"from": phone(CUSTOMERS[number % len(CUSTOMERS)])})


def open_of(server, source):
    found, token = [], ""
    while True:
        request = pb.ListOpenRequest(parent=TENANT, source=source, page_size=50, page_token=token)
        page = server.interactions.ListOpen(request, timeout=CALL_S)
        found, token = found + list(page.interactions), page.next_page_token
        if not token:
            return found


def view(server):
    request = pb.WatchFloorRequest(parent=TENANT, messages_max=1, waiting_listed=1_000)
    return next(server.supervision.WatchFloor(request, timeout=CALL_S))


def waiting(server):
    """The waiting of each queue, in order."""
    return {one.queue: [each.name for each in one.waiting_interactions] for one in view(server).queues}


def counts(server):
    """What a queue has counted. Not how long things took: that goes on."""
    return {one.queue: (one.entered, one.answered, one.abandoned, one.cancelled, one.closed, one.waiting,
                        one.offered, one.handling, one.wrapping_up, one.offers_accepted, one.offers_declined)
            for one in view(server).queues}


def histories(server):
    """The whole history of each customer, as text, newest first."""
    found = {}
    for number in CUSTOMERS:
        request = pb.ResolveRequest(parent=TENANT, address=phone(number))
        customer = server.customers.Resolve(request, timeout=CALL_S).customer
        page = server.customers.ListHistory(pb.ListHistoryRequest(parent=customer.name, page_size=500))
        found[customer.name] = (str(customer), [str(entry) for entry in page.entries])
    return found


def interactions(server, names):
    """What became of each, without the figures that go on with time."""
    found = {}
    for name in names:
        one = server.interactions.Get(pb.GetInteractionRequest(name=name), timeout=CALL_S)
        for field in ("wait_time", "estimate", "wait_reason"):
            one.ClearField(field)
        found[name] = str(one)
    return found


def definitions(server):
    """The floor as it was configured."""
    parent = pb.ListFloorRequest(parent=TENANT)
    agents = server.floor.ListAgents(parent, timeout=CALL_S).agents
    for one in agents:
        one.ClearField("status")
    return [str(one) for kind in (server.floor.ListPools(parent).pools, server.floor.ListSkills(parent).skills,
                                  server.floor.ListQueues(parent).queues, agents) for one in kind]


def picture(server, names):
    return {"the floor's definitions": definitions(server),
            "what each source has open, in order":
                {source: [(one.name, one.state) for one in open_of(server, source)] for source in SOURCES},
            "the waiting, in the same order": waiting(server),
            "the counts of each queue": counts(server),
            "every customer's history": histories(server),
            "what became of every interaction": interactions(server, names)}


def load(server):
    """Many interactions; some answered, declined, cancelled; two in conversation at the end."""
    ana, bo = Desk(server, "ana"), Desk(server, "bo")
    names = [submit(server, contact(number)).interaction.name for number in range(MANY)]
    for name in names[10:60:10]:
        server.interactions.Cancel(pb.CancelRequest(name=name), timeout=CALL_S)
    server.interactions.Cancel(pb.CancelRequest(name=names[61], cause=pb.CancelRequest.WITHDRAWN))
    for desk in (ana, bo):
        desk.available()
    in_hand = {}
    for turn in range(8):
        for desk in (ana, bo):
            in_hand[desk.agent] = take(desk, turn == 3)
            if turn < 7:
                finish(server, desk, in_hand[desk.agent], turn)
    # Nothing may ring while the picture is taken.
    for desk in (ana, bo):
        desk.presence(pb.PRESENCE_ON_BREAK, "so that nothing rings")
    until("nothing rings", lambda: all(one.offered == 0 for one in view(server).queues))
    return ana, bo, names, in_hand


def take(desk, declines):
    """Accepts the next open offer, after declining one if asked to."""
    if declines:
        desk.decline(desk.open_offer(), "not now")
    return desk.accept(desk.open_offer())


def finish(server, desk, accepted, turn):
    desk.complete(accepted.assignment, f"done-{turn}", f"note of {turn}")
    server.agents.FinishWrapUp(pb.FinishWrapUpRequest(assignment=accepted.assignment), timeout=CALL_S)


def compare(check, before, after, when):
    for what, was in before.items():
        now = after[what]
        if isinstance(was, dict):
            seen = {key: (was[key], now.get(key)) for key in was if was[key] != now.get(key)}
        else:
            seen = [pair for pair in zip(was, now) if pair[0] != pair[1]]
        check.ok(f"{when}: {what}", was == now, str(seen)[:1_500])


def the_same(check, program):
    data = Folder() / "data"
    server = Server(program, data).up()
    floor(server)
    ana, bo, names, in_hand = load(server)
    before = picture(server, names)
    check.ok("there is something to lose", sum(len(one) for one in waiting(server).values()) > 150)
    server.kill()
    server = Server(program, data).up()
    compare(check, before, picture(server, names), "after kill -9")
    for number in (0, 61, 199):
        again = submit(server, contact(number))
        check.ok(f"submit {number} is recognised", again.repeated and again.interaction.name == names[number])
    every = [submit(server, contact(number)) for number in range(MANY)]
    check.ok("so are all", all(one.repeated for one in every) and [one.interaction.name for one in every] == names)
    changed = contact(5)
    changed.intent = "other"
    check.refused("other content under an old id is refused", lambda: submit(server, changed),
                  grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    lost = {one.agent: one.liveness for one in view(server).agents}
    check.same("the agents have not reconnected yet", set(lost.values()), {pb.LIVENESS_LOST})
    goes_on(check, server, in_hand)
    server.kill()
    server = Server(program, data).up()
    check.same("a second kill changes nothing either", interactions(server, names).keys(), set(names))
    check.same("and it ends in order", server.stop(), 0)
    check.same("with nothing to complain about", server.complaints(), [])


def goes_on(check, server, in_hand):
    """Agents come back to the work they had; sealed words are there again."""
    ana = Desk(server, "ana")
    accepted = in_hand[ana.agent]
    check.same("an agent comes back to the work in hand", [one.name for one in ana.snapshot.assignments],
               [accepted.assignment])
    ana.complete(accepted.assignment, "late", "a note after the restart")
    server.agents.FinishWrapUp(pb.FinishWrapUpRequest(assignment=accepted.assignment), timeout=CALL_S)
    one = server.interactions.Get(pb.GetInteractionRequest(name=accepted.interaction), timeout=CALL_S)
    page = server.customers.ListHistory(pb.ListHistoryRequest(parent=one.customer, page_size=500))
    entry = next(entry for entry in page.entries if entry.interaction == one.name)
    check.ok("its note is in the history", entry.disposition == "late"
             and "a note after the restart" in entry.text, entry)
    order = waiting(server)
    ana.available()
    offer = ana.open_offer()
    number = offer.interaction.external_id.removeprefix("x-")
    check.same("what the customer said before the kill is on the card", (offer.card.message, dict(
        offer.card.attributes)), (f"words of {number}", {"number": number}))
    judged = server.supervision.Explain(pb.ExplainRequest(interaction=offer.interaction.name), timeout=CALL_S)
    check.ok("its decisions are kept", len(judged.decisions) >= 2, len(judged.decisions))
    ana.presence(pb.PRESENCE_ON_BREAK)
    until("the offer is back", lambda: waiting(server)[offer.interaction.queue])
    check.same("an offer taken back leaves the order as it was", waiting(server), order)
    ana.close()


def ringing(check, program):
    """Killed while an offer is open: nobody is blamed, and the customer keeps the place."""
    data = Folder() / "data"
    server = Server(program, data).up()
    queue(server, "q", offer_expiry=seconds(600))
    agent(server, "ana")
    names = [submit(server, interaction("q", f"r-{number}")).interaction.name for number in range(3)]
    ana = Desk(server, "ana")
    ana.available()
    offer = ana.offer(names[0])
    server.kill()
    server = Server(program, data).up()
    check.same("the customer who was offered is first in line again", waiting(server)[named("queues", "q")], names)
    figures = view(server).queues[0]
    check.same("the offer counts as rescinded, not as expired", (figures.offers_rescinded, figures.offers_expired),
               (1, 0))
    check.refused("and cannot be accepted", lambda: server.agents.Accept(pb.AcceptRequest(offer=offer.name)),
                  grpc.StatusCode.FAILED_PRECONDITION, "OFFER_RESCINDED")
    again = Desk(server, "ana", ana.session)
    check.same("the agent resumes the session, available as before",
               (again.session, again.snapshot.status.presence), (ana.session, pb.PRESENCE_AVAILABLE))
    check.ok("and gets the customer", again.offer(names[0]).name != offer.name)
    server.kill()


class Stream:
    """One source that submits without a pause, until the server is gone."""

    def __init__(self, server, source):
        self.server, self.source, self.answered, self.tried = server, source, {}, 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def contact(self, number):
        return interaction("q", f"s-{number}", self.source, **{"from": phone(f"+155540{number:05}")})

    def run(self):
        try:
            while True:
                number, self.tried = self.tried, self.tried + 1
                self.answered[number] = submit(self.server, self.contact(number)).interaction.name
        except (grpc.RpcError, ValueError):
            pass  # Killed; what was being submitted is open.


def mid_stream(check, program):
    data = Folder() / "data"
    server = Server(program, data).up()
    queue(server, "q")
    for turn in range(3):
        streams = [Stream(server, f"source-{turn}-{number}") for number in range(4)]
        until("enough is submitted", lambda: sum(len(one.answered) for one in streams) > 300)
        server.kill()
        for one in streams:
            one.thread.join(CALL_S)
        server = Server(program, data).up()
        kept(check, server, streams, f"kill {turn + 1} amid submits")
    server.kill()


def kept(check, server, streams, when):
    answered = open_before = 0
    for stream in streams:
        found = {one.external_id: one.name for one in open_of(server, stream.source)}
        lost = [number for number, name in stream.answered.items() if found.get(f"s-{number}") != name]
        check.ok(f"{when}: {stream.source} finds everything that was answered OK", not lost, lost)
        check.ok(f"{when}: and at most the one that was under way besides",
                 len(found) - len(stream.answered) in (0, 1), (len(found), len(stream.answered)))
        answered, open_before = answered + len(stream.answered), open_before + len(found)
        again = [submit(server, stream.contact(number)) for number in range(stream.tried)]
        check.ok(f"{when}: submitting all again doubles nothing",
                 all(one.interaction.name == stream.answered.get(number, one.interaction.name)
                     for number, one in enumerate(again))
                 and len(open_of(server, stream.source)) == stream.tried)
    print(f"       {answered} answered OK before the kill, {open_before} found after it")


def main():
    check = Checks()
    program = binary(sys.argv)
    for title, tell in (("killed with a floor full of work", the_same), ("killed while an offer rings", ringing),
                        ("killed amid submits", mid_stream)):
        check.story(title, tell, program)
    check.end()


main()

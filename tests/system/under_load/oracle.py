"""Stands outside and holds every OK that was given: an answer is written down when it has arrived, never before."""

import threading
from dataclasses import dataclass, field

from kit.centre import interaction, queue, requirement, skill
from kit.centre import agent as make_agent
from kit.desk import phone, seconds
from kit.stubs import pb

SOURCES = ["pbx-1", "pbx-2", "widget", "bulk"]
AGENTS = ["ana", "bo", "cy", "dee", "eli", "flo", "gus", "hal"]
QUEUES = ["sales", "service", "mail"]
CHANNELS = [pb.CHANNEL_VOICE, pb.CHANNEL_CHAT, pb.CHANNEL_EMAIL, pb.CHANNEL_VOICE, pb.CHANNEL_MESSAGE]
CUSTOMERS = [f"+1555600{number:04}" for number in range(40)]

WAITING, OFFERED = pb.INTERACTION_STATE_WAITING, pb.INTERACTION_STATE_OFFERED
HANDLING, WRAPPING_UP = pb.INTERACTION_STATE_HANDLING, pb.INTERACTION_STATE_WRAPPING_UP
CLOSED, ABANDONED = pb.INTERACTION_STATE_CLOSED, pb.INTERACTION_STATE_ABANDONED
CANCELLED = pb.INTERACTION_STATE_CANCELLED
OVER = {CLOSED, ABANDONED, CANCELLED}
# An offer may be taken back, so these two are one step. Nothing goes back a step: conversations stay with lost agents.
STEP = {WAITING: 0, OFFERED: 0, HANDLING: 1, WRAPPING_UP: 2, CLOSED: 3, ABANDONED: 3, CANCELLED: 3}


def floor(server):
    """Conversations stay with agents who are lost: sent back in line, they would undo what an OK said."""
    skill(server, "es")
    for name in QUEUES:
        wrap_up = {"wrap_up": pb.Queue.TIMED, "wrap_up_time": seconds(3_600)} if name == "service" else {}
        queue(server, name, offer_expiry=seconds(600), on_agent_lost=pb.Queue.KEEP, **wrap_up)
    for number, name in enumerate(AGENTS):
        make_agent(server, name, {"es": 5} if number % 2 else {})


def contact(source, number):
    """The interactions differ in all that decides their order; always the same for the same number."""
    fields = {}
    if number % 2:
        fields.update(message=words(source, number))
    if number % 3 == 0:
        fields.update(attributes={"number": str(number)})
    if number % 5 == 0:
        fields.update(requirements=[requirement("es", 2)])
    if number % 7:
        fields.update({"from": phone(CUSTOMERS[number % len(CUSTOMERS)])})
    return interaction(QUEUES[number % 3], f"{source}-{number}", source, CHANNELS[number % 5],
                       priority=number * 11 % 7 - 3, intent=f"intent-{number % 4}", **fields)


def words(source, number):
    return f"words of {source} {number}"


def told(external_id):
    """The source and number that an external id was made of."""
    source, number = external_id.rsplit("-", 1)
    return source, int(number)


@dataclass
class Known:
    """What is known of one interaction, all of it from answers."""

    name: str
    state: int = WAITING
    entered: tuple = None
    answered: tuple = None
    accepted: str = None
    disposition: str = None
    note: str = None
    queue: str = None
    customer: str = ""
    said: list = field(default_factory=list)
    said_before: list = field(default_factory=list)


def moment(stamp):
    return (stamp.seconds, stamp.nanos)


@dataclass
class Agent:
    """An agent's side of it: assignments in hand, and those whose end was asked for without an answer."""

    session: str = ""
    in_hand: dict = field(default_factory=dict)
    unclear: set = field(default_factory=set)
    finished: set = field(default_factory=set)


class Oracle:
    def __init__(self):
        self.lock = threading.Lock()
        self.known, self.by_name = {}, {}
        self.tried = {source: 0 for source in SOURCES}
        # Handed in without an answer so far; ever asked to be taken back, or accepted, whatever the answer.
        self.under_way, self.cancelling, self.accepting = set(), set(), set()
        self.agents = {name: Agent() for name in AGENTS}
        self.explained, self.judged = {}, {}
        self.order, self.wrong = {}, []
        self.oks = self.cards = self.refused = self.cycles = 0
        self.begin(None, None)

    def begin(self, goal, strike):
        """From now on so many OKs, then the blow, in the middle of whatever everybody else is doing."""
        with self.lock:
            self.goal, self.strike, self.struck = goal, strike, threading.Event()
            self.cycles, self.order = self.cycles + 1, {}
            for one in self.known.values():
                one.said_before = list(one.said)

    def complain(self, sentence):
        with self.lock:
            self.wrong.append(sentence)

    def complaints(self):
        with self.lock:
            found, self.wrong = self.wrong, []
        return found

    def ok(self):
        """One more OK was given and is written down."""
        with self.lock:
            self.oks += 1
            due = self.goal is not None and self.oks >= self.goal and not self.struck.is_set()
            if due:
                self.struck.set()
        if due:
            self.strike()

    def next_of(self, source):
        with self.lock:
            number = self.tried[source]
            self.tried[source] += 1
            self.under_way.add((source, number))
        return number

    def submitted(self, source, number, name, shown=None):
        """The first time, or again: it is the same interaction."""
        key = (source, number)
        with self.lock:
            self.under_way.discard(key)
            if key in self.known and self.known[key].name != name:
                self.wrong.append(f"{key} was {self.known[key].name} and is {name}")
            if name in self.by_name and self.by_name[name] != key:
                self.wrong.append(f"{name} was {self.by_name[name]} and is {key}")
            self.known.setdefault(key, Known(name))
            self.by_name[name] = key
        if shown is not None:
            self.seen(shown)
        self.ok()

    def one(self, name):
        return self.known[self.by_name[name]] if name in self.by_name else None

    def seen(self, shown):
        """An interaction as an answer shows it. Answers come in any order: what is known only grows."""
        with self.lock:
            one = self.one(shown.name)
            if one is None:
                # Offered before its source was told: it is in, whatever becomes of that answer.
                key = told(shown.external_id)
                one = self.known.setdefault(key, Known(shown.name))
                self.by_name[shown.name] = key
            one.queue, one.customer = shown.queue, shown.customer or one.customer
            if STEP[shown.state] > STEP[one.state]:
                one.state = shown.state
            for field_, stamp in (("entered", "enter_time"), ("answered", "answer_time")):
                if shown.HasField(stamp):
                    now = moment(getattr(shown, stamp))
                    if getattr(one, field_) not in (None, now):
                        self.wrong.append(f"{shown.name}: {stamp} was {getattr(one, field_)} and is {now}")
                    setattr(one, field_, now)
            return one

    def accepted(self, agent, name, assignment):
        with self.lock:
            one = self.one(name)
            one.accepted = assignment
            if STEP[one.state] < STEP[HANDLING]:
                one.state = HANDLING
            self.agents[agent].in_hand[assignment] = name
        self.ok()

    def completed(self, name, disposition, note):
        with self.lock:
            one = self.one(name)
            one.disposition, one.note = disposition, note
            if STEP[one.state] < STEP[WRAPPING_UP]:
                one.state = WRAPPING_UP
        self.ok()

    def said(self, name, text):
        with self.lock:
            self.one(name).said.append(text)
        self.ok()

    def cancels(self, name):
        with self.lock:
            self.cancelling.add(name)

    def accepts(self, name):
        with self.lock:
            self.accepting.add(name)

    def open_of(self, source):
        """Names of what a source may still have open, as far as it was told."""
        with self.lock:
            return [one.name for (of, _), one in self.known.items() if of == source and one.state not in OVER]

    def open(self):
        with self.lock:
            return {key: one for key, one in self.known.items() if one.state not in OVER}


def place(shown):
    """Where it stands in line: the time of entry, each point a minute earlier; then its number."""
    entered = shown.enter_time.seconds * 1_000_000_000 + shown.enter_time.nanos
    return entered - shown.priority * 60_000_000_000, int(shown.name.rsplit("/", 1)[1])

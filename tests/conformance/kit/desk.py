"""An agent's desk: keeps the Work stream and its session, and remembers all that came."""

import threading
import time

import grpc
from google.protobuf.duration_pb2 import Duration

from .checks import until
from .server import CALL_S, TENANT
from .stubs import pb


def named(collection, name):
    """The full name of a resource of the default tenant."""
    return f"{TENANT}/{collection}/{name}"


def seconds(length):
    found = Duration()
    found.FromMilliseconds(int(length * 1000))
    return found


def phone(number):
    return pb.Address(kind=pb.Address.PHONE, value=number)


class Desk:
    """One agent at work. `events` holds every message of the stream, in order."""

    def __init__(self, server, agent, session=""):
        self.server, self.agent = server, named("agents", agent)
        self.events, self.error = [], None
        # What this desk answered itself: the stream tells of the end a little later.
        self.answered = set()
        self.stopped = threading.Event()
        self.stream = server.agents.Work(pb.WorkRequest(agent=self.agent, session=session))
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.session = self.next("opened").session
        self.snapshot = self.next("snapshot")
        threading.Thread(target=self.renew, daemon=True).start()

    def read(self):
        try:
            for message in self.stream:
                self.events.append(message)
        except grpc.RpcError as error:
            self.error = error

    def renew(self):
        while not self.stopped.wait(3):
            try:
                self.heartbeat()
            except (grpc.RpcError, ValueError):
                return  # The session or the channel is gone; whoever cares looks at the stream.

    def heartbeat(self):
        sequence = self.events[-1].cursor.sequence
        request = pb.HeartbeatRequest(session=self.session, sequence=sequence)
        return self.server.agents.Heartbeat(request, timeout=CALL_S)

    def next(self, kind, fits=lambda event: True):
        """The first event of this kind that fits, as soon as it is there."""
        def look():
            for message in list(self.events):
                if message.WhichOneof("event") == kind and fits(getattr(message, kind)):
                    return getattr(message, kind)
            return None
        return until(f"{self.agent} sees {kind}", look)

    def sees(self, kind, fits):
        """Whether such an event comes at all. Shorter than `next`, for what a story can go on without."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if any(fits(event) for event in self.all(kind)):
                return True
            time.sleep(0.02)
        return False

    def all(self, kind):
        return [getattr(one, kind) for one in list(self.events) if one.WhichOneof("event") == kind]

    def offers(self):
        """Every offer so far, also those that were open when the stream began."""
        return list(self.snapshot.offers) + self.all("offer")

    def open_offer(self):
        """An offer that is open, as soon as there is one."""
        def look():
            ended = self.answered | {one.offer for one in self.all("offer_ended")}
            return next((one for one in self.offers() if one.name not in ended), None)
        return self.completed(until(f"an offer is open to {self.agent}", look))

    def offer(self, interaction):
        """The newest offer of this interaction, as soon as there is one."""
        def look():
            return [one for one in self.offers() if one.interaction.name == interaction]
        return self.completed(until(f"{self.agent} is offered {interaction}", look)[-1])

    def completed(self, offer):
        """An offer with its whole card, also if the rest of it came later."""
        if offer.card.partial:
            rest = self.next("card_completed", lambda completed: completed.offer == offer.name)
            offer.card.CopyFrom(rest.card)
        return offer

    def presence(self, presence, reason=""):
        request = pb.SetPresenceRequest(agent=self.agent, presence=presence, break_reason=reason)
        return self.server.agents.SetPresence(request, timeout=CALL_S)

    def available(self):
        return self.presence(pb.PRESENCE_AVAILABLE)

    def accept(self, offer):
        self.answered.add(offer.name)
        return self.server.agents.Accept(pb.AcceptRequest(offer=offer.name), timeout=CALL_S)

    def decline(self, offer, reason=""):
        self.answered.add(offer.name)
        return self.server.agents.Decline(pb.DeclineRequest(offer=offer.name, reason=reason), timeout=CALL_S)

    def complete(self, assignment, disposition="", note=""):
        request = pb.CompleteRequest(assignment=assignment, disposition=disposition, note=note)
        return self.server.agents.Complete(request, timeout=CALL_S)

    def serve(self, interaction, disposition="", note=""):
        """Takes an interaction from its offer to its end."""
        assignment = self.accept(self.offer(interaction)).assignment
        self.complete(assignment, disposition, note)
        return assignment

    def leave(self):
        """Signs out and closes the stream."""
        self.presence(pb.PRESENCE_SIGNED_OUT)
        self.close()

    def close(self):
        self.stopped.set()
        self.stream.cancel()

"""After a restart, before anybody is back: whatever was answered OK is there, once, in order, for the same reasons.

Nothing moves meanwhile: agents are lost until they come back, and keep their conversations.
"""

from collections import Counter

import grpc

from kit.centre import submit
from kit.checks import details
from kit.desk import phone
from kit.server import CALL_S, TENANT
from kit.stubs import pb

from .clients import explain
from .oracle import (ABANDONED, CANCELLED, CLOSED, CUSTOMERS, HANDLING, OFFERED, OVER, SOURCES, STEP, WAITING,
                     WRAPPING_UP, contact, moment, place, told)

OVER_KEPT = 100_000
"""Interactions that are over and still in memory, as the manual says."""
AGAIN = 10
"""Old ones of each kind that are looked at again, by chance: a change behind everybody's back would show in time."""

DECISIONS_KEPT = 16
"""Of each interaction, the newest."""

JUDGED = 25
"""In so many cycles each time, then in fewer and fewer, agents are judged again as of an earlier moment."""


def look(check, server, oracle, rng, when):
    """Compares everything."""
    open_before = oracle.open()
    here = {one.name: one for source in SOURCES for one in open_of(server, source)}
    wrong = everything_is_there(server, oracle, open_before, here, rng)
    check.ok(f"{when}: everything that was answered OK is there, as it was told", not wrong, some(wrong))
    wrong = once(server, oracle, here, rng)
    check.ok(f"{when}: nothing is there twice, and what was under way gets in once", not wrong, some(wrong))
    view = floor_view(server)
    wrong = in_order(view, oracle)
    check.ok(f"{when}: the waiting stand in the same order", not wrong, some(wrong))
    wrong = books(view, oracle)
    check.ok(f"{when}: the books of each queue balance and say what the OKs say", not wrong, some(wrong))
    wrong = same_reasons(server, oracle, rng)
    check.ok(f"{when}: the same explanations", not wrong, some(wrong))
    wrong = histories(server, oracle, rng)
    check.ok(f"{when}: each contact is once in its customer's history", not wrong, some(wrong))


def some(wrong):
    return f"{len(wrong)}: {wrong[:5]}"


def open_of(server, source):
    token = ""
    while True:
        request = pb.ListOpenRequest(parent=TENANT, source=source, page_size=1_000, page_token=token)
        page = server.interactions.ListOpen(request, timeout=CALL_S)
        yield from page.interactions
        token = page.next_page_token
        if not token:
            return


def floor_view(server):
    request = pb.WatchFloorRequest(parent=TENANT, messages_max=1, waiting_listed=1_000)
    return next(server.supervision.WatchFloor(request, timeout=CALL_S))


def get_all(server, names):
    """Each as it is now, or the reason why it cannot be had; many calls under way."""
    names = list(names)
    for begin in range(0, len(names), 100):
        part = names[begin:begin + 100]
        calls = [server.interactions.Get.future(pb.GetInteractionRequest(name=name), timeout=CALL_S)
                 for name in part]
        for name, call in zip(part, calls):
            try:
                yield name, call.result(), None
            except grpc.RpcError as error:
                yield name, None, details(error)["reason"] or str(error)


def everything_is_there(server, oracle, open_before, here, rng):
    wrong = []
    for one in here.values():
        agree(oracle, one, wrong)
    gone = [one.name for one in open_before.values() if one.name not in here]
    over = [one.name for one in oracle.known.values() if one.state in OVER]
    wrong += [f"{name} is over and open" for name in over if name in here]
    return wrong + each(server, oracle, gone + rng.sample(over, min(AGAIN * AGAIN, len(over))), must_be_over=gone)


def each(server, oracle, names, must_be_over=()):
    """What is wrong with these, asked for by name."""
    wrong, must = [], set(must_be_over)
    for name, shown, reason in get_all(server, names):
        if shown is not None:
            agree(oracle, shown, wrong)
            if name in must and shown.state not in OVER:
                wrong.append(f"{name} is in state {shown.state} and its source does not see it")
        elif reason != "NOT_RETAINED" or not may_be_forgotten(oracle):
            wrong.append(f"{name} {oracle.one(name)} is not there: {reason}")
    return wrong


def may_be_forgotten(oracle):
    return sum(one.state != WAITING for one in oracle.known.values()) > OVER_KEPT


def agree(oracle, shown, wrong):
    """One interaction must not contradict any OK. What else it tells is known from now on."""
    source, number = told(shown.external_id)
    key, want = (source, number), contact(source, number)
    before = oracle.known.get(key)
    if number >= oracle.tried.get(source, 0):
        wrong.append(f"{shown.name}: nobody handed in {key}")
        return
    if before is None and key not in oracle.under_way:
        wrong.append(f"{shown.name}: {key} is known and not known")
    if before is not None:
        if before.name != shown.name:
            wrong.append(f"{key} was {before.name} and is {shown.name}")
        if STEP[shown.state] < STEP[before.state] or (before.state in OVER and shown.state != before.state):
            wrong.append(f"{shown.name} was in state {before.state} and is in {shown.state}")
        if before.answered is not None and moment(shown.answer_time) != before.answered:
            wrong.append(f"{shown.name} was answered {before.answered}, now {shown.answer_time}")
        if before.accepted is not None and not shown.HasField("answer_time"):
            wrong.append(f"{shown.name} was accepted and is not answered")
        if before.disposition is not None and shown.disposition != before.disposition:
            wrong.append(f"{shown.name} ended with {before.disposition}, now {shown.disposition!r}")
        if before.customer and shown.customer != before.customer:
            wrong.append(f"{shown.name} was of {before.customer}, now of {shown.customer!r}")
        if before.entered is not None and moment(shown.enter_time) != before.entered:
            wrong.append(f"{shown.name} entered {before.entered}, now {shown.enter_time}")
    if shown.state in (ABANDONED, CANCELLED) and shown.name not in oracle.cancelling:
        wrong.append(f"{shown.name} left in state {shown.state}, and nobody took it back")
    if shown.HasField("answer_time") and shown.name not in oracle.accepting:
        wrong.append(f"{shown.name} was answered, and nobody accepted it")
    for name in ("source", "external_id", "channel", "queue", "priority", "intent"):
        if getattr(shown, name) != getattr(want, name):
            wrong.append(f"{shown.name}: {name} {getattr(shown, name)!r}, want {getattr(want, name)!r}")
    oracle.seen(shown)


def once(server, oracle, here, rng):
    """Whatever was under way is handed in again, twice; and some of those that are in."""
    wrong = []
    numbers = [told(one.external_id) for one in here.values()]
    wrong += [f"{key} is there twice" for key, count in Counter(numbers).items() if count > 1]
    in_already = dict(zip(numbers, here))
    known = list(oracle.known)
    again = sorted(oracle.under_way) * 2 + rng.sample(known, min(AGAIN, len(known)))
    for key in again:
        had = oracle.known[key].name if key in oracle.known else None
        answer = submit(server, contact(*key))
        name = answer.interaction.name
        if had not in (None, name) or in_already.get(key, name) != name:
            wrong.append(f"{key} is {had or in_already[key]}, handed in again it is {name}")
        if had is not None and not answer.repeated:
            wrong.append(f"{key} was in and was taken for a new one")
        oracle.submitted(*key, name, answer.interaction)
    return wrong


def in_order(view, oracle):
    wrong = []
    for line in view.queues:
        now = [one.name for one in line.waiting_interactions]
        by_place = [one.name for one in sorted(line.waiting_interactions, key=place)]
        if now != by_place:
            wrong.append(f"{line.queue} is not in the order of the places: {now[:20]}, want {by_place[:20]}")
        listed, listed_before = set(now), set(oracle.order.get(line.queue, []))
        seen_before = [name for name in oracle.order.get(line.queue, []) if name in listed]
        still = [name for name in now if name in listed_before]
        if still != seen_before:
            wrong.append(f"{line.queue} stood {seen_before[:20]} and stands {still[:20]}")
        if line.waiting != len(now) and line.waiting <= 1_000:
            wrong.append(f"{line.queue} counts {line.waiting} and lists {len(now)}")
    return wrong


def books(view, oracle):
    """The equation of each queue, and each of its figures by what is known of every single interaction."""
    wrong = []
    for line in view.queues:
        came = line.entered + line.moved_in + line.transferred_in
        went = (line.answered + line.abandoned + line.cancelled + line.timed_out + line.sent_away + line.moved_out
                + line.scheduled + line.waiting + line.offered - line.returned)
        if came != went:
            wrong.append(f"{line.queue}: {came} came, {went} went or wait")
        here = [one for one in oracle.known.values() if one.queue == line.queue]
        states = Counter(one.state for one in here)
        want = {"entered": len(here), "answered": sum(one.answered is not None for one in here),
                "abandoned": states[ABANDONED], "cancelled": states[CANCELLED],
                "waiting": states[WAITING], "offered": states[OFFERED], "handling": states[HANDLING],
                "wrapping_up": states[WRAPPING_UP], "returned": 0, "left_after_answer": 0,
                "closed": states[CLOSED]}
        wrong += [f"{line.queue}: {name} {getattr(line, name)}, by the OKs {count}"
                  for name, count in want.items() if getattr(line, name) != count]
    return wrong


def same_reasons(server, oracle, rng):
    """What was told of a decision before is told again, also when every agent is judged anew as of that moment."""
    wrong, names = [], sorted(oracle.explained)
    for name in rng.sample(names, min(4 * AGAIN, len(names))):
        now = told_why(server, oracle, name, wrong)
        if now is None:
            continue
        before, decided = oracle.explained[name], {one.sequence: one for one in now.decisions}
        # The newest are kept: what is older may have made room.
        missing = [one.sequence for one in before.decisions if one.sequence not in decided]
        if any(sequence > min(decided, default=0) for sequence in missing):
            wrong.append(f"{name}: decisions {missing} are told no more")
        wrong += [f"{name}: decision {one.sequence} was {one}, is {decided[one.sequence]}"
                  for one in before.decisions if not same_decision(one, decided.get(one.sequence, one))]
        if list(before.rules) != list(now.rules) or list(before.replaced_plans) != list(now.replaced_plans):
            wrong.append(f"{name}: its plan is explained in another way")
        oracle.explained[name] = now
    return wrong + judged_again(server, oracle, rng)


def same_decision(before, now):
    """Its points and its rule set are told with all others only while the interaction has never had another plan."""
    if not now.HasField("priority"):
        before, told = type(before)(), before
        before.CopyFrom(told)
        before.ClearField("priority")
        before.ClearField("rule_set_version")
    return before == now


def judged_again(server, oracle, rng):
    """Reads all events since a snapshot before the decision: the longer the loop goes on, the more seldom it is asked."""
    wrong, newest = [], list(oracle.explained.items())[-AGAIN:]
    if rng.random() > JUDGED / oracle.cycles:
        return wrong
    decided = [(name, one.sequence) for name, why in newest for one in why.decisions]
    asked = rng.sample(sorted(oracle.judged), min(1, len(oracle.judged))) + rng.sample(decided, min(1, len(decided)))
    for name, sequence in asked:
        decided = {one.sequence for one in getattr(told_why(server, oracle, name, wrong), "decisions", ())}
        if sequence not in decided and len(decided) == DECISIONS_KEPT and min(decided) > sequence:
            oracle.judged.pop((name, sequence), None)
            continue
        why = told_why(server, oracle, name, wrong, sequence)
        now = why and list(why.agents)
        if why and oracle.judged.setdefault((name, sequence), now) != now:
            wrong.append(f"{name}: at decision {sequence} the agents were {oracle.judged[name, sequence]}, are {now}")
    return wrong


def told_why(server, oracle, name, wrong, decision=0):
    """The explanation; `None` if it is not told, which is wrong unless so much came since that it was forgotten."""
    try:
        return explain(server, name, decision)
    except grpc.RpcError as error:
        reason = details(error)["reason"]
        if reason != "NOT_RETAINED" or not may_be_forgotten(oracle):
            wrong.append(f"{name}: why is not told: {error.code()} {error.details()}")
        return None


def histories(server, oracle, rng):
    """A few customers: every contact of theirs that was completed with an OK, once, with its note."""
    wrong, completed = [], {one.name: one for one in oracle.known.values() if one.note is not None}
    page_size = 500
    for number in rng.sample(CUSTOMERS, 2):
        request = pb.ResolveRequest(parent=TENANT, address=phone(number))
        customer = server.customers.Resolve(request, timeout=CALL_S).customer
        request = pb.ListHistoryRequest(parent=customer.name, page_size=page_size)
        entries = server.customers.ListHistory(request, timeout=CALL_S).entries
        counted = Counter(one.interaction for one in entries)
        wrong += [f"{name} is {count} times in the history of {customer.name}"
                  for name, count in counted.items() if count != 1]
        if len(entries) < page_size:
            wrong += [f"{name} is not in the history of {customer.name}"
                      for name, one in completed.items() if one.customer == customer.name and name not in counted]
        for entry in entries:
            one = completed.get(entry.interaction)
            if one is None:
                continue
            # How it ended is written there when it has.
            open_there, over = entry.outcome == pb.CONTACT_OUTCOME_OPEN, one.state in OVER
            if one.note not in entry.text or open_there == over or over and entry.disposition != one.disposition:
                wrong.append(f"{one} has {entry} in the history of {customer.name}")
    return wrong

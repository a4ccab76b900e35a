"""Supervision: the floor as it is, and why an interaction is where it is."""

import grpc

from kit.centre import agent, apart, interaction, requirement, skill, submit
from kit.desk import Desk, named, seconds
from kit.server import CALL_S, TENANT
from kit.stubs import pb

INVALID = grpc.StatusCode.INVALID_ARGUMENT


def look(server, listed=0):
    """One message of the floor."""
    request = pb.WatchFloorRequest(parent=TENANT, messages_max=1, waiting_listed=listed)
    return next(server.supervision.WatchFloor(request, timeout=CALL_S))


def queue_of(view, name):
    return next(one for one in view.queues if one.queue == named("queues", name))


def explain(server, name, decision=0):
    return server.supervision.Explain(pb.ExplainRequest(interaction=name, decision=decision), timeout=CALL_S)


def watches(check, server):
    own = apart(server, "board")
    agent(server, "bea", pool=own)
    names = [submit(server, interaction("board", f"b-{number}", priority=points)).interaction.name
             for number, points in enumerate((0, 5, -5, 10))]
    view = look(server, listed=10)
    board = queue_of(view, "board")
    check.same("the waiting are listed in the order of their scores",
               [one.name for one in board.waiting_interactions], [names[3], names[1], names[0], names[2]])
    check.same("as many as asked for", len(queue_of(look(server, 2), "board").waiting_interactions), 2)
    check.ok("the longest wait is told", board.HasField("longest_wait"))
    bea = Desk(server, "bea")
    bea.available()
    bea.serve(names[3])
    bea.accept(bea.offer(names[1]))
    server.interactions.Cancel(pb.CancelRequest(name=names[2], cause=pb.CancelRequest.WITHDRAWN))
    board = queue_of(look(server), "board")
    check.same("a queue's counts", (board.entered, board.answered, board.cancelled, board.abandoned, board.closed,
                                    board.handling, board.waiting, board.offered),
               (4, 2, 1, 0, 1, 1, 1, 0))
    check.same("and its offers", (board.offers_accepted, board.offers_declined), (2, 0))
    for one in look(server).queues:
        check.same(f"the books of {one.queue} balance", one.entered,
                   one.answered + one.abandoned + one.cancelled + one.waiting + one.offered)
    status = {one.agent: one for one in look(server).agents}[bea.agent]
    check.same("the floor shows what an agent does", (status.routing_state, status.capacity_used),
               (pb.ROUTING_STATE_HANDLING, 100))
    request = pb.WatchFloorRequest(parent=TENANT, interval=seconds(0.1), messages_max=3)
    views = list(server.supervision.WatchFloor(request, timeout=CALL_S))
    check.same("a stream ends after as many messages as asked for", len(views), 3)
    latest = views[-1].decisions
    check.ok("the latest decisions come newest first, each with its why",
             latest and all(one.why for one in latest) and len(latest) <= 20
             and [one.sequence for one in latest] == sorted((one.sequence for one in latest), reverse=True))
    check.refused("an interval of 10 ms", lambda: next(server.supervision.WatchFloor(
        pb.WatchFloorRequest(parent=TENANT, interval=seconds(0.01)))), INVALID, field="interval")
    check.refused("1,001 listed", lambda: look(server, 1_001), INVALID, field="waiting_listed")
    bea.leave()


def explains(check, server):
    own = apart(server, "why", wrap_up=pb.Queue.TIMED)
    skill(server, "fr")
    known = {"xavi": {}, "yara": {"fr": 1}, "zoe": {"fr": 4}, "zack": {"fr": 9}}
    for name, skills in known.items():
        agent(server, name, skills, pool=own)
    desks = [Desk(server, name) for name in ("xavi", "yara", "zoe")]
    for desk in desks:
        desk.available()
    name = submit(server, interaction("why", "y-1", requirements=[requirement("fr", 3)])).interaction.name
    zoe = desks[2]
    offer = zoe.offer(name)
    explained = explain(server, name)
    decision = explained.decisions[-1]
    check.same("an offer is explained by one decision", (len(explained.decisions), decision.agent),
               (1, zoe.agent))
    check.same("made when the interaction looked for an agent", decision.trigger,
               pb.Decision.INTERACTION_WAITS)
    check.ok("in one sentence", "zoe" in decision.sentence, decision.sentence)
    check.same("with those who could have had it", [one.agent for one in decision.agents], [zoe.agent])
    everybody = explain(server, name, decision=decision.sequence).agents
    reasons = {one.agent: one.exclusion for one in everybody}
    check.same("each agent has one reason",
               {agent_name: reasons.get(named("agents", agent_name)) for agent_name in ("xavi", "yara", "zoe")},
               {"xavi": pb.EXCLUSION_SKILL_MISSING, "yara": pb.EXCLUSION_PROFICIENCY_TOO_LOW,
                "zoe": pb.EXCLUSION_UNSPECIFIED})
    check.ok("and says it in words", all(one.sentence for one in everybody), everybody)
    now = {one.agent: one.exclusion for one in explained.agents}
    check.same("who is being asked has that as the reason now", now.get(zoe.agent), pb.EXCLUSION_ALREADY_ASKED)

    assignment = zoe.accept(offer).assignment
    second = submit(server, interaction("why", "y-2", requirements=[requirement("fr", 3)])).interaction.name
    waits = explain(server, second)
    now = {one.agent: one.exclusion for one in waits.agents}
    want = {"xavi": pb.EXCLUSION_SKILL_MISSING, "yara": pb.EXCLUSION_PROFICIENCY_TOO_LOW,
            "zoe": pb.EXCLUSION_CAPACITY_FULL, "zack": pb.EXCLUSION_SIGNED_OUT,
            "ana": pb.EXCLUSION_OTHER_POOL}
    check.same("while it waits, every agent has the one reason why not",
               {agent_name: now.get(named("agents", agent_name)) for agent_name in want}, want)
    check.same("the wait has its reason", waits.decisions[-1].wait_reason, pb.WAIT_REASON_ALL_AGENTS_BUSY)
    then = explain(server, name, decision.sequence)
    chosen = [one.agent for one in then.agents if one.exclusion == pb.EXCLUSION_UNSPECIFIED]
    check.ok("a decision is judged again from the recorded events", then.recomputed)
    check.same("with the same choice", chosen, [zoe.agent])
    check.same("and all agents as of then, also those who were not looked at",
               {one.agent: one.exclusion for one in then.agents}.get(named("agents", "zack")),
               pb.EXCLUSION_SIGNED_OUT)
    zoe.complete(assignment)
    server.agents.FinishWrapUp(pb.FinishWrapUpRequest(assignment=assignment), timeout=CALL_S)
    zoe.offer(second)
    freed = explain(server, second).decisions[-1]
    check.same("an agent who becomes free is the other trigger", (freed.trigger, freed.agent),
               (pb.Decision.AGENT_FREE, zoe.agent))
    check.refused("a decision that was none of its own", lambda: explain(server, name, 1), INVALID,
                  field="decision")
    check.refused("why nobody", lambda: explain(server, named("interactions", 999999)),
                  grpc.StatusCode.NOT_FOUND, "INTERACTION_NOT_FOUND")
    for desk in desks:
        desk.leave()


def money(check, server):
    own = apart(server, "money")
    agent(server, "mona", pool=own)
    submit(server, interaction("money", "m-1"))
    risk = [one for one in look(server).money.at_risk if one.queue == named("queues", "money")]
    check.ok("who waits costs something by the minute", len(risk) == 1 and risk[0].per_minute.waiting > 0
             and risk[0].per_minute.hang_up > 0, risk)
    asked = pb.EstimateRequest(parent=TENANT, queue=named("queues", "money"), channels=[pb.CHANNEL_VOICE])
    told = server.interactions.Estimate(asked, timeout=CALL_S).channels[0]
    check.same("before a call is handed in it is told its place", (told.open, told.free, told.estimate.position),
               (True, False, 2))
    check.ok("and that a call-back would be better: nobody is there", told.call_back)
    lists = pb.Policy(lists=pb.Lists())
    report = pb.ReportTrialRequest(pool=own)
    check.refused("a trial that is none", lambda: server.supervision.ReportTrial(report),
                  grpc.StatusCode.FAILED_PRECONDITION, "NO_TRIAL")
    tried = pb.Pool(name=own, trial=pb.Trial(other=lists, block=seconds(900)))
    shown = server.floor.UpdatePool(pb.UpdatePoolRequest(pool=tried), timeout=CALL_S).trial
    check.same("another policy is tried in blocks of a quarter of an hour", shown.block.seconds, 900)
    check.ok("and reported on", server.supervision.ReportTrial(report, timeout=CALL_S).HasField("trial"))


STORIES = [("the floor", watches), ("why", explains), ("money", money)]

"""Rules: drafted, checked, published while the floor runs, explained by their version, and put back."""

import grpc

from kit.centre import agent, apart, interaction, queue, submit
from kit.desk import Desk, named
from kit.server import CALL_S, TENANT
from kit.stubs import pb

ABORTED, INVALID = grpc.StatusCode.ABORTED, grpc.StatusCode.INVALID_ARGUMENT
FAILED = grpc.StatusCode.FAILED_PRECONDITION


def points(figure):
    return f"name: points {figure}\nqueues:\n  ruled: {{ priority: {figure} }}\n"


def text(document):
    return pb.Document(text=document)


def draft_of(server):
    return server.rules.GetDraft(pb.GetDraftRequest(parent=TENANT), timeout=CALL_S)


def write(server, document, etag):
    request = pb.UpdateDraftRequest(parent=TENANT, text=document, etag=etag, reason="a story")
    return server.rules.UpdateDraft(request, timeout=CALL_S)


def publish(server, waiting=pb.WAITING_POLICY_KEEP, reason="a story", **document):
    request = pb.PublishRequest(parent=TENANT, reason=reason, waiting=waiting, **document)
    return server.rules.Publish(request, timeout=CALL_S)


def version_of(server, name):
    explained = server.supervision.Explain(pb.ExplainRequest(interaction=name), timeout=CALL_S)
    return explained.interaction.rule_set_version


def drafts_and_publishes(check, server):
    # Somebody who could serve them: a validation doubts queues without.
    agent(server, "rue", pool=apart(server, "ruled"))
    first = server.rules.GetVersion(pb.GetVersionRequest(name=f"{TENANT}/rules/in-force"), timeout=CALL_S)
    check.same("the first version came with the start", (first.publisher, first.reason), ("server", "at start"))
    waiting = submit(server, interaction("ruled", "ruled-1")).interaction
    start = draft_of(server)
    check.same("a draft starts from what is in force", (start.text, start.author), (first.text, ""))
    mine = write(server, points(4), start.etag)
    told = check.refused("the second of two editors is refused", lambda: write(server, points(7), start.etag),
                         ABORTED, "ETAG_MISMATCH", "etag")
    check.ok("and told what changed", "queue ruled: priority points 0 → 4" in told.get("difference", ""), told)
    request = pb.ValidateRequest(parent=TENANT, document=text("name: x\nqueues:\n  ruled: { priority: 999 }\n"))
    wrong = server.rules.Validate(request, timeout=CALL_S).errors
    check.same("what is wrong is told with line and field", [(one.line, one.field) for one in wrong],
               [(3, "queues.ruled.priority")])
    right = server.rules.Validate(pb.ValidateRequest(parent=TENANT), timeout=CALL_S)
    check.same("the draft is right", (list(right.errors), list(right.warnings)), ([], []))
    preview = server.rules.Preview(pb.PreviewRequest(parent=TENANT), timeout=CALL_S)
    listed = [one for one in preview.interactions if one.interaction == waiting.name]
    check.same("a preview says whose plan would be another", [list(one.changes) for one in listed],
               [["priority points 0 → 4"]])
    answer = publish(server, draft_etag=mine.etag)
    number = answer.version.number
    check.same("publishing answers with the next version", (number, answer.planned_again), (first.number + 1, 0))
    check.ok("and with what changed", "queue ruled: priority points 0 → 4" in answer.changes, answer.changes)
    fresh = submit(server, interaction("ruled", "ruled-2")).interaction
    check.same("who comes next is planned by it", (version_of(server, fresh.name), fresh.priority), (number, 4))
    check.same("who waits keeps the plan", version_of(server, waiting.name), first.number)
    check.refused("a draft is published once", lambda: publish(server, draft_etag=mine.etag), FAILED, "NO_DRAFT")


def plans_again_and_rolls_back(check, server):
    before = server.rules.ListVersions(pb.ListVersionsRequest(parent=TENANT), timeout=CALL_S).versions
    waiting = submit(server, interaction("ruled", "ruled-3")).interaction
    answer = publish(server, pb.WAITING_POLICY_PLAN_AGAIN, text=points(6))
    check.ok("who waits is planned again and counted", answer.planned_again >= 1, answer)
    one = server.interactions.Get(pb.GetInteractionRequest(name=waiting.name), timeout=CALL_S)
    check.same("in place, by the new version", (one.rule_set_version, one.priority, one.enter_time),
               (answer.version.number, 6, waiting.enter_time))
    request = pb.RollbackRequest(parent=TENANT, reason="it was worse", waiting=pb.WAITING_POLICY_PLAN_AGAIN)
    back = server.rules.Rollback(request, timeout=CALL_S)
    check.same("rolled back is the version before, under its own number", back.version.number, before[0].number)
    check.same("and who waits is planned by it again", version_of(server, waiting.name), before[0].number)
    diff = pb.DiffRequest(parent=TENANT, to=text(points(6)),
                          **{"from": pb.Document(name=f"{TENANT}/rules/in-force")})
    changes = list(server.rules.Diff(diff, timeout=CALL_S).changes)
    check.ok("what changes is said in sentences", "queue ruled: priority points 4 → 6" in changes, changes)
    server.interactions.Cancel(pb.CancelRequest(name=waiting.name), timeout=CALL_S)


ORDERED = """name: ordered
facts:
  product: { type: text, meaning: what they have with us }
rules:
  - name: mortgages
    when: has(attribute.product) && attribute.product == "mortgage"
    then: { queue: led-desk, tags: [mortgage], instruction: Ask for the deed. }
fallback: { queue: led }
"""


def leads_by_rules(check, server):
    own = apart(server, "led")
    queue(server, "led-desk", pool=own)
    agent(server, "lea", pool=own)
    check.refused("a fallback to a queue that is not there is refused",
                  lambda: publish(server, text=ORDERED.replace("queue: led }", "queue: nowhere }")),
                  FAILED, "FALLBACK_WITHOUT_QUEUE")
    number = publish(server, text=ORDERED).version.number

    def led(external_id, **attributes):
        shown = interaction("led", external_id, attributes=attributes)
        shown.queue = ""
        return submit(server, shown).interaction

    def reasons(one):
        told = server.supervision.Explain(pb.ExplainRequest(interaction=one.name), timeout=CALL_S)
        return [(rule.rule, rule.outcome, rule.sentence) for rule in told.rules]

    mortgage, plain, card = led("led-1", product="mortgage"), led("led-2"), led("led-3", product="card")
    check.same("who names no queue is led by a rule over what came with them",
               (mortgage.queue, list(mortgage.tags), mortgage.rule_set_version),
               (named("queues", "led-desk"), ["mortgage"], number))
    check.same("or falls back", [(one.queue, list(one.tags)) for one in (plain, card)],
               [(named("queues", "led"), [])] * 2)
    check.same("why it matched is told", reasons(mortgage), [("mortgages", pb.RuleTrace.MATCHED, "")])
    check.same("and why it did not", reasons(card), [("mortgages", pb.RuleTrace.NOT_MATCHED,
               'attribute.product == "mortgage"; attribute.product is "card"')])
    for one in (plain, card):
        server.interactions.Cancel(pb.CancelRequest(name=one.name), timeout=CALL_S)
    desk = Desk(server, "lea")
    desk.available()
    card = desk.offer(mortgage.name).card
    check.same("what to do is on the card", list(card.instructions), ["Ask for the deed."])
    desk.serve(mortgage.name)
    desk.leave()
    back = server.rules.Rollback(pb.RollbackRequest(parent=TENANT, reason="the story is over"), timeout=CALL_S)
    check.ok("put back, the rule is told as removed",
             any(said.startswith("rule `mortgages`: removed") for said in back.changes), back.changes)


def refuses(check, server):
    check.refused("rules that are wrong are refused", lambda: publish(server, text="name: x\nqueue: {}\n"),
                  INVALID, "RULES_WRONG", "text")
    check.refused("a reason is needed", lambda: publish(server, reason="", text=points(1)), INVALID,
                  "FIELD_MISSING", "reason")
    gone = pb.GetVersionRequest(name=named("rules", "999999"))
    check.refused("an unknown version is not found", lambda: server.rules.GetVersion(gone, timeout=CALL_S),
                  grpc.StatusCode.NOT_FOUND, "VERSION_NOT_FOUND", "name")


def is_audited(check, server):
    trail = server.rules.ListAudit(pb.ListAuditRequest(parent=TENANT), timeout=CALL_S).entries
    check.same("the trail counts without gaps", [one.sequence for one in trail],
               list(range(len(trail), 0, -1)))
    check.ok("and says who, what and why", all(one.who and one.what and one.hash for one in trail))
    page = server.rules.ListAudit(pb.ListAuditRequest(parent=TENANT, page_size=2), timeout=CALL_S)
    rest = pb.ListAuditRequest(parent=TENANT, page_token=page.next_page_token)
    both = list(page.entries) + list(server.rules.ListAudit(rest, timeout=CALL_S).entries)
    check.same("page by page it is the same", both, list(trail))
    verdict = server.rules.VerifyAudit(pb.VerifyAuditRequest(parent=TENANT), timeout=CALL_S)
    check.same("nobody has changed it", (verdict.intact, verdict.rows, verdict.head),
               (True, len(trail), trail[0].hash))


STORIES = [("a draft is checked, published and explained", drafts_and_publishes),
           ("who waits is planned again, and a version put back", plans_again_and_rolls_back),
           ("ordered rules lead, mark and instruct", leads_by_rules),
          ("what cannot be published is refused", refuses),
           ("whatever was done is in the trail", is_audited)]

"""Floor: pools, skills, queues and agents, each with the standard methods and etags."""

import grpc

from kit.centre import agent, pool, queue, requirement, skill
from kit.desk import named, seconds
from kit.server import CALL_S, TENANT
from kit.stubs import pb

ABORTED, INVALID = grpc.StatusCode.ABORTED, grpc.StatusCode.INVALID_ARGUMENT
IN_USE = grpc.StatusCode.FAILED_PRECONDITION


class Methods:
    """The five methods of one kind."""

    def __init__(self, server, kind):
        self.server, self.kind, self.plural = server.floor, kind, f"{kind}s"

    def call(self, verb, request):
        return getattr(self.server, verb)(request, timeout=CALL_S)

    def get(self, name):
        return self.call(f"Get{self.kind}", pb.GetFloorRequest(name=name))

    def list(self):
        answer = self.call(f"List{self.plural}", pb.ListFloorRequest(parent=TENANT))
        return list(getattr(answer, self.plural.lower()))

    def create(self, key, **fields):
        kind = self.kind.lower()
        thing = getattr(pb, self.kind)(**fields)
        request = getattr(pb, f"Create{self.kind}Request")
        return self.call(f"Create{self.kind}", request(parent=TENANT, **{f"{kind}_id": key, kind: thing}))

    def update(self, thing):
        request = getattr(pb, f"Update{self.kind}Request")
        return self.call(f"Update{self.kind}", request(**{self.kind.lower(): thing}))

    def delete(self, name, etag=""):
        return self.call(f"Delete{self.kind}", pb.DeleteFloorRequest(name=name, etag=etag))


def standard(check, server):
    for kind in ("Pool", "Skill", "Queue", "Agent"):
        methods, word = Methods(server, kind), kind.lower()
        collection = methods.plural.lower()
        made = methods.create("std-b", display_name="first")
        check.same(f"a {word} is made under its name", (made.name, made.display_name),
                   (named(collection, "std-b"), "first"))
        check.ok(f"a {word} has an etag", made.etag)
        check.same(f"a {word} is got as it was made", methods.get(made.name), made)
        check.refused(f"a second {word} of the same id", lambda: methods.create("std-b"),
                      grpc.StatusCode.ALREADY_EXISTS)
        methods.create("std-a")
        names = [one.name for one in methods.list()]
        check.ok(f"{collection} are listed by id", made.name in names and names == sorted(names), names)
        changed = type(made)()
        changed.CopyFrom(made)
        changed.display_name = "second"
        updated = methods.update(changed)
        check.ok(f"an update of a {word} changes it and its etag",
                 updated.display_name == "second" and updated.etag != made.etag, updated)
        check.refused(f"an update of a {word} from an old etag is a conflict", lambda: methods.update(changed),
                      ABORTED, "ETAG_MISMATCH", f"{word}.etag")
        changed.etag = ""
        changed.display_name = "third"
        check.same(f"an update of a {word} without an etag goes through", methods.update(changed).display_name,
                   "third")
        check.refused(f"a {word} is not deleted under an old etag",
                      lambda: methods.delete(made.name, made.etag), ABORTED, "ETAG_MISMATCH")
        methods.delete(made.name, methods.get(made.name).etag)
        missing = grpc.StatusCode.NOT_FOUND, f"{kind.upper()}_NOT_FOUND"
        check.refused(f"a deleted {word} is gone", lambda: methods.get(made.name), *missing)
        check.refused("and cannot be changed", lambda: methods.update(changed), *missing)
        check.refused("nor deleted", lambda: methods.delete(made.name), *missing)
        check.refused(f"a {word} with a wrong id", lambda: methods.create("Not An Id"), INVALID,
                      field=f"{word}_id")
        check.refused(f"a {word} with a name that is too long",
                      lambda: methods.create("std-c", display_name="x" * 129), INVALID,
                      field=f"{word}.display_name")


def use(check, server):
    own = pool(server, "used").name
    skill(server, "used-skill")
    queue(server, "used-queue", pool=own, requirements=[requirement("used-skill", 2)])
    agent(server, "used-agent", {"used-skill": 3}, pool=own)
    check.refused("a pool that has queues is in use", lambda: Methods(server, "Pool").delete(own), IN_USE, "IN_USE")
    check.refused("a skill that somebody has is in use",
                  lambda: Methods(server, "Skill").delete(named("skills", "used-skill")), IN_USE, "IN_USE")
    check.ok("the pool `main` always exists", Methods(server, "Pool").get(named("pools", "main")))
    check.same("a queue keeps what was asked", Methods(server, "Queue").get(named("queues", "used-queue"))
               .requirements[0].proficiency, 2)
    check.same("defaults are shown as they stand", Methods(server, "Queue").get(named("queues", "used-queue"))
               .offer_expiry.seconds, 15)
    check.same("an agent keeps the skills", Methods(server, "Agent").get(named("agents", "used-agent"))
               .skills[0].proficiency, 3)


def refuses(check, server):
    missing = grpc.StatusCode.NOT_FOUND

    def wrong(sentence, call, field, code=INVALID, reason=None):
        check.refused(sentence, call, code, reason, field)

    wrong("proficiency 11", lambda: agent(server, "x", {"es": 11}), "agent.skills.proficiency")
    wrong("proficiency 0", lambda: agent(server, "x", {"es": 0}), "agent.skills.proficiency")
    wrong("a skill that does not exist", lambda: agent(server, "x", {"none": 1}), "agent.skills", missing,
          "SKILL_NOT_FOUND")
    wrong("a pool that does not exist", lambda: queue(server, "x", pool=named("pools", "none")), "queue.pool",
          missing, "POOL_NOT_FOUND")
    wrong("a capacity of 1,001", lambda: agent(server, "x", capacity=1_001), "agent.capacity")
    wrong("an offer open for 0.5 s", lambda: queue(server, "x", offer_expiry=seconds(0.5)), "queue.offer_expiry")
    wrong("a wrap-up of two hours", lambda: queue(server, "x", wrap_up_time=seconds(7_200)),
          "queue.wrap_up_time")
    wrong("an expiry policy that does not exist", lambda: queue(server, "x", on_expiry=9), "queue.on_expiry")


STORIES = [("the standard methods", standard), ("what is in use", use), ("what the floor refuses", refuses)]

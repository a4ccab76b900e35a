"""The edge: health, reflection, and what no service knows."""

import grpc
from google.protobuf.duration_pb2 import Duration
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from kit.centre import interaction, submit
from kit.desk import named
from kit.server import CALL_S, TENANT
from kit.stubs import pb

SERVICES = ["Agents", "Customers", "Floor", "Interactions", "Rules", "Supervision"]


def health(check, server):
    stub = health_pb2_grpc.HealthStub(server.channel)
    serving = health_pb2.HealthCheckResponse.SERVING
    answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=CALL_S)
    check.same("the server says that it is serving", answer.status, serving)
    watch = stub.Watch(health_pb2.HealthCheckRequest(), timeout=CALL_S)
    check.same("and says so to who watches", next(watch).status, serving)
    watch.cancel()


def reflection(check, server):
    want = [f"baton.v1.{name}" for name in SERVICES]
    # Both versions have the same messages; clients in the field know one, the other, or both.
    current = server.channel.stream_stream(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString)
    answer = next(current(iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=CALL_S))
    listed = [one.name for one in answer.list_services_response.service]
    check.ok("reflection v1 lists every service", set(want) <= set(listed), listed)
    known = ProtoReflectionDescriptorDatabase(server.channel)
    check.ok("reflection v1alpha lists every service", set(want) <= set(known.get_services()))
    file = known.FindFileContainingSymbol("baton.v1.Agents")
    check.same("and describes it", file.name, "baton/v1/agents.proto")


def unknown(check, server):
    call = server.channel.unary_unary("/baton.v1.Interactions/Nothing", request_serializer=lambda _: b"",
                                      response_deserializer=lambda answer: answer)
    check.refused("a method that does not exist", lambda: call(None), grpc.StatusCode.UNIMPLEMENTED)
    rubbish = server.channel.unary_unary("/baton.v1.Interactions/Get", request_serializer=lambda _: b"\xff\xff\xff",
                                         response_deserializer=lambda answer: answer)
    try:
        rubbish(None, timeout=CALL_S)
        check.ok("bytes that are no message are refused", False, "an answer")
    except grpc.RpcError as error:
        check.ok("bytes that are no message are refused", error.code() in
                 (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL), error.code())
    for name in ("", "interactions/1", named("queues", "1"), named("interactions", "x"),
                 named("interactions", "0"), named("interactions", "99999999999999999999")):
        check.refused(f"the name {name!r}", lambda: server.interactions.Get(
            pb.GetInteractionRequest(name=name)), grpc.StatusCode.INVALID_ARGUMENT, field="name")
    check.refused("another tenant's interaction", lambda: server.interactions.Get(
        pb.GetInteractionRequest(name="tenants/other/interactions/1")), grpc.StatusCode.NOT_FOUND)
    call = interaction("billing", "foreign")
    call.queue = "tenants/other/queues/billing"
    check.refused("another tenant's queue of the same id", lambda: submit(server, call), grpc.StatusCode.NOT_FOUND)
    known = pb.AgentSkill(skill="tenants/other/skills/es", proficiency=1)
    check.refused("another tenant's skill of the same id", lambda: server.floor.CreateAgent(pb.CreateAgentRequest(
        parent=TENANT, agent_id="foreign", agent=pb.Agent(skills=[known]))), grpc.StatusCode.NOT_FOUND)
    own = server.interactions.Get(pb.GetInteractionRequest(name="tenants/-/interactions/1"), timeout=CALL_S)
    check.same("`tenants/-` is the caller's own", own.name, named("interactions", 1))


def extremes(check, server):
    """Whatever comes, the server is still there afterwards."""
    largest = 2**64 - 1
    calls = {
        "the largest page token": lambda: server.interactions.ListOpen(
            pb.ListOpenRequest(parent=TENANT, source="pbx-1", page_token=str(largest)), timeout=CALL_S),
        "the largest interaction": lambda: server.interactions.Get(
            pb.GetInteractionRequest(name=named("interactions", largest)), timeout=CALL_S),
        "the largest decision": lambda: server.supervision.Explain(
            pb.ExplainRequest(interaction=named("interactions", 1), decision=largest), timeout=CALL_S),
        "the largest customer": lambda: server.customers.ListHistory(
            pb.ListHistoryRequest(parent=named("customers", largest)), timeout=CALL_S),
        "the largest wait": lambda: server.interactions.Wait(pb.WaitRequest(
            name=named("interactions", 1), max_wait=Duration(seconds=315_576_000_000)), timeout=CALL_S),
        "five megabytes": lambda: submit(server, interaction("billing", "big", message="x" * 5_000_000)),
    }
    for what, call in calls.items():
        try:
            call()
        except grpc.RpcError as error:
            check.ok(f"{what}: is refused for what it is", error.code() not in
                     (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN), error.code())
        check.same(f"{what}: the server is still there", server.process.poll(), None)


STORIES = [("health", health), ("reflection", reflection), ("what no service knows", unknown),
           ("the largest of everything", extremes)]

"""A small contact centre through the public API: what most stories need before they begin."""

from .checks import until
from .desk import named
from .server import CALL_S, TENANT
from .stubs import pb


def skill(server, name):
    return server.floor.CreateSkill(pb.CreateSkillRequest(parent=TENANT, skill_id=name), timeout=CALL_S)


def queue(server, name, **fields):
    request = pb.CreateQueueRequest(parent=TENANT, queue_id=name, queue=pb.Queue(**fields))
    return server.floor.CreateQueue(request, timeout=CALL_S)


def pool(server, name):
    return server.floor.CreatePool(pb.CreatePoolRequest(parent=TENANT, pool_id=name), timeout=CALL_S)


def agent(server, name, skills=None, **fields):
    known = [pb.AgentSkill(skill=named("skills", key), proficiency=level)
             for key, level in (skills or {}).items()]
    request = pb.CreateAgentRequest(parent=TENANT, agent_id=name, agent=pb.Agent(skills=known, **fields))
    return server.floor.CreateAgent(request, timeout=CALL_S)


def apart(server, name, **fields):
    """A queue in a pool of its own, so that no other story's agents reach it. The name of the pool."""
    own = pool(server, name).name
    queue(server, name, pool=own, **fields)
    return own


def interaction(queue_name, external_id, source="pbx-1", channel=None, **fields):
    channel = pb.CHANNEL_VOICE if channel is None else channel
    return pb.Interaction(source=source, external_id=external_id, channel=channel,
                          queue=named("queues", queue_name), **fields)


def submit(server, shown, timeout=CALL_S, **fields):
    request = pb.SubmitRequest(parent=TENANT, interaction=shown, **fields)
    return server.interactions.Submit(request, timeout=timeout)


def recognised(server, shown):
    """Submits, and waits until it is known whose it is: on a slow machine that comes later than the answer."""
    name = submit(server, shown).interaction.name

    def look():
        found = server.interactions.Get(pb.GetInteractionRequest(name=name), timeout=CALL_S)
        return found if found.customer else None
    return until(f"it is known whose {name} is", look)


def requirement(name, proficiency):
    return pb.Requirement(skill=named("skills", name), proficiency=proficiency)

"""Redis with a Lua script that picks the best of 16 agents with the skill: the same choice, made beside the data.

1,000 agents, 20 with each of 50 skills, in a sorted set for each skill by the time they came free. The script looks
at the first 16, takes the one with the least in hand (the longest idle first), counts the route and puts the agent
back as free from now: one call for all of it, so it is spared the offer, the accept and the rest of a life.
The client is `redis-benchmark`, over TCP on 127.0.0.1.
"""

import shutil
import subprocess

from children import Missing, await_true, free_port, output, running

SKILLS, AGENTS = 50, 1_000
# Routes of the trial that says how many to ask for.
TRIAL = 20_000
SCRIPT = """
local skill = tonumber(ARGV[1]) % 50
local line = 'skill:' .. skill
local able = redis.call('ZRANGE', line, 0, 15)
local best, least
for _, agent in ipairs(able) do
  local state = redis.call('HMGET', agent, 'free', 'load')
  local load = tonumber(state[2])
  if state[1] == '1' and (not least or load < least) then best, least = agent, load end
end
if not best then return false end
local now = redis.call('INCR', 'now')
redis.call('ZADD', line, now, best)
redis.call('HSET', best, 'last', ARGV[1])
return best
"""


class Redis:
    def __init__(self, folder, clients):
        self.folder, self.clients = folder, clients

    def of(self, pipeline, durable=False):
        def measure(seconds):
            for program in ("redis-server", "redis-cli", "redis-benchmark"):
                if not shutil.which(program):
                    raise Missing(f"{program} is not there: Debian has it in redis-server and redis-tools")
            port = str(free_port())
            kept = ["--appendonly", "yes", "--appendfsync", "always"] if durable else ["--appendonly", "no"]
            data = self.folder / f"redis-{port}"
            data.mkdir()
            with running(["redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "",
                          "--dir", str(data), *kept]):
                ask = ["redis-cli", "-h", "127.0.0.1", "-p", port]
                await_true("redis", lambda: answers(ask))
                subprocess.run(ask, input=floor(), text=True, check=True, stdout=subprocess.DEVNULL, timeout=20)
                digest = output([*ask, "SCRIPT", "LOAD", SCRIPT], 10).strip()
                trial = self.asked(port, digest, pipeline, TRIAL, 60)
                # The trial is part of nothing; the count is bounded by what it says fits in the time.
                return {"per_s": self.asked(port, digest, pipeline, int(trial * seconds), 4 * seconds + 20)}
        return measure

    def asked(self, port, digest, pipeline, count, bound):
        # In flight is what the others have in flight: fewer clients when each has a pipeline.
        clients = max(1, self.clients // pipeline)
        out = output(["redis-benchmark", "-h", "127.0.0.1", "-p", port, "-n", str(max(count, clients)),
                      "-c", str(clients), "-P", str(pipeline), "-r", "1000000", "--csv",
                      "EVALSHA", digest, "0", "__rand_int__"], bound)
        rows = [line for line in out.splitlines() if line.startswith('"EVALSHA')]
        return float(rows[-1].rsplit('",', 1)[0].split('","')[1].strip('"')) if rows else float("nan")


def answers(ask):
    asked = subprocess.run([*ask, "PING"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=5)
    return asked.stdout.strip() == "PONG"


def floor():
    lines = [f"SET now {AGENTS}"]
    for agent in range(AGENTS):
        lines.append(f"HSET a{agent} free 1 load 0 last 0")
        lines.append(f"ZADD skill:{agent % SKILLS} {agent} a{agent}")
    return "\n".join(lines) + "\n"

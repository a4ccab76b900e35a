"""PostgreSQL as a router: one statement takes the longest idle agent with the skill (`FOR UPDATE SKIP LOCKED`),
marks it idle from now and writes the route. One commit each, durable (fsync and synchronous_commit are on).

1,000 agents, 20 with each of 50 skills. A temporary cluster of its own, on a unix socket alone, owned by the user
`postgres` when root starts it, because a server refuses to run as root. The client is `pgbench` with 16 connections.
"""

import os
import pwd
import shutil
from pathlib import Path

from children import Missing, await_true, output, running

CONNECTIONS, THREADS = 16, 2
FLOOR = """
CREATE TABLE agents (agent int PRIMARY KEY, skill int NOT NULL, free bool NOT NULL, idle_since timestamptz NOT NULL);
INSERT INTO agents SELECT n, n % 50, true, now() + n * interval '1 ms' FROM generate_series(0, 999) n;
CREATE INDEX idle ON agents (skill, idle_since) WHERE free;
CREATE TABLE routes (route bigserial PRIMARY KEY, agent int NOT NULL, at timestamptz NOT NULL);
ANALYZE;
"""
TAKE = r"""
\set skill random(0, 49)
WITH best AS (
  SELECT agent FROM agents WHERE free AND skill = :skill ORDER BY idle_since LIMIT 1 FOR UPDATE SKIP LOCKED
), taken AS (
  UPDATE agents SET idle_since = clock_timestamp() FROM best WHERE agents.agent = best.agent RETURNING agents.agent
)
INSERT INTO routes (agent, at) SELECT agent, clock_timestamp() FROM taken;
"""


class Postgres:
    def __init__(self, folder):
        self.folder = folder
        self.turn = 0

    def measure(self, seconds):
        programs = found()
        self.turn += 1
        home = self.folder / f"postgres-{self.turn}"
        home.mkdir(mode=0o700)
        (home / "take.sql").write_text(TAKE)
        (home / "floor.sql").write_text(FLOOR)
        owner = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            for path in (home, home / "take.sql", home / "floor.sql"):
                os.chown(path, user.pw_uid, user.pw_gid)
            owner = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        rest = {"cwd": home, **owner}
        data, at = str(home / "data"), ["-h", str(home), "-U", "postgres"]
        output([programs["initdb"], "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8"], 60, **rest)
        with running([programs["postgres"], "-D", data, "-k", str(home), "-c", "listen_addresses="], **rest):
            ready = lambda: (home / ".s.PGSQL.5432").exists() and answers(programs, at, rest)
            await_true("postgres", ready, bound=30)
            output([programs["psql"], *at, "-q", "-v", "ON_ERROR_STOP=1", "-f", "floor.sql"], 30, **rest)
            out = output([programs["pgbench"], *at, "-n", "-c", str(CONNECTIONS), "-j", str(THREADS),
                          "-T", str(seconds), "-f", "take.sql", "postgres"], seconds + 30, **rest)
        line = next(line for line in out.splitlines() if line.startswith("tps ="))
        return {"per_s": float(line.split()[2])}


def answers(programs, at, rest):
    try:
        return output([programs["psql"], *at, "-Atc", "SELECT 1"], 10, **rest).strip() == "1"
    except ValueError:
        return False


def found():
    """Its programs: on the path, or where Debian keeps those of a server."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    way = os.pathsep.join([*map(str, places), os.environ.get("PATH", "")])
    programs = {name: shutil.which(name, path=way) for name in ("initdb", "postgres", "psql", "pgbench")}
    missing = [name for name, path in programs.items() if not path]
    if missing:
        raise Missing(f"{missing[0]} is not there: Debian has it in postgresql")
    return programs

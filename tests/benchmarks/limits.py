"""What the machine gives at most today: a route that does nothing, and bare statements on the same server."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg.conninfo import make_conninfo

from tests.benchmarks.figures import Figures
from tests.benchmarks.load import finish_load, http_post, start_load, write_requests
from tests.benchmarks.own_process import in_own_process
from tests.benchmarks.plan import Plan
from tests.benchmarks.stores import settle
from tests.support.processes import eventually
from tests.support.running_service import free_port
from tests.support.servers import fresh_database

NAME = "limits"
OPEN_LOOP_RATE = 300
BODY_BYTES = 450
CONNECTIONS = 32
BARE_CONNECTIONS = 8
ROWS_PER_STATEMENT = 1_000
_INSERT = "INSERT INTO bare (headers, body) VALUES (%b, %b)"
_TABLES = """
CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, headers bytea, body bytea);
CREATE TABLE bare_events (id uuid, version bigint, topic text, state bytea, place bigserial, PRIMARY KEY (id, version));
CREATE UNIQUE INDEX ON bare_events (place);
"""


def run(plan: Plan, figures: Figures) -> None:
    """Measure each limit once."""
    _noop(plan, figures)
    with fresh_database(plan.server_url) as url:
        with psycopg.connect(url) as connection:
            connection.execute(_TABLES)
        settle(url)
        commits = in_own_process(commits_per_second, url, plan.seconds / 2).answer
        figures.add(NAME, "bare one-row INSERT + COMMIT, one connection", commits, "/s")
        p50, p99 = in_own_process(paced_commits, url, OPEN_LOOP_RATE, plan.seconds).answer
        figures.add(NAME, "bare one-row INSERT + COMMIT at 300/s, p50", p50, "ms")
        figures.add(NAME, "bare one-row INSERT + COMMIT at 300/s, p99", p99, "ms")
        rows = in_own_process(rows_per_second, url, plan.seconds / 2).answer
        figures.add(NAME, "bare INSERT … unnest, 1,000 event rows a commit", rows, "rows/s")


def _noop(plan: Plan, figures: Figures) -> None:
    port = free_port()
    requests = plan.directory / "noop.requests"
    posts = int(plan.seconds * 20_000)
    write_requests(requests, [http_post("/noop", {}, b"x" * BODY_BYTES)] * posts)
    with subprocess.Popen([sys.executable, "-m", "tests.benchmarks.noop", str(port)]) as server:
        try:
            if not eventually(lambda: _listens(port)):
                raise TimeoutError("the route that does nothing does not listen")
            loaded = finish_load(start_load(requests, port, connections=CONNECTIONS, seconds=plan.seconds / 2))
            figures.add(NAME, "route that does nothing, closed loop", loaded.sent / loaded.seconds, "posts/s")
            paced = finish_load(
                start_load(requests, port, connections=CONNECTIONS, rate=OPEN_LOOP_RATE, seconds=plan.seconds / 2)
            )
            figures.add(NAME, "route that does nothing at 300/s, p99", paced.p99_ms, "ms")
        finally:
            server.kill()
    Path(requests).unlink()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True


def commits_per_second(database_url: str, seconds: float) -> float:
    """Insert one row after the other, each with its commit."""
    body = os.urandom(BODY_BYTES)
    with psycopg.connect(database_url, autocommit=True) as connection:
        started, rows = time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            connection.execute(_INSERT, (b"", body))
            rows += 1
        return rows / (time.perf_counter() - started)


def rows_per_second(database_url: str, seconds: float) -> float:
    """Insert event-like rows by the thousand, each thousand with its commit."""
    state = os.urandom(250)
    with psycopg.connect(database_url, autocommit=True) as connection:
        spent, rows = 0.0, 0
        while spent < seconds:
            ids = [uuid4() for _ in range(ROWS_PER_STATEMENT)]
            started = time.perf_counter()
            connection.execute(
                "INSERT INTO bare_events (id, version, topic, state)"
                " SELECT * FROM unnest(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[])",
                (ids, [1] * len(ids), ["EmailMessage.Opened"] * len(ids), [state] * len(ids)),
            )
            spent += time.perf_counter() - started
            rows += len(ids)
        return rows / spent


def paced_commits(database_url: str, rate: float, seconds: float) -> tuple[float, float]:
    """Insert at a rate whatever the answers, and give p50 and p99 in ms from the moment each was due."""
    return asyncio.run(_paced_commits(database_url, rate, seconds))


async def _paced_commits(database_url: str, rate: float, seconds: float) -> tuple[float, float]:
    loop = asyncio.get_running_loop()
    body = os.urandom(BODY_BYTES)
    idle: asyncio.Queue[psycopg.AsyncConnection] = asyncio.Queue()
    for _ in range(BARE_CONNECTIONS):
        idle.put_nowait(
            await psycopg.AsyncConnection.connect(make_conninfo(database_url), autocommit=True, prepare_threshold=0)
        )
    times: list[float] = []

    async def insert(due: float) -> None:
        connection = await idle.get()
        await connection.execute(_INSERT, (b"", body))
        times.append(loop.time() - due)
        idle.put_nowait(connection)

    started = loop.time() + 0.05
    async with asyncio.TaskGroup() as inserts:
        for number in range(int(rate * seconds)):
            due = started + number / rate
            if (wait_s := due - loop.time()) > 0:
                await asyncio.sleep(wait_s)
            inserts.create_task(insert(due))
    while not idle.empty():
        await idle.get_nowait().close()
    times.sort()
    return 1_000 * times[len(times) // 2], 1_000 * times[len(times) * 99 // 100]

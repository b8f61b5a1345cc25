"""Reception while the database is cut off, silent, locked or restarted: 503 at once, never a false 200, back soon."""

import threading
import time
from datetime import UTC, datetime

import psycopg
import pytest

from tests.support.edge import BODIES, Edge
from tests.support.failing_link import link_to_postgres
from tests.support.processes import eventually
from tests.support.signed_deliveries import SIGNERS

SENDGRID = SIGNERS["sendgrid"]
HANGS_S = 20.0


@pytest.fixture
def endpoint(endpoints, organization_id):
    return endpoints.add(organization_id, "sendgrid", keys=[SENDGRID.key])


@pytest.fixture
def link_and_edge(database_url, redis_url):
    link, url = link_to_postgres(database_url)
    with link, Edge(url(), redis_url) as edge:
        yield link, edge


def deliver(edge, endpoint, number=0):
    headers, body = SENDGRID.sign(b'[{"number":%d}]' % number, now=datetime.now(UTC))
    return edge.post(endpoint.path, body, headers)


def number_kept(database):
    return database.execute("SELECT count(*) FROM ops.webhook_inbox").fetchone()[0]


@pytest.mark.parametrize("failure", ["cut", "silence"])
@pytest.mark.parametrize("known", [True, False], ids=["known endpoint", "never seen endpoint"])
def test_without_the_database_the_provider_is_told_to_retry(link_and_edge, endpoint, database, failure, known):
    link, edge = link_and_edge
    if known:
        assert deliver(edge, endpoint).status == 200
    kept = number_kept(database)

    getattr(link, failure)()
    started = time.monotonic()
    answers = [deliver(edge, endpoint) for _ in range(3)]
    took_s = time.monotonic() - started

    assert [answer.status for answer in answers] == [503, 503, 503]
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)
    assert took_s < 3 * HANGS_S
    link.restore()
    assert eventually(lambda: deliver(edge, endpoint).status == 200)
    assert number_kept(database) > kept


def test_what_is_acknowledged_while_the_database_comes_and_goes_is_kept(link_and_edge, endpoint, database):
    link, edge = link_and_edge
    acknowledged, over = [], threading.Event()

    def post_all(first):
        number = first
        while not over.is_set():
            if deliver(edge, endpoint, number).status == 200:
                acknowledged.append(b'[{"number":%d}]' % number)
            number += 4

    posters = [threading.Thread(target=post_all, args=[first]) for first in range(4)]
    for poster in posters:
        poster.start()
    for _ in range(4):
        seen = len(acknowledged)
        assert eventually(lambda seen=seen: len(acknowledged) > seen + 20)
        link.cut()
        link.restore()
    over.set()
    for poster in posters:
        poster.join()

    kept = {BODIES.open(body) for (body,) in database.execute("SELECT body FROM ops.webhook_inbox")}
    assert len(acknowledged) > 80
    assert set(acknowledged) <= kept


def test_a_connection_that_the_server_ended_while_idle_costs_no_delivery(link_and_edge, endpoint, database):
    _, edge = link_and_edge
    assert deliver(edge, endpoint).status == 200

    database.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mailpulse-web'")

    assert deliver(edge, endpoint).status == 200


def test_a_locked_inbox_is_not_waited_for_and_leaves_nobody_waiting(link_and_edge, endpoint, database, database_url):
    _, edge = link_and_edge
    assert deliver(edge, endpoint).status == 200

    with psycopg.connect(database_url) as locker:
        locker.execute("LOCK TABLE ops.webhook_inbox")
        started = time.monotonic()
        answer = deliver(edge, endpoint)
        took_s = time.monotonic() - started

        assert answer.status == 503
        assert took_s < HANGS_S
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mailpulse-web' AND state = 'active'"
        assert eventually(lambda: database.execute(waiting).fetchone()[0] == 0)
    assert deliver(edge, endpoint).status == 200


def test_a_database_that_refuses_to_write_is_no_false_200_and_said_once(link_and_edge, endpoint, database, caplog):
    _, edge = link_and_edge
    database.execute("ALTER TABLE ops.webhook_inbox RENAME TO elsewhere")
    try:
        answers = [deliver(edge, endpoint) for _ in range(3)]
    finally:
        database.execute("ALTER TABLE ops.elsewhere RENAME TO webhook_inbox")

    assert [(answer.status, answer.problem["code"]) for answer in answers] == [(503, "not_durable")] * 3
    assert edge.counted("refusals", provider="sendgrid", reason="not_durable") == 3
    assert [record.event for record in caplog.records if record.levelname == "ERROR"] == ["inbox_refuses"]
    assert deliver(edge, endpoint).status == 200

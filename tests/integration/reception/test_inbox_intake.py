"""The inbox's door: durable when it returns, many deliveries per commit, bounded memory."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import msgspec
import psycopg
import pytest

from adapters.postgres.inbox_intake import MOST_BATCH_BYTES, PostgresInboxIntake
from application.ports.inbox_intake import DeliveryNotKeptError, InboxOverloadedError, ProvenDelivery
from tests.support.edge import BODIES


def delivery(body=b"{}", **headers):
    return ProvenDelivery(
        endpoint_id=uuid4(),
        organization_id=uuid4(),
        provider="email",
        correlation_id="abc",
        received_at=datetime.now(UTC),
        headers=headers,
        body=body,
    )


@asynccontextmanager
async def opened(database_url, **options):
    intake = PostgresInboxIntake(database_url, BODIES, **options)
    try:
        yield intake
    finally:
        await intake.close()


def test_a_delivery_is_kept_as_it_came(database_url, database):
    given = delivery(bytes(range(256)), **{"webhook-id": "msg_ü"})

    async def keep():
        async with opened(database_url) as intake:
            await intake.keep(given)

    asyncio.run(keep())

    (row,) = database.execute(
        "SELECT endpoint_id, organization_id, provider, correlation_id, received_at, headers, body, sealed,"
        " attempts, next_attempt_at <= now() FROM ops.webhook_inbox"
    )
    assert row[:5] == (
        given.endpoint_id,
        given.organization_id,
        given.provider,
        given.correlation_id,
        given.received_at,
    )
    assert msgspec.msgpack.decode(row[5]) == given.headers
    assert given.body not in row[6]
    assert BODIES.open(row[6]) == given.body
    assert row[7:] == (True, 0, True)


def test_deliveries_that_arrive_together_share_a_commit(database_url, database):
    async def keep_many():
        async with opened(database_url) as intake:
            await asyncio.gather(*(intake.keep(delivery(b"%d" % number)) for number in range(300)))

    asyncio.run(keep_many())

    rows, transactions = database.execute(
        "SELECT count(DISTINCT body), count(DISTINCT xmin::text) FROM ops.webhook_inbox"
    ).fetchone()
    assert rows == 300
    assert transactions <= 3


def test_a_batch_of_large_bodies_is_cut(database_url, database):
    body = b"x" * (MOST_BATCH_BYTES // 2 + 1)

    async def keep_four():
        async with opened(database_url) as intake:
            await asyncio.gather(*(intake.keep(delivery(body)) for _ in range(4)))

    asyncio.run(keep_four())

    assert database.execute("SELECT count(DISTINCT xmin::text) FROM ops.webhook_inbox").fetchone() == (4,)


def test_more_than_the_memory_set_aside_is_turned_away_and_the_rest_kept(database_url, database):
    async def keep_three():
        async with opened(database_url, most_waiting_bytes=100) as intake:
            return await asyncio.gather(*(intake.keep(delivery(b"x" * 60)) for _ in range(3)), return_exceptions=True)

    outcomes = asyncio.run(keep_three())

    assert [type(outcome) for outcome in outcomes] == [type(None), InboxOverloadedError, InboxOverloadedError]
    assert database.execute("SELECT count(*) FROM ops.webhook_inbox").fetchone() == (1,)


def test_memory_is_given_back_after_success_and_failure(database_url, database):
    async def fail_then_keep():
        async with opened(database_url, most_waiting_bytes=100) as intake:
            database.execute("ALTER TABLE ops.webhook_inbox RENAME TO elsewhere")
            with pytest.raises(DeliveryNotKeptError):
                await intake.keep(delivery(b"x" * 90))
            database.execute("ALTER TABLE ops.elsewhere RENAME TO webhook_inbox")
            for _ in range(3):
                await intake.keep(delivery(b"x" * 90))

    asyncio.run(fail_then_keep())

    assert database.execute("SELECT count(*) FROM ops.webhook_inbox").fetchone() == (3,)


def test_a_client_that_leaves_harms_nobody_else(database_url, database):
    async def keep_and_leave():
        async with opened(database_url) as intake:
            leaving = [asyncio.create_task(intake.keep(delivery(b"left"))) for _ in range(5)]
            staying = [asyncio.create_task(intake.keep(delivery(b"stayed"))) for _ in range(5)]
            await asyncio.sleep(0)
            for task in leaving:
                task.cancel()
            await asyncio.gather(*staying)

    asyncio.run(keep_and_leave())

    kept = [BODIES.open(body) for (body,) in database.execute("SELECT body FROM ops.webhook_inbox")]
    assert kept.count(b"stayed") == 5


def test_a_database_that_is_not_there_is_said_so(database_url):
    async def keep():
        async with opened("postgresql://nobody@127.0.0.1:1/nowhere") as intake:
            outcomes = await asyncio.gather(*(intake.keep(delivery()) for _ in range(3)), return_exceptions=True)
            return {type(outcome) for outcome in outcomes}

    assert asyncio.run(keep()) == {DeliveryNotKeptError}


def test_closing_waits_for_what_is_being_kept(database_url, database):
    async def keep_and_close():
        intake = PostgresInboxIntake(database_url, BODIES)
        keeping = asyncio.create_task(intake.keep(delivery()))
        await asyncio.sleep(0)
        await intake.close()
        await keeping

    asyncio.run(keep_and_close())

    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM ops.webhook_inbox").fetchone() == (1,)

"""Organisations with outgoing webhooks, on a real database, with receivers on real sockets."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from adapters.outgoing.courier import HttpCourier
from adapters.postgres.outbox import PostgresOutbox
from adapters.postgres.outgoing_webhooks import SEAL_PURPOSE
from application.deliver_notifications import DeliverNotifications
from domain.notification_kinds import EVERY_KIND
from entrypoints.bootstrap import Backend
from entrypoints.secret_keys import Secret
from entrypoints.settings import Settings
from tests.support.announcer import Announcer
from tests.support.core_fixtures import database_url, template_url
from tests.support.processes import eventually
from tests.support.receivers import PATIENCE_S, Receiver

__all__ = ["database_url", "template_url"]

HOME = (ip_network("127.0.0.0/8"),)


class Clock:
    """The real time, and what a test adds to it."""

    def __init__(self):
        self.added = timedelta(0)

    def __call__(self):
        return datetime.now(UTC) + self.added


class Process:
    """What a worker process does for outgoing webhooks, in a thread; use as a context."""

    def __init__(self, backend, clock, courier):
        outbox = PostgresOutbox(backend._outbox_pool, backend.secret_box_for(SEAL_PURPOSE))
        self.courier = courier
        self.deliver = DeliverNotifications(outbox, courier, clock, lambda: 0.0)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()))

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(PATIENCE_S)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self.deliver.end)
        self._thread.join()

    def wake(self):
        self._loop.call_soon_threadsafe(self.deliver.wake)

    async def _work(self):
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self.deliver.run()
        await self.courier.close()


class Team:
    """An organisation."""

    def __init__(self, connection, backend, announcer):
        self.id = uuid4()
        self._connection = connection
        self._announcer = announcer
        self.webhooks = backend.outgoing_webhooks
        connection.execute("INSERT INTO ops.organizations (id, name) VALUES (%s, 'Acme')", (self.id,))

    def register(self, url, kinds=EVERY_KIND):
        return self.webhooks.add(self.id, url, kinds)

    def tell(self, count=1, user_id="r-7"):
        return self._announcer.tell(self.id, user_id, count, ring=False)

    def show(self, webhook):
        return self.webhooks.show(self.id, webhook.webhook.webhook_id)

    def log(self, webhook):
        """Give the deliveries, oldest first, each with its attempts."""
        deliveries = self.rows(
            "SELECT * FROM ops.outgoing_deliveries WHERE webhook_id = %s ORDER BY id", webhook.webhook.webhook_id
        )
        for delivery in deliveries:
            delivery["attempts"] = self.rows(
                "SELECT * FROM ops.outgoing_attempts WHERE delivery_id = %s ORDER BY number", delivery["id"]
            )
        return deliveries

    def outcomes(self, webhook):
        return [attempt["outcome"] for delivery in self.log(webhook) for attempt in delivery["attempts"]]

    def states(self, webhook):
        return [delivery["state"] for delivery in self.log(webhook)]

    def comes_to(self, webhook, *states):
        """Whether the webhook's deliveries come into these states."""
        return eventually(lambda: self.states(webhook) == list(states), PATIENCE_S)

    def rows(self, query, *parameters):
        return self._connection.execute(query, parameters).fetchall()

    def execute(self, statement, *parameters):
        self._connection.execute(statement, parameters)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def backend(database_url, tmp_path, clock):
    settings = Settings(
        database_url=database_url,
        redis_url="redis://127.0.0.1:1/0",
        data_dir=tmp_path,
        public_url="https://pulse.example.com",
        secret_keys=(Secret("a secret key for tests and long enough"),),
        outgoing_networks=HOME,
    )
    backend = Backend(settings)
    backend.clock = clock
    yield backend
    backend.close()


@pytest.fixture
def make_team(database_url, backend):
    with (
        psycopg.connect(database_url, autocommit=True, row_factory=dict_row) as connection,
        Announcer(database_url, "redis://127.0.0.1:1/0") as announcer,
    ):
        yield lambda: Team(connection, backend, announcer)


@pytest.fixture
def team(make_team):
    return make_team()


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def start(backend, clock):
    """Starts processes that deliver; all have ended when the test has."""
    started = []

    def start(courier=None):
        process = Process(backend, clock, courier or HttpCourier(HOME))
        started.append(process.__enter__())
        return process

    yield start
    for process in started:
        process.__exit__()

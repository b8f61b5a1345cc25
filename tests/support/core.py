"""The write side and the projections on one database, with a clock that the test sets."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
import psycopg
from psycopg.rows import dict_row

from application.email_registrations import EmailRegistration, Recipient, Sender
from entrypoints.bootstrap import READ_MODEL_TABLES, Backend
from entrypoints.secret_keys import Secret
from entrypoints.settings import Settings
from tests.support.batches import catch_up
from tests.support.emails import ACME, JOHN, NOON, minutes

SECRET_KEY = "a secret key that is long enough"
ENDPOINT = UUID("e0d00000-0000-4000-8000-000000000004")

_encode_headers = msgspec.msgpack.Encoder().encode


def item(event_type, at=NOON, message_id="m-1", **told):
    """One report as the generic provider's payload has it."""
    return {"event_type": event_type, "message_id": message_id, "timestamp": at.isoformat(), "recipient": JOHN} | told


def registration(message_id="m-1", **told):
    return EmailRegistration(
        **(
            {
                "provider": "email",
                "message_id": message_id,
                "sent_at": NOON - minutes(5),  # nobody follows a link in the minute after sending
                "subject": "Interview Invitation",
                "recipient": Recipient(id="c-1", email=JOHN, name="John Smith"),
                "sender": Sender(id="r-7", name="Ada Recruiter"),
            }
            | told
        )
    )


class Core:
    """A process of its own, as it were: connections, drain, registration, projections.

    Args:
        database_url: Migrated.
        now: What its clock says; `None`: the real time.
        secret_keys: Newest first.
    """

    def __init__(self, database_url, now=NOON, secret_keys=(SECRET_KEY,)):
        self.database_url = database_url
        self.now = now
        self.backend = Backend(
            Settings(
                database_url=database_url,
                redis_url="redis://127.0.0.1:1/0",
                data_dir=Path("unused"),
                public_url="http://127.0.0.1",
                secret_keys=tuple(map(Secret, secret_keys)),
            )
        )
        self.backend.clock = lambda: self.now or datetime.now(UTC)

    def close(self):
        self.backend.close()

    @property
    def units(self):
        return self.backend._units

    def receive(self, *items, provider="email", organization_id=ACME, body=None, received_at=NOON):
        """Put one delivery into the inbox, as the edge does."""
        payload = msgspec.json.encode(items) if body is None else body
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            [id_] = connection.execute(
                "INSERT INTO ops.webhook_inbox (endpoint_id, organization_id, provider, correlation_id, received_at,"
                " headers, body) VALUES (%s, %s, %s, '', %s, %s, %s) RETURNING id",
                (ENDPOINT, organization_id, provider, received_at, _encode_headers({}), payload),
            ).fetchone()
        return id_

    def receive_many(self, deliveries, organization_id=ACME):
        """Put many deliveries, each a list of items, into the inbox at once."""
        with psycopg.connect(self.database_url) as connection:
            connection.cursor().executemany(
                "INSERT INTO ops.webhook_inbox (endpoint_id, organization_id, provider, correlation_id, received_at,"
                " headers, body) VALUES (%s, %s, 'email', '', %s, %s, %s)",
                [
                    (ENDPOINT, organization_id, NOON, _encode_headers({}), msgspec.json.encode(items))
                    for items in deliveries
                ],
            )

    def register(self, *registrations, organization_id=ACME):
        return self.backend.register_emails(organization_id, list(registrations))

    def register_numbered(self, how_many, **told):
        """Register emails m-1 … m-n."""
        return self.register(*(registration(f"m-{n}", **told) for n in range(1, how_many + 1)))

    def drain(self):
        return self.backend.drain.drain_all()

    def project(self):
        return catch_up(self.backend.read_models())

    def query(self, sql, *parameters):
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return connection.execute(sql, parameters or None).fetchall()

    def value(self, sql, *parameters):
        [[value]] = self.query(sql, *parameters)
        return value

    def row(self, sql, *parameters):
        with psycopg.connect(self.database_url, autocommit=True, row_factory=dict_row) as connection:
            [row] = connection.execute(sql, parameters or None).fetchall()
            return row

    def execute(self, sql, *parameters):
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(sql, parameters or None)

    def facts(self):
        """Every stored fact in the global order."""
        return [logged.fact for logged in self.log()]

    def log(self):
        """Every stored fact in the global order, with its place and its stream."""
        store = self.backend._read_model_store("", "public", lambda cursor: cursor)
        with store.reading() as (_, log):
            return log.after(0, most=1_000_000)

    def dump(self, *without):
        """Every row of every read model as text, ordered, by table."""
        tables = [table for model in READ_MODEL_TABLES for table in model.tables if table not in without]
        return {table: [row for (row,) in self.query(f"SELECT t::text FROM {table} t ORDER BY 1")] for table in tables}

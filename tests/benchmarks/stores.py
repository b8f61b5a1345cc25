"""Databases to measure on: durable ones, as in production."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import psutil
import psycopg

from adapters.embedded.postgres import EmbeddedPostgres
from application.email_registrations import EmailRegistration
from entrypoints.bootstrap import Backend
from entrypoints.settings import Settings
from tests.benchmarks.own_process import cpu_seconds
from tests.support.servers import fresh_database

SECRET_KEY = "the benchmarks sign nothing with this key"
NOBODY_LISTENS = "redis://127.0.0.1:1/0"
"""Where single processes are measured, nothing is announced."""


@contextmanager
def durable_server(data_dir: Path, database_url: str) -> Iterator[str]:
    """Give the URL of the server named, or of an embedded one with all its durability on."""
    if database_url:
        yield database_url
        return
    server = EmbeddedPostgres(data_dir)
    try:
        yield server.start()
    finally:
        server.stop()


@contextmanager
def migrated_database(server_url: str) -> Iterator[str]:
    """Give a fresh database with Mailpulse's tables, dropped in the end."""
    with fresh_database(server_url) as url:
        backend = backend_of(url)
        backend.migrate()
        backend.close()
        yield url


def backend_of(database_url: str) -> Backend:
    """Give what the processes work with."""
    return Backend(
        Settings.from_env(
            {
                "MAILPULSE_DATABASE_URL": database_url,
                "MAILPULSE_REDIS_URL": NOBODY_LISTENS,
                "MAILPULSE_SECRET_KEYS": SECRET_KEY,
            }
        )
    )


def register(database_url: str, registrations: list[dict]) -> UUID:
    """Register emails as the API does and give their organisation."""
    organization_id = uuid4()
    backend = backend_of(database_url)
    emails = msgspec.convert(registrations, list[EmailRegistration], strict=False)
    for start in range(0, len(emails), 1_000):
        backend.register_emails(organization_id, emails[start : start + 1_000])
    backend.close()
    return organization_id


def settle(database_url: str) -> None:
    """Do now what the server would do at some moment of the measurement: statistics and a checkpoint."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ANALYZE")
        connection.execute("CHECKPOINT")


def server_cpu_seconds(database_url: str) -> float:
    """Give what the server has used so far; not a number where it runs on another machine."""
    with psycopg.connect(database_url) as connection:
        try:
            backend = psutil.Process(connection.info.backend_pid)
            postmaster = backend.parent()
        except psutil.NoSuchProcess:
            return math.nan
        return cpu_seconds(postmaster) if backend.name().startswith("postgres") and postmaster else math.nan


def server_version(database_url: str) -> str:
    """Name the server and what it promises about durability."""
    with psycopg.connect(database_url) as connection:
        settings = ("fsync", "synchronous_commit", "full_page_writes")
        shown = [f"{name} {connection.execute(f'SHOW {name}').fetchone()[0]}" for name in settings]
        return f"PostgreSQL {connection.info.parameter_status('server_version')}, {', '.join(shown)}"

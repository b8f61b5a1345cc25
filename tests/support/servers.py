"""Real servers for tests: those that ``MAILPULSE_TEST_*`` name, else embedded ones, started once for the session."""

import atexit
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.redis import EmbeddedRedis
from adapters.embedded.server import EmbeddedServer

# What a test suite may lose in a power cut, and what suits many small clusters on one machine.
HASTY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}

_urls: dict[str, str] = {}


def started_servers(directory: Path) -> tuple[str, str]:
    """Give the URLs of a PostgreSQL and a Redis that answer; later calls give the same ones.

    Args:
        directory: Where embedded servers keep their data; only the first call's counts.
    """
    return (
        _url_of("MAILPULSE_TEST_DATABASE_URL", EmbeddedPostgres(directory, HASTY)),
        _url_of("MAILPULSE_TEST_REDIS_URL", EmbeddedRedis(directory)),
    )


@contextmanager
def fresh_database(database_url: str) -> Iterator[str]:
    """Create an empty database beside the given one and drop it in the end, whoever is still connected.

    Yields:
        Its URL, in the form of the given one.
    """
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    before, _, after = database_url.partition("?")
    given = str(conninfo_to_dict(database_url)["dbname"])
    try:
        yield before.removesuffix(given) + name + (f"?{after}" if after else "")
    finally:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _url_of(variable: str, server: EmbeddedServer) -> str:
    if variable not in _urls:
        _urls[variable] = os.environ.get(variable) or server.start()
        atexit.register(server.stop)  # without effect on a server that was never started
    return _urls[variable]

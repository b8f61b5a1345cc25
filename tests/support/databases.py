"""Migrated databases by the dozen: each a copy of one template, made once for the session."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from adapters.postgres.migrate import migrate
from entrypoints.bootstrap import READ_MODEL_TABLES
from tests.support.servers import fresh_database


@contextmanager
def migrated_template(server_url: str) -> Iterator[str]:
    """Create the database that `copied_database` copies; nobody may be connected to it."""
    with fresh_database(server_url) as url:
        migrate(url, READ_MODEL_TABLES)
        yield url


@contextmanager
def copied_database(template_url: str) -> Iterator[str]:
    """Create a database like the template and drop it in the end, whoever is still connected.

    Yields:
        Its URL.
    """
    template = str(conninfo_to_dict(template_url)["dbname"])
    name = f"test_{uuid.uuid4().hex[:12]}"
    maintenance_url = psycopg.conninfo.make_conninfo(template_url, dbname="postgres")
    with psycopg.connect(maintenance_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    try:
        yield template_url.replace(template, name)
    finally:
        with psycopg.connect(maintenance_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

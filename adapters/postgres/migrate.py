"""Bring a database to the version that this code needs: numbered SQL files, forward only, each in one transaction."""

from collections.abc import Sequence
from importlib.resources import files

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow, tuple_row
from psycopg.sql import SQL

from adapters.postgres.outages import named_database_errors
from adapters.postgres.read_model_tables import ReadModelTables, create_tables

_MIGRATION_LOCK = 558_000_001
_CONNECT_TIMEOUT_S = 5


@named_database_errors()
def migrate(database_url: str, read_models: Sequence[ReadModelTables]) -> list[str]:
    """Create or upgrade the database; safe to run from several processes at once, and again.

    Args:
        database_url: Of a user that may create schemas in the database.
        read_models: Tables of each registered read model; missing ones are created empty and filled by the projector.

    Returns:
        Names of what was applied, in order; empty if the database was up to date.

    Raises:
        StoreUnavailableError: The database is away.
        WrongDatabaseError: The user lacks a right.
    """
    applied: list[str] = []
    with psycopg.connect(
        database_url, autocommit=True, row_factory=tuple_row, connect_timeout=_CONNECT_TIMEOUT_S
    ) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_MIGRATION_LOCK,))
        connection.execute("CREATE SCHEMA IF NOT EXISTS ops")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS ops.migrations"
            " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        known = {name for (name,) in connection.execute("SELECT name FROM ops.migrations")}
        for name in _script_names():
            if name in known:
                continue
            script = (files("adapters.postgres.migrations") / name).read_text("utf-8")
            with connection.transaction():
                connection.execute("SET LOCAL lock_timeout = '5s'")
                connection.execute(SQL(script))
                connection.execute("INSERT INTO ops.migrations (name) VALUES (%s)", (name,))
            applied.append(name)
        for tables in read_models:
            with connection.transaction():
                present = connection.execute("SELECT 1 FROM ops.read_models WHERE name = %s", (tables.name,)).fetchone()
                if present is None:
                    create_tables(connection, tables, schema="public")
                    connection.execute(
                        "INSERT INTO ops.read_models (name, version) VALUES (%s, %s)", (tables.name, tables.version)
                    )
                    applied.append(f"read model {tables.name}")
    return applied


@named_database_errors()
def missing_migrations(database_url: str, read_models: Sequence[ReadModelTables]) -> list[str]:
    """Name what `migrate` would apply, without changing anything.

    Raises:
        StoreUnavailableError: The database is away.
        WrongDatabaseError: We may not look.
    """
    with psycopg.connect(database_url, row_factory=tuple_row, connect_timeout=_CONNECT_TIMEOUT_S) as connection:
        known: set[str] = set()
        if _exists(connection, "ops.migrations"):
            known = {name for (name,) in connection.execute("SELECT name FROM ops.migrations")}
        present = _versions(connection)
    missing = [name for name in _script_names() if name not in known]
    return [*missing, *(f"read model {tables.name}" for tables in read_models if tables.name not in present)]


@named_database_errors()
def outdated_read_models(database_url: str, read_models: Sequence[ReadModelTables]) -> list[str]:
    """Name the read models whose tables are of another version than this code's: they want a rebuild.

    Raises:
        StoreUnavailableError: The database is away.
        WrongDatabaseError: We may not look.
    """
    with psycopg.connect(database_url, row_factory=tuple_row, connect_timeout=_CONNECT_TIMEOUT_S) as connection:
        present = _versions(connection)
    return [tables.name for tables in read_models if present.get(tables.name, tables.version) != tables.version]


def _versions(connection: Connection[TupleRow]) -> dict[str, int]:
    if not _exists(connection, "ops.read_models"):
        return {}
    return dict(connection.execute("SELECT name, version FROM ops.read_models").fetchall())


def _exists(connection: Connection[TupleRow], table: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone()
    return bool(row and row[0])


def _script_names() -> list[str]:
    folder = files("adapters.postgres.migrations")
    return sorted(script.name for script in folder.iterdir() if script.name.endswith(".sql"))

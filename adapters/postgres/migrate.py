"""Bring a database to the version that this code needs: numbered SQL files, forward only, each in one transaction."""

from collections.abc import Sequence
from importlib.resources import files

import psycopg
from psycopg.rows import tuple_row
from psycopg.sql import SQL

from adapters.postgres.read_model_tables import ReadModelTables, create_tables

_MIGRATION_LOCK = 558_000_001


def migrate(database_url: str, read_models: Sequence[ReadModelTables]) -> list[str]:
    """Create or upgrade the database; safe to run from several processes at once, and again.

    Args:
        database_url: Of a user that may create schemas in the database.
        read_models: Tables of each registered read model; missing ones are created empty and filled by the projector.

    Returns:
        Names of what was applied, in order; empty if the database was up to date.
    """
    applied: list[str] = []
    with psycopg.connect(database_url, autocommit=True, row_factory=tuple_row) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_MIGRATION_LOCK,))
        connection.execute("CREATE SCHEMA IF NOT EXISTS ops")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS ops.migrations"
            " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        known = {name for (name,) in connection.execute("SELECT name FROM ops.migrations")}
        for script in sorted(files("adapters.postgres.migrations").iterdir(), key=lambda file: file.name):
            if not script.name.endswith(".sql") or script.name in known:
                continue
            with connection.transaction():
                connection.execute("SET LOCAL lock_timeout = '5s'")
                connection.execute(SQL(script.read_text("utf-8")))
                connection.execute("INSERT INTO ops.migrations (name) VALUES (%s)", (script.name,))
            applied.append(script.name)
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

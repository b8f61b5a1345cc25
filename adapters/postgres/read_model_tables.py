"""The tables of a read model: created in any schema, guarded by row security, swapped in as a whole."""

from importlib.resources import files
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.sql import SQL, Identifier


class ReadModelTables(msgspec.Struct, frozen=True, kw_only=True):
    """What a read model keeps.

    Attributes:
        name: Stable; its position is kept under it.
        version: Raised when the tables' definition changes; a database with another version needs a rebuild.
        script: File beside `adapters.postgres.read_models` with unqualified CREATE statements.
        tables: In the order in which they can be emptied and dropped; each has an ``organization_id``.
    """

    name: str
    version: int
    script: str
    tables: tuple[str, ...]


def create_tables(connection: Connection[Any], model: ReadModelTables, *, schema: str) -> None:
    """Create a read model's empty tables, readable for each organisation as far as they are its own.

    Source:
        TRUST.md: organisations are walls; forced row-level security for a role that owns nothing.
    """
    create_bare_tables(connection, model, schema=schema)
    finish_tables(connection, model, schema=schema)


def create_bare_tables(connection: Connection[Any], model: ReadModelTables, *, schema: str) -> None:
    """Create the tables with what folding needs: without the indexes and references that only readers need.

    Filled like this and finished afterwards, a million rows cost a fraction.
    """
    _execute(connection, schema, [text for text in _statements(model) if not _is_for_readers(text)])
    for table in model.tables:
        connection.execute(
            SQL(
                "GRANT SELECT ON {table} TO mailpulse_query;"
                "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
                "ALTER TABLE {table} FORCE ROW LEVEL SECURITY;"
                "CREATE POLICY writers ON {table} TO CURRENT_USER USING (true) WITH CHECK (true);"
                "CREATE POLICY own_organization ON {table} FOR SELECT TO mailpulse_query"
                " USING (organization_id = (SELECT ops.current_organization()))"
            ).format(table=Identifier(schema, table))
        )


def finish_tables(connection: Connection[Any], model: ReadModelTables, *, schema: str) -> None:
    """Add to bare tables what is missing."""
    _execute(connection, schema, [text for text in _statements(model) if _is_for_readers(text)])


def _execute(connection: Connection[Any], schema: str, statements: list[str]) -> None:
    connection.execute(SQL("SET LOCAL search_path = {}, pg_catalog").format(Identifier(schema)))
    for statement in statements:
        connection.execute(statement.encode())
    connection.execute("SET LOCAL search_path TO DEFAULT")


def _statements(model: ReadModelTables) -> list[str]:
    script = (files("adapters.postgres.read_models") / model.script).read_text("utf-8")
    uncommented = "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("--"))
    return [statement.strip() for statement in uncommented.split(";") if statement.strip()]


def _is_for_readers(statement: str) -> bool:
    return statement.startswith(("CREATE INDEX", "ALTER TABLE"))

"""Rebuild a read model beside the one that serves, then take its place in one transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import Connection
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow, tuple_row
from psycopg.sql import SQL, Identifier

from adapters.postgres.outages import named_database_errors
from adapters.postgres.read_model_tables import ReadModelTables, create_bare_tables, finish_tables
from adapters.postgres.silence import silence_limits
from domain.errors import PortError
from read_models.runner import ReadModel

LOCK_TIMEOUT_S = 5
SWAP_ATTEMPTS = 12
REBUILD_MARK = "@rebuild"
REBUILDING = 558_000_002
"""Advisory lock that rebuilds share and a purge has alone."""


class RebuildRefusedError(PortError):
    """A rebuild that cannot be begun or finished now; the message says why and what to do."""

    code = "rebuild_refused"


def rebuild_name(name: str) -> str:
    """Give the name under which a rebuild's position is kept."""
    return f"{name}{REBUILD_MARK}"


def rebuilt_name(name: str) -> str:
    """Give the read model whose rebuild keeps its position under a name; "" if that is no rebuild's."""
    return name.removesuffix(REBUILD_MARK) if name.endswith(REBUILD_MARK) else ""


def rebuild_schema(name: str) -> str:
    """Give the schema in which a rebuild's rows are."""
    return f"rebuild_{name}"


@named_database_errors()
def rebuild(
    database_url: str,
    tables: ReadModelTables,
    make_model: Callable[[str, str], ReadModel],
    *,
    progress: Callable[[int, int], None],
) -> int:
    """Fold all events anew while the old rows serve, then swap; ended at any moment, it leaves the old rows.

    Args:
        database_url: Of the user who migrated.
        tables: Of the read model.
        make_model: Gives the read model for a position name and a schema.
        progress: Told the position reached and the newest event's.

    Returns:
        Number of events folded.

    Raises:
        RebuildRefusedError: Somebody else rebuilds it, or somebody's views depend on its tables.
    """
    name, schema = tables.name, rebuild_schema(tables.name)
    with _connected(database_url) as connection:
        lock = connection.execute("SELECT pg_try_advisory_lock(hashtext(%s))", (rebuild_name(name),)).fetchone()
        if not (lock and lock[0]):
            raise RebuildRefusedError(f"{name} is being rebuilt by somebody else: wait for it, or stop it")
        _keep_purges_out(connection)
        with connection.transaction():
            _discard(connection, name)
            connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
            connection.execute(SQL("GRANT USAGE ON SCHEMA {} TO mailpulse_query").format(Identifier(schema)))
            create_bare_tables(connection, tables, schema=schema)
            connection.execute(
                "INSERT INTO ops.read_models (name, version) VALUES (%s, %s)", (rebuild_name(name), tables.version)
            )
        model = make_model(rebuild_name(name), schema)
        folded = _fold_all(connection, model, progress)
        with connection.transaction():
            finish_tables(connection, tables, schema=schema)
        connection.execute(SQL("ANALYZE {}").format(SQL(", ").join(Identifier(schema, t) for t in tables.tables)))
        return folded + _swap(connection, tables, model)


@contextmanager
def _connected(database_url: str) -> Iterator[Connection[TupleRow]]:
    with psycopg.connect(
        database_url, autocommit=True, row_factory=tuple_row, **silence_limits(database_url)
    ) as connection:
        try:
            yield connection
        finally:
            if connection.info.transaction_status is TransactionStatus.IDLE:
                # Its process in the server may outlive a connection by a moment, and would refuse the next rebuild.
                connection.execute("SELECT pg_advisory_unlock_all()")


def _keep_purges_out(connection: Connection[TupleRow]) -> None:
    """Have nothing purged until the connection ends: of what was half folded, the totals could not be told."""
    try:
        with connection.transaction():
            connection.execute(SQL("SET LOCAL lock_timeout = '{}s'").format(LOCK_TIMEOUT_S))
            connection.execute("SELECT pg_advisory_lock_shared(%s)", (REBUILDING,))
    except psycopg.errors.LockNotAvailable as error:
        raise RebuildRefusedError("a purge does not come to its end: try again") from error


def _fold_all(connection: Connection[TupleRow], model: ReadModel, progress: Callable[[int, int], None]) -> int:
    folded = 0
    while taken := model.advance():
        folded += taken
        progress(_position(connection, model.name), _last_place(connection))
    return folded


def _swap(connection: Connection[TupleRow], tables: ReadModelTables, model: ReadModel) -> int:
    for _ in range(SWAP_ATTEMPTS):
        try:
            with connection.transaction():
                return _swap_now(connection, tables, model)
        except psycopg.errors.LockNotAvailable:
            continue
        except psycopg.errors.DependentObjectsStillExist as error:
            raise RebuildRefusedError(
                f"views of yours depend on the tables of {tables.name}: drop them, rebuild, create them again"
                f" ({error.diag.message_detail})"
            ) from error
    raise RebuildRefusedError(
        f"the tables of {tables.name} were in use for {SWAP_ATTEMPTS * LOCK_TIMEOUT_S} s: end long queries, try again"
    )


def _swap_now(connection: Connection[TupleRow], tables: ReadModelTables, model: ReadModel) -> int:
    connection.execute(SQL("SET LOCAL lock_timeout = '{}s'").format(LOCK_TIMEOUT_S))
    # The projector waits from here on, so that nothing is served that is older than what was.
    connection.execute("SELECT position FROM ops.read_models WHERE name = %s FOR UPDATE", (tables.name,))
    folded = 0
    while taken := model.advance():
        folded += taken
    connection.execute("SET LOCAL search_path = public")
    for table in tables.tables:
        connection.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier("public", table)))
    for table in tables.tables:
        connection.execute(
            SQL("ALTER TABLE {} SET SCHEMA public").format(Identifier(rebuild_schema(tables.name), table))
        )
    connection.execute("DELETE FROM ops.poison_events WHERE read_model = %s", (tables.name,))
    connection.execute(
        "UPDATE ops.poison_events SET read_model = %s WHERE read_model = %s", (tables.name, rebuild_name(tables.name))
    )
    connection.execute(
        "UPDATE ops.read_models m SET position = r.position, version = r.version, updated_at = now()"
        " FROM ops.read_models r WHERE m.name = %s AND r.name = %s",
        (tables.name, rebuild_name(tables.name)),
    )
    _discard(connection, tables.name)
    return folded


def _discard(connection: Connection[TupleRow], name: str) -> None:
    connection.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(rebuild_schema(name))))
    connection.execute("DELETE FROM ops.read_models WHERE name = %s", (rebuild_name(name),))
    connection.execute("DELETE FROM ops.poison_events WHERE read_model = %s", (rebuild_name(name),))


def _position(connection: Connection[TupleRow], name: str) -> int:
    row = connection.execute("SELECT position FROM ops.read_models WHERE name = %s", (name,)).fetchone()
    return int(row[0]) if row else 0


def _last_place(connection: Connection[TupleRow]) -> int:
    row = connection.execute("SELECT coalesce(max(notification_id), 0) FROM events.stored_events").fetchone()
    return int(row[0]) if row else 0

"""The pool of connections that event store and unit of work share, from one database URL."""

from collections.abc import Iterator
from contextlib import contextmanager

from eventsourcing.postgres import PostgresDatastore
from psycopg import Cursor
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow, tuple_row

from adapters.postgres.outages import named_database_errors
from adapters.postgres.silence import check_answers, silence_limits

LOCK_TIMEOUT_S = 5
CONNECT_TIMEOUT_S = 1.4
"""And `SIGN_OF_LIFE_S` for the last one that was tried: who asked is told within 2 s that the database is away."""


class _ConnectsWhenUsed(PostgresDatastore):
    """The library's datastore, but recorders are made without a connection: a process may start before the database."""

    def register_type_adapters(self) -> None:
        """Do nothing: composite types serve the library's database functions alone, which are never switched on."""


def open_datastore(database_url: str, *, pool_size: int = 2, max_overflow: int = 8) -> PostgresDatastore:
    """Give the library's datastore for a database URL, with every connection option that the URL names.

    Args:
        database_url: As libpq takes it, ``postgresql://…`` or ``host=… dbname=…``.
        pool_size: Connections kept open.
        max_overflow: Connections opened on top when all are busy.
    """
    options = {name: str(value) for name, value in conninfo_to_dict(database_url).items() if value is not None}
    datastore = _ConnectsWhenUsed(
        dbname=options.pop("dbname", ""),
        host=options.pop("host", ""),
        port=options.pop("port", ""),
        user=options.pop("user", ""),
        password=options.pop("password", ""),
        pool_size=pool_size,
        max_overflow=max_overflow,
        connect_timeout=CONNECT_TIMEOUT_S,
        lock_timeout=LOCK_TIMEOUT_S,
        idle_in_transaction_session_timeout=60.0,
        pre_ping=True,
        schema="events",
    )
    connection_options = {name: value for name, value in datastore.pool.kwargs.items() if value != ""}  # type: ignore[union-attr]  # a dict: the datastore itself passes one
    datastore.pool.kwargs = {
        **connection_options,
        **silence_limits(database_url),
        **options,
        "application_name": "mailpulse",
    }
    datastore.pool._check = check_answers  # noqa: SLF001 - the datastore takes no other one
    return datastore


@contextmanager
def cursor_of(datastore: PostgresDatastore) -> Iterator[Cursor[TupleRow]]:
    """Give a cursor on a connection of its own; each statement is a transaction.

    Raises:
        StoreUnavailableError: The database is away.
        WrongDatabaseError: It lacks a table, a column or a right.
    """
    with (
        named_database_errors(),
        datastore.get_connection() as connection,
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        yield cursor

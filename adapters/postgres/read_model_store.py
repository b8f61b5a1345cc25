"""A read model's transaction: its rows in any schema, its position, its poison events."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Generic, NamedTuple, TypeVar

from eventsourcing.postgres import PostgresDatastore
from psycopg import Cursor
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier

from adapters.postgres.event_codec import FactMapper
from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.event_recorder import BatchRecorder
from adapters.postgres.outages import named_database_errors
from adapters.postgres.recipient_keys import RecipientKeys
from read_models.runner import StandingByError

V = TypeVar("V")

_MANNERS: Final = (
    "SELECT set_config('synchronous_commit', 'off', true), set_config('enable_hashjoin', 'off', true),"
    " set_config('enable_mergejoin', 'off', true)"
)
"""Rows and position are lost together, and folded again: nothing here waits for the disk. And a batch is small beside
the tables it is joined with, which the planner, that knows nothing of staged rows, does not believe: without this it
reads whole tables for a hundred rows."""


_BEGIN: Final = "SELECT position, xmin::text FROM ops.read_models WHERE name = %s FOR UPDATE SKIP LOCKED"
_MOVE: Final = (
    "UPDATE ops.read_models SET position = %s, updated_at = now() WHERE name = %s RETURNING position, xmin::text"
)


class Moment(NamedTuple):
    """Where a read model is, and since which transaction: as long as both are the same, nobody moved it."""

    position: int
    moved_by: str


class PostgresReadModelStore(Generic[V]):
    """Begins transactions over one read model's rows.

    Args:
        name: Under which the position is kept.
        schema: Where the rows are; ``public``, or that of a rebuild.
        make_view: Gives the view for a transaction's cursor.
        asks_who: Whether the read model asks of reported facts who it was; if not, they are not unsealed for it.
    """

    def __init__(
        self,
        datastore: PostgresDatastore,
        recorder: BatchRecorder,
        mapper: FactMapper,
        keys: RecipientKeys,
        *,
        name: str,
        make_view: Callable[[Cursor[Any]], V],
        schema: str = "public",
        asks_who: bool = True,
    ) -> None:
        self._datastore = datastore
        self._recorder = recorder
        self._mapper = mapper
        self._keys = keys
        self._name = name
        self._make_view = make_view
        self._asks_who = asks_who
        self._search_path = SQL("SET LOCAL search_path = {}, public").format(Identifier(schema))

    @contextmanager
    def begin(self) -> Iterator["PostgresProgress[V]"]:
        """Begin one; see `read_models.runner.ReadModelStore`."""
        with self.reading() as (cursor, log):
            cursor.execute(_BEGIN, (self._name,))
            row = cursor.fetchone()
            if row is None:
                raise StandingByError(f"another projector holds the read model {self._name}")
            cursor.execute(_MANNERS)
            yield PostgresProgress(cursor, self._name, Moment(*row), self._make_view(cursor), log)

    @contextmanager
    def reading(self) -> Iterator[tuple[Cursor[Any], PostgresEventLog]]:
        """Give a transaction's cursor, in which tables have the read model's schema, and the events."""
        with (
            named_database_errors(),
            self._datastore.get_connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=tuple_row) as cursor,
        ):
            cursor.execute(self._search_path)
            log = PostgresEventLog(
                cursor, self._recorder, self._mapper, self._keys, reader=self._name, asks_who=self._asks_who
            )
            yield cursor, log


class PostgresProgress(Generic[V]):
    """See `read_models.runner.Progress`."""

    def __init__(self, cursor: Cursor[Any], name: str, moment: Moment, view: V, log: PostgresEventLog) -> None:
        self.cursor = cursor
        self._name = name
        self.moment = moment
        self.view = view
        self.log = log

    @property
    def position(self) -> int:
        return self.moment.position

    def move_to(self, position: int) -> None:
        [row] = self.cursor.execute(_MOVE, (position, self._name)).fetchall()
        self.moment = Moment(*row)

    def set_aside(self, place: int, error: str) -> None:
        self.cursor.execute(
            "INSERT INTO ops.poison_events (read_model, notification_id, error) VALUES (%s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            (self._name, place, error),
        )

"""Seal everything under the newest secret key that is still under an older one, a little at a time."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from eventsourcing.postgres import PostgresDatastore
from psycopg import Cursor
from psycopg.rows import tuple_row

from adapters.postgres.outages import named_database_errors
from adapters.postgres.outgoing_webhooks import SEAL_PURPOSE as OUTGOING_PURPOSE
from adapters.postgres.recipient_keys import SEAL_PURPOSE as RECIPIENT_KEYS_PURPOSE
from adapters.postgres.unit_of_work import BODIES_PURPOSE
from adapters.postgres.webhook_endpoints import SEAL_PURPOSE as ENDPOINTS_PURPOSE
from adapters.secrets import NAME_BYTES, SealBrokenError, SecretBox

ROWS_AT_ONCE: Final = 500


class SealedUnder(msgspec.Struct, frozen=True, kw_only=True):
    """Under which secret keys something lies, in rows.

    Attributes:
        what: In an operator's words.
        newest: Sealed with the newest key.
        older: Another configured key opens them, or they are from before anything was sealed.
        unknown: No configured key opens them.
    """

    what: str
    newest: int
    older: int
    unknown: int


class Rewrapped(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, in rows.

    Attributes:
        what: In an operator's words.
        rows: Now under the newest key.
        unopened: Left as they are: no configured key opens them.
    """

    what: str
    rows: int
    unopened: int


class _Place(NamedTuple):
    """Where something sealed lies; the names are constants of this module."""

    what: str
    table: str
    id_column: str
    column: str
    purpose: str
    first_id: UUID | int
    is_bound: bool = False
    flag: str = ""

    @property
    def name(self) -> str:
        """SQL for the name of the key that a row is sealed with; NULL if it is not sealed."""
        return f"CASE WHEN {self.flag or 'true'} THEN substring({self.column} for {NAME_BYTES}) END"


_PLACES: Final = (
    _Place("endpoints' verification keys", "ops.webhook_endpoints", "id", "keys", ENDPOINTS_PURPOSE, UUID(int=0)),
    _Place(
        "outgoing webhooks' secrets",
        "ops.outgoing_webhooks",
        "id",
        "secrets",
        OUTGOING_PURPOSE,
        UUID(int=0),
        is_bound=True,
    ),
    _Place(
        "recipients' keys",
        "ops.recipient_keys",
        "key_id",
        "wrapped",
        RECIPIENT_KEYS_PURPOSE,
        UUID(int=0),
        is_bound=True,
    ),
    _Place("waiting deliveries", "ops.webhook_inbox", "id", "body", BODIES_PURPOSE, 0, flag="sealed"),
    _Place("failed reports", "ops.parked_reports", "id", "body", BODIES_PURPOSE, 0, flag="sealed"),
    _Place("orphaned reports", "ops.parked_reports", "id", "report", BODIES_PURPOSE, 0, flag="sealed"),
)


class SecretKeysInUse:
    """Tells and changes under which secret keys the database lies.

    Args:
        datastore: From `open_datastore`.
        box_for: Gives the box of a purpose.
    """

    def __init__(self, datastore: PostgresDatastore, box_for: Callable[[str], SecretBox]) -> None:
        self._datastore = datastore
        self._boxes: Mapping[str, SecretBox] = {place.purpose: box_for(place.purpose) for place in _PLACES}

    @named_database_errors()
    def look(self) -> Sequence[SealedUnder]:
        """Say under which secret keys everything lies; reads every row once."""
        found: list[SealedUnder] = []
        with self._datastore.get_connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
            for place in _PLACES:
                cursor.execute(
                    f"SELECT {place.name}, count(*) FROM {place.table} WHERE {place.column} IS NOT NULL GROUP BY 1"  # noqa: S608 - constants
                )
                found.append(self._told(place, dict(cursor.fetchall())))
        return found

    def _told(self, place: _Place, rows: dict[bytes | None, int]) -> SealedUnder:
        box = self._boxes[place.purpose]
        newest = rows.pop(box.newest, 0)
        older = sum(count for name, count in rows.items() if name is None or box.knows(name))
        return SealedUnder(what=place.what, newest=newest, older=older, unknown=sum(rows.values()) - older)

    def rewrap(self, progress: Callable[[str, int], None]) -> Sequence[Rewrapped]:
        """Seal everything with the newest key; ended at any moment, what is done is done.

        Args:
            progress: Told, after each transaction, what is being sealed and how many rows of it are done.
        """
        return [self._rewrap(place, progress) for place in _PLACES]

    @named_database_errors()
    def _rewrap(self, place: _Place, progress: Callable[[str, int], None]) -> Rewrapped:
        done, unopened, after = 0, 0, place.first_id
        with self._datastore.get_connection() as connection:
            while True:
                with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
                    rows = self._next_rows(cursor, place, after)
                    if not rows:
                        return Rewrapped(what=place.what, rows=done, unopened=unopened)
                    sealed = self._sealed_anew(place, rows)
                    self._keep(cursor, place, sealed)
                after = rows[-1][0]
                done += len(sealed)
                unopened += len(rows) - len(sealed)
                progress(place.what, done)

    def _next_rows(self, cursor: Cursor[Any], place: _Place, after: UUID | int) -> list[tuple[Any, ...]]:
        cursor.execute(
            f"SELECT {place.id_column}, {place.column}, {place.flag or 'true'} FROM {place.table}"  # noqa: S608 - constants
            f" WHERE {place.id_column} > %s AND {place.column} IS NOT NULL AND {place.name} IS DISTINCT FROM %s"
            f" ORDER BY {place.id_column} LIMIT {ROWS_AT_ONCE} FOR UPDATE",
            (after, self._boxes[place.purpose].newest),
            binary=True,
        )
        return cursor.fetchall()

    def _sealed_anew(self, place: _Place, rows: Sequence[tuple[Any, ...]]) -> dict[UUID | int, bytes]:
        box, anew = self._boxes[place.purpose], {}
        for id_, content, is_sealed in rows:
            bound_to = id_.bytes if place.is_bound else b""
            try:
                plain = box.open(content, bound_to=bound_to) if is_sealed else content
            except SealBrokenError:
                continue  # counted, and told with what to do about it
            anew[id_] = box.seal(plain, bound_to=bound_to)
        return anew

    def _keep(self, cursor: Cursor[Any], place: _Place, sealed: Mapping[UUID | int, bytes]) -> None:
        if sealed:
            flagged = f", {place.flag} = true" if place.flag else ""
            cursor.executemany(
                f"UPDATE {place.table} SET {place.column} = %s{flagged} WHERE {place.id_column} = %s",  # noqa: S608 - constants
                [(content, id_) for id_, content in sealed.items()],
            )

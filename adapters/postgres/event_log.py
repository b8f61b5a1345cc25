"""The global order of events, read within somebody else's transaction."""

from collections.abc import Sequence
from typing import Any

from eventsourcing.persistence import MapperDeserialisationError
from psycopg import Cursor

from adapters.postgres.event_codec import FactMapper
from adapters.postgres.event_recorder import BatchRecorder
from read_models.events import LoggedFact, UnreadableEvent


class PostgresEventLog:
    """See `read_models.events.EventLog`."""

    def __init__(self, cursor: Cursor[Any], recorder: BatchRecorder, mapper: FactMapper) -> None:
        self._cursor = cursor
        self._recorder = recorder
        self._mapper = mapper

    def after(self, position: int, *, most: int) -> Sequence[LoggedFact | UnreadableEvent]:
        decode = self._mapper.decode
        events: list[LoggedFact | UnreadableEvent] = []
        for place, email_id, topic, state in self._recorder.log_after(self._cursor, position, most):
            try:
                events.append(LoggedFact(place, email_id, decode(topic, state)))
            except MapperDeserialisationError as error:
                events.append(UnreadableEvent(place, f"{topic}: {type(error.__cause__ or error).__name__}"))
        return events

    def last_place(self) -> int:
        self._cursor.execute("SELECT coalesce(max(notification_id), 0) FROM events.stored_events")
        row = self._cursor.fetchone()
        return int(row[0]) if row else 0

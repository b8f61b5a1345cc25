"""The global order of events, read within somebody else's transaction."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import MapperDeserialisationError
from psycopg import Cursor

from adapters.postgres.event_codec import FactMapper
from adapters.postgres.event_recorder import BatchRecorder, LoggedRow
from adapters.postgres.recipient_keys import RecipientKeys
from adapters.postgres.sealing import key_id_of, open_into, sealed_part
from domain.email_facts import Sent
from domain.recipient_facts import Erased
from read_models.events import LoggedFact, UnreadableEvent


class PostgresEventLog:
    """See `read_models.events.EventLog`; facts about people who were erased come without what told who they are.

    Args:
        cursor: To read with.
        recorder: Of the events.
        mapper: Turns bytes into facts.
        keys: Of the people whom sealed facts are about.
        reader: Name of the read model that reads.
        asks_who: Whether it asks of reported facts who it was; if not, only registrations are unsealed.
    """

    def __init__(
        self,
        cursor: Cursor[Any],
        recorder: BatchRecorder,
        mapper: FactMapper,
        keys: RecipientKeys,
        *,
        reader: str,
        asks_who: bool = True,
    ) -> None:
        self._cursor = cursor
        self._recorder = recorder
        self._mapper = mapper
        self._keys = keys
        self._reader = reader
        self._asks_who = asks_who

    def after(self, position: int, *, most: int) -> Sequence[LoggedFact | UnreadableEvent]:
        return self._read(self._recorder.log_after(self._cursor, position, most))

    def streams(self, ids: Collection[UUID], *, until: int) -> Sequence[LoggedFact]:
        rows = self._recorder.streams_until(self._cursor, ids, until, reader=self._reader)
        return [logged for logged in self._read(rows) if isinstance(logged, LoggedFact)]

    def registrations(self, ids: Collection[UUID]) -> Mapping[UUID, LoggedFact]:
        rows = [
            (place, email_id, Sent.TOPIC, state)
            for email_id, (place, state) in self._recorder.first_events(self._cursor, list(ids)).items()
        ]
        registrations = self._unsealed(rows)
        return {logged.stream_id: logged for logged in registrations if isinstance(logged, LoggedFact)}

    def lengths(self, ids: Collection[UUID]) -> Mapping[UUID, int]:
        return self._recorder.lengths(self._cursor, ids)

    def _read(self, rows: Sequence[LoggedRow]) -> list[LoggedFact | UnreadableEvent]:
        return self._unsealed(rows) if self._asks_who else [self._decoded(row) for row in rows]

    def _decoded(self, row: LoggedRow) -> LoggedFact | UnreadableEvent:
        place, stream_id, topic, state = row
        try:
            fact = self._mapper.decode(topic, state)
        except MapperDeserialisationError as error:
            return _unreadable(place, topic, error)
        if type(fact) is Erased:
            self._keys.forget(stream_id)
        return LoggedFact(place, stream_id, fact)

    def _unsealed(self, rows: Sequence[LoggedRow]) -> list[LoggedFact | UnreadableEvent]:
        events = [self._decoded(row) for row in rows]
        sealed: dict[bytes, list[tuple[int, bytes]]] = {}
        for at, (place, _, topic, state) in enumerate(rows):
            try:
                if part := sealed_part(state):
                    sealed.setdefault(key_id_of(part), []).append((at, part))
            except MapperDeserialisationError as error:
                events[at] = _unreadable(place, topic, error)
        if sealed:
            self._open(events, sealed)
        return events

    def _open(
        self, events: list[LoggedFact | UnreadableEvent], sealed: Mapping[bytes, Sequence[tuple[int, bytes]]]
    ) -> None:
        keys = self._keys.for_reading(self._cursor, sealed.keys())
        for key_id, parts in sealed.items():
            if not (key := keys.get(key_id)):
                continue
            cipher = key.cipher()
            for at, part in parts:
                logged = events[at]
                if isinstance(logged, LoggedFact):
                    try:
                        open_into(logged.fact, logged.stream_id, part, cipher)
                    except MapperDeserialisationError as error:
                        events[at] = _unreadable(logged.place, logged.fact.TOPIC, error)


def _unreadable(place: int, topic: str, error: Exception) -> UnreadableEvent:
    return UnreadableEvent(place, f"{topic}: {type(error.__cause__ or error).__name__}")

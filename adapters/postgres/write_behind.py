"""Working off a backlog in two steps at a time: one batch is folded while PostgreSQL writes the one before it."""

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Cursor

from adapters.postgres.engagement_view import PostgresEngagementView
from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.read_model_store import PostgresProgress, PostgresReadModelStore
from adapters.postgres.writes import DeferredWrites
from read_models.engagement.view import Changes, EmailLog, EngagementView, LinkKey
from read_models.runner import EVENTS_PER_TRANSACTION, Progress, StandingByError


class InFlight(msgspec.Struct, frozen=True):
    """What a batch changes that is not written yet.

    Attributes:
        emails: The rows that it registers or changes.
        links: Those that people follow in it.
        replaced: The email log ids of those that it folded again.
    """

    emails: Mapping[UUID, EmailLog] = {}
    links: frozenset[LinkKey] = frozenset()
    replaced: frozenset[int] = frozenset()


class WriteBehindView(PostgresEngagementView):
    """The view of a batch whose rows are written later; it sees the batch in flight as if it were written.

    Args:
        cursor: To read with.
        in_flight: What the batch before this one changes.
    """

    def __init__(self, cursor: Cursor[Any], in_flight: InFlight) -> None:
        self.deferred = DeferredWrites()
        super().__init__(cursor, self.deferred)
        self._in_flight = in_flight
        self.touched = InFlight()

    def emails(self, email_ids: Collection[UUID]) -> Mapping[UUID, EmailLog]:
        in_flight = self._in_flight.emails
        stored = super().emails([email_id for email_id in email_ids if email_id not in in_flight])
        return {**stored, **{email_id: in_flight[email_id] for email_id in email_ids if email_id in in_flight}}

    def links(self, keys: Collection[LinkKey]) -> Collection[LinkKey]:
        in_flight = self._in_flight
        # The links of an email that is folded again are those in flight, and no others.
        stored = super().links([key for key in keys if key[0] not in in_flight.replaced])
        return {*stored, *(key for key in keys if key in in_flight.links)}

    def emails_to(self, addressee_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
        registered = {
            email.email_id: email.addressee_id
            for email in self._in_flight.emails.values()
            if email.addressee_id in addressee_ids
        }
        return {**super().emails_to(addressee_ids), **registered}

    def save(self, changes: Changes) -> None:
        super().save(changes)
        # From here on the rows are text in the deferred writes: the next batch may change the emails it gets from us.
        self.touched = InFlight(
            emails={**changes.changed, **{email.email_id: email for email in changes.registered}},
            links=frozenset(key for key, clicks in changes.links.items() if clicks.click_count),
            replaced=frozenset(one.email.id for one in changes.replaced),
        )


class DeferredProgress:
    """See `read_models.runner.Progress`; what it is told is carried out later."""

    def __init__(self, position: int, view: WriteBehindView, log: PostgresEventLog) -> None:
        self.position = position
        self.view: WriteBehindView = view
        self.log = log
        self._set_aside: list[tuple[int, str]] = []

    def move_to(self, position: int) -> None:
        self.position = position

    def set_aside(self, place: int, error: str) -> None:
        self._set_aside.append((place, error))

    def carry_out(self, stored: PostgresProgress[PostgresEngagementView]) -> None:
        """Write everything in a transaction that is at the position this one began at."""
        self.view.deferred.carry_out(stored.cursor)
        for place, error in self._set_aside:
            stored.set_aside(place, error)
        stored.move_to(self.position)


class WriteBehindStore:
    """Like the store it wraps, but a full batch may still be being written when its transaction has been left.

    What then fails makes the next batch fail as well, and both are folded again from the position that is committed. A
    batch that is not full is written when its transaction has been left.

    Args:
        store: Writes, and serves everything that is not a backlog.
    """

    def __init__(self, store: PostgresReadModelStore[PostgresEngagementView]) -> None:
        self._store = store
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="write-behind")
        self._in_flight: tuple[DeferredProgress, Future[None]] | None = None

    @contextmanager
    def begin(self) -> Iterator[Progress[EngagementView]]:
        """Begin one; see `read_models.runner.ReadModelStore`."""
        in_flight, self._in_flight = self._in_flight, None
        if in_flight is None:
            with self._store.begin() as stored:
                first = stored.position
                yield stored
            if _is_full(first, stored.position):
                with self._store.reading() as (cursor, log):
                    written: Future[None] = Future()
                    written.set_result(None)
                    self._in_flight = (
                        DeferredProgress(stored.position, WriteBehindView(cursor, InFlight()), log),
                        written,
                    )
            return
        before, being_written = in_flight
        try:
            with self._store.reading() as (cursor, log):
                view = WriteBehindView(cursor, before.view.touched)
                progress = DeferredProgress(before.position, view, log)
                yield progress
        finally:
            being_written.result()
        if progress.position == before.position:
            return
        being_written = self._write(before.position, progress)
        if _is_full(before.position, progress.position):
            self._in_flight = (progress, being_written)
        else:
            being_written.result()

    def _write(self, expected: int, progress: DeferredProgress) -> "Future[None]":
        def write() -> None:
            with self._store.begin() as stored:
                if stored.position != expected:
                    raise StandingByError("another projector moved the read model")
                progress.carry_out(stored)

        return self._writer.submit(write)


def _is_full(before: int, after: int) -> bool:
    return after - before >= EVENTS_PER_TRANSACTION

"""Working off a backlog in two steps at a time: one batch is folded while PostgreSQL writes the one before it."""

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from psycopg import Cursor

from adapters.postgres.engagement_view import PostgresEngagementView
from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.read_model_store import PostgresProgress, PostgresReadModelStore
from adapters.postgres.writes import DeferredWrites
from read_models.engagement.view import Changes, EmailLog, EngagementView, LinkKey
from read_models.runner import EVENTS_PER_TRANSACTION, Progress, StandingByError


class WriteBehindView(PostgresEngagementView):
    """The view of a batch whose rows are written later; it sees the batch in flight as if it were written.

    Args:
        cursor: To read with.
        emails_in_flight: Rows of the batch before this one.
        links_in_flight: Links that the batch before this one follows.
    """

    def __init__(
        self,
        cursor: Cursor[Any],
        emails_in_flight: Mapping[UUID, EmailLog],
        links_in_flight: Collection[LinkKey],
    ) -> None:
        self.deferred = DeferredWrites()
        super().__init__(cursor, self.deferred)
        self._emails_in_flight = emails_in_flight
        self._links_in_flight = links_in_flight
        self.touched_emails: Mapping[UUID, EmailLog] = {}
        self.followed_links: Collection[LinkKey] = ()

    def emails(self, email_ids: Collection[UUID]) -> Mapping[UUID, EmailLog]:
        in_flight = self._emails_in_flight
        stored = super().emails([email_id for email_id in email_ids if email_id not in in_flight])
        return {**stored, **{email_id: in_flight[email_id] for email_id in email_ids if email_id in in_flight}}

    def links(self, keys: Collection[LinkKey]) -> Collection[LinkKey]:
        return {*super().links(keys), *(key for key in keys if key in self._links_in_flight)}

    def save(self, changes: Changes) -> None:
        super().save(changes)
        # From here on the rows are text in the deferred writes: the next batch may change the emails it gets from us.
        self.touched_emails = {**changes.changed, **{email.email_id: email for email in changes.registered}}
        self.followed_links = changes.links.keys()


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
                    self._in_flight = (DeferredProgress(stored.position, WriteBehindView(cursor, {}, ()), log), written)
            return
        before, being_written = in_flight
        try:
            with self._store.reading() as (cursor, log):
                view = WriteBehindView(cursor, before.view.touched_emails, before.view.followed_links)
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

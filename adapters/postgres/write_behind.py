"""Working off a backlog in two steps at a time: one batch is folded while PostgreSQL writes the one before it."""

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from psycopg import Cursor

from adapters.postgres.emails_in_work import EmailsInWork
from adapters.postgres.engagement_view import PostgresEngagementView
from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.read_model_store import Moment, PostgresProgress, PostgresReadModelStore
from adapters.postgres.writes import DeferredWrites, Writes
from read_models.engagement.view import Changes, EmailLog, EngagementView, LinkKey
from read_models.runner import FoldingReadModel, Progress, StandingByError


class InFlight(msgspec.Struct, frozen=True):
    """What a batch changes that is not written yet, beside the emails that are kept.

    Attributes:
        fresh: The rows that it registers or folded again; and those of the batch before, if it changed them as well.
        links: Those that people follow in it.
        replaced: The email log ids of those that it folded again.
    """

    fresh: Mapping[UUID, EmailLog] = {}
    links: frozenset[LinkKey] = frozenset()
    replaced: frozenset[int] = frozenset()


class WriteBehindView(PostgresEngagementView):
    """The view of a batch that sees the batch in flight as if it were written, and reads no email twice.

    Args:
        cursor: To read with.
        kept: The rows that earlier batches left; this one changes them.
        in_flight: What the batch before this one changes.
        writes: Takes what changes the rows; carried out at once unless said otherwise.
    """

    def __init__(
        self, cursor: Cursor[Any], kept: EmailsInWork, in_flight: InFlight, writes: Writes | None = None
    ) -> None:
        super().__init__(cursor, writes)
        self._kept = kept
        self._in_flight = in_flight
        self.touched = InFlight()

    def emails(self, email_ids: Collection[UUID]) -> Mapping[UUID, EmailLog]:
        known = self._kept.among(email_ids)
        if fresh := self._in_flight.fresh:
            known |= {email_id: fresh[email_id] for email_id in email_ids if email_id in fresh}
        known |= super().emails([email_id for email_id in email_ids if email_id not in known])
        return known

    def links(self, keys: Collection[LinkKey]) -> Collection[LinkKey]:
        in_flight = self._in_flight
        # The links of an email that is folded again are those in flight, and no others.
        stored = super().links([key for key in keys if key[0] not in in_flight.replaced])
        return {*stored, *(key for key in keys if key in in_flight.links)}

    def emails_to(self, addressee_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
        registered = {
            email.email_id: email.addressee_id
            for email in self._in_flight.fresh.values()
            if email.addressee_id in addressee_ids
        }
        return {**super().emails_to(addressee_ids), **registered}

    def save(self, changes: Changes) -> None:
        super().save(changes)
        # From here on the rows are text in the writes: the next batch may change the emails it gets from us.
        self._kept.keep(changes.changed.values())
        self._kept.keep(changes.registered)
        if changes.purged:
            self._kept.forget(changes.purged)
        emails = (*changes.changed.values(), *changes.registered)
        self.touched = InFlight(
            fresh={email.email_id: email for email in emails if email.created_at},
            links=frozenset(key for key, clicks in changes.links.items() if clicks.click_count),
            replaced=frozenset(one.email.id for one in changes.replaced),
        )


class DeferredProgress:
    """See `read_models.runner.Progress`; what it is told is carried out later.

    Args:
        position: Where it begins.
        cursor: To read with.
        kept: See `WriteBehindView`.
        in_flight: See `WriteBehindView`.
        log: The events.
    """

    def __init__(
        self, position: int, cursor: Cursor[Any], kept: EmailsInWork, in_flight: InFlight, log: PostgresEventLog
    ) -> None:
        self.position = position
        self.log = log
        self._writes = DeferredWrites()
        self.view: WriteBehindView = WriteBehindView(cursor, kept, in_flight, self._writes)
        self._set_aside: list[tuple[int, str]] = []

    def move_to(self, position: int) -> None:
        self.position = position

    def set_aside(self, place: int, error: str) -> None:
        self._set_aside.append((place, error))

    def carry_out(self, stored: PostgresProgress[PostgresEngagementView]) -> None:
        """Write everything in a transaction that is at the position this one began at."""
        self._writes.carry_out(stored.cursor)
        for place, error in self._set_aside:
            stored.set_aside(place, error)
        stored.move_to(self.position)


class _Written(NamedTuple):
    """A batch that is being written.

    Attributes:
        position: Up to where.
        touched: What it changes.
        at: When the read model was moved there, once it is.
    """

    position: int
    touched: InFlight
    at: "Future[Moment]"


class WriteBehindStore:
    """Like the store it wraps, but reads no email twice, and writes a full batch when its transaction has been left.

    What then fails makes the next batch fail as well, and both are folded again from the position that is committed. A
    batch that is not full is written before its transaction is left.

    The rows that batches left are kept for the next ones, for as long as every transaction commits, and nobody but this
    store moves the read model: neither another projector nor a rebuild that took its place.

    Args:
        store: Writes, and serves everything that is not a backlog.
    """

    def __init__(self, store: PostgresReadModelStore[PostgresEngagementView]) -> None:
        self._store = store
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="write-behind")
        self._in_flight: _Written | None = None
        self._kept = EmailsInWork()
        self._kept_at: Moment | None = None

    @contextmanager
    def begin(self) -> Iterator[Progress[EngagementView]]:
        """Begin one; see `read_models.runner.ReadModelStore`."""
        # Folding changes kept rows in place: they are nobody's until all of it has gone well.
        in_flight, self._in_flight = self._in_flight, None
        kept, self._kept = self._kept, EmailsInWork()
        if in_flight is None:
            with self._at_once(kept) as progress:
                yield progress
        else:
            with self._behind(in_flight, kept) as progress:
                yield progress
        self._kept = kept

    @contextmanager
    def _at_once(self, kept: EmailsInWork) -> Iterator[Progress[EngagementView]]:
        with self._store.begin() as stored:
            if stored.moment != self._kept_at:
                kept.clear()
            first = stored.position
            stored.view = view = WriteBehindView(stored.cursor, kept, InFlight())
            yield stored
        self._kept_at = stored.moment
        if _is_full(first, stored.position):
            at: Future[Moment] = Future()
            at.set_result(stored.moment)
            self._in_flight = _Written(stored.position, view.touched, at)

    @contextmanager
    def _behind(self, in_flight: _Written, kept: EmailsInWork) -> Iterator[Progress[EngagementView]]:
        try:
            with self._store.reading() as (cursor, log):
                progress = DeferredProgress(in_flight.position, cursor, kept, in_flight.touched, log)
                yield progress
        finally:
            self._kept_at = in_flight.at.result()
        if progress.position == in_flight.position:
            return
        written = self._write(self._kept_at, progress)
        if _is_full(in_flight.position, progress.position):
            self._in_flight = written
        else:
            self._kept_at = written.at.result()

    def _write(self, expected: Moment, progress: DeferredProgress) -> _Written:
        def write() -> Moment:
            with self._store.begin() as stored:
                if stored.moment != expected:
                    raise StandingByError("somebody else moved the read model")
                progress.carry_out(stored)
            return stored.moment

        return _Written(progress.position, progress.view.touched, self._writer.submit(write))


def _is_full(before: int, after: int) -> bool:
    return after - before >= FoldingReadModel.most_events

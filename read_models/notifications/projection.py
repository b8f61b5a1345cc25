"""Tell people what happened: every fact once to everybody whom it concerns, and what was wrong is taken back."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from itertools import groupby
from operator import attrgetter
from typing import Final
from uuid import UUID

import msgspec

from domain.email_facts import Engagement, Fact, Rejudged, Sent, addressee_of
from domain.notification_preferences import Occasion
from domain.organization_facts import EmailsPurged
from domain.policies import notifying
from domain.recipient_facts import Erased
from domain.tracking_terms import TrackingTerms
from domain.values import uuid_of
from read_models.engagement.again import as_known_by_now
from read_models.events import EventLog, LoggedFact
from read_models.notifications import words
from read_models.notifications.circumstances import Circumstances, circumstances_of
from read_models.notifications.notification import Announcement
from read_models.notifications.view import NotificationsView, Told

NAME: Final = "notifications"
FACTS_AT_ONCE: Final = 20_000
"""Of emails that are judged anew: so many are held in memory."""

NotificationThread = tuple[UUID, str, Occasion]
"""``email_id, user_id, occasion``: what is told as one, until it is read."""


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that somebody may be told about."""

    email_id: UUID
    occasion: Occasion
    fact: Fact

    @property
    def id(self) -> UUID:
        """Public id of the event."""
        return uuid_of(self.fact.key)


class ProjectNotifications:
    """Folds batches of facts for one view.

    Args:
        view: Where the rows are kept.
        log: To read registrations, and streams of emails that are judged anew.
        now: Aware UTC.

    Attributes:
        announcements: What rings once this is committed.

    Source:
        AF-3; FLOW-8; BR-558.7.
    """

    def __init__(self, view: NotificationsView, log: EventLog, now: datetime) -> None:
        self._view = view
        self._log = log
        self._now = now
        self.announcements: list[Announcement] = []

    def __call__(self, batch: Sequence[LoggedFact]) -> int:
        """Fold the next facts in global order and keep what they change.

        Returns:
            How many were folded: all.
        """
        happenings, lost = self._news(batch)
        if happenings or lost:
            self._tell(happenings, lost)
        erased = {logged.stream_id for logged in batch if isinstance(logged.fact, Erased)}
        if erased:
            self._view.forget_people(erased)
            self.announcements = [one for one in self.announcements if not self._is_about(one, erased)]
        if purges := [logged.place for logged in batch if isinstance(logged.fact, EmailsPurged)]:
            self._view.forget_purged(purges)
        return len(batch)

    def _news(self, batch: Sequence[LoggedFact]) -> tuple[list[Happening], dict[UUID, set[UUID]]]:
        """Give what happened, each fact as it is judged by the end of the batch, and what is judged a machine's now."""
        rejudged: dict[UUID, set[bytes]] = {}
        for logged in batch:
            if isinstance(logged.fact, Rejudged):
                rejudged.setdefault(logged.stream_id, set()).update(one.key for one in logged.fact.judgements)
        happenings = [
            Happening(email_id=logged.stream_id, occasion=occasion, fact=logged.fact)
            for logged in batch
            if type(logged.fact) in notifying.TELLING  # the questions below are dear
            and isinstance(logged.fact, Fact)
            and not (isinstance(logged.fact, Engagement) and logged.stream_id in rejudged)
            and (occasion := notifying.occasion_of(logged.fact))
        ]
        lost: dict[UUID, set[UUID]] = {}
        for email_id, fact in self._judged(rejudged, batch):
            if occasion := notifying.occasion_of(fact):
                happenings.append(Happening(email_id=email_id, occasion=occasion, fact=fact))
            elif fact.key in rejudged[email_id]:
                lost.setdefault(email_id, set()).add(uuid_of(fact.key))
        return happenings, lost

    def _judged(
        self, rejudged: Mapping[UUID, set[bytes]], batch: Sequence[LoggedFact]
    ) -> Iterator[tuple[UUID, Engagement]]:
        """Give what is new or judged anew of emails, as it is judged by the end of the batch."""
        if not rejudged:
            return
        asked = {email_id: set(keys) for email_id, keys in rejudged.items()}
        for logged in batch:
            if logged.stream_id in asked and isinstance(logged.fact, Fact):
                asked[logged.stream_id].add(logged.fact.key)
        for email_ids in in_portions(self._log.lengths(asked), most=FACTS_AT_ONCE):
            streams = self._log.streams(email_ids, until=batch[-1].place)
            for email_id, stream in groupby(streams, key=attrgetter("stream_id")):
                for logged in as_known_by_now(list(stream), erased=False):
                    if isinstance(logged.fact, Engagement) and logged.fact.key in asked[email_id]:
                        yield email_id, logged.fact

    def _tell(self, happenings: Sequence[Happening], lost: Mapping[UUID, set[UUID]]) -> None:
        email_ids = {happening.email_id for happening in happenings} | lost.keys()
        about = circumstances_of(email_ids, self._view, self._log)
        threads: dict[NotificationThread, list[Told]] = {}
        for told in self._view.told_about(email_ids):
            threads.setdefault((told.email_id, told.user_id, told.occasion), []).append(told)
        before = {thread: _latest(rows) for thread, rows in threads.items()}
        changed: dict[UUID, Told] = {}
        for email_id, events in lost.items():
            for told in _unread_about(email_id, threads):
                if any(told.causes.pop(event, None) for event in events):
                    changed[told.id] = told
        for happening in happenings:
            for told in self._told(happening, about, threads):
                changed[told.id] = told
        self._keep(changed, about, before)

    def _told(
        self, happening: Happening, about: Circumstances, threads: dict[NotificationThread, list[Told]]
    ) -> Iterator[Told]:
        sent = about.sent(happening.email_id)
        if sent is None:
            return
        terms = about.terms.get((sent.organization_id, addressee_of(sent)), TrackingTerms())
        if not notifying.may_be_told(happening.occasion, terms):
            return
        for user_id in notifying.audience(sent, about.manager_of(sent)):
            rows = threads.setdefault((happening.email_id, user_id, happening.occasion), [])
            if any(happening.id in told.causes for told in rows):
                continue
            wanted = notifying.wants(
                about.preferences_of(sent.organization_id, user_id),
                happening.occasion,
                is_sender=user_id == sent.sender.id,
                is_hot=(sent.organization_id, sent.recipient_id) in about.hot,
                is_first=not any(told.causes for told in rows),
            )
            if wanted and (told := self._take(happening, about.emails[happening.email_id], sent, user_id, rows)):
                yield told

    def _take(
        self, happening: Happening, registration: LoggedFact, sent: Sent, user_id: str, rows: list[Told]
    ) -> Told | None:
        told = next((row for row in rows if row.read_at is None), None)
        held_until = notifying.held_until(happening.fact)
        if told is None:
            told = self._begun(happening, registration, sent, user_id, rows)
            told.held_until = held_until
            rows.append(told)
        elif len(told.causes) >= words.MOST_COUNTED:
            return None
        elif told.held_until is not None:
            told.held_until = held_until and max(told.held_until, held_until)
        told.causes[happening.id] = happening.fact.occurred_at
        return told

    def _begun(
        self, happening: Happening, registration: LoggedFact, sent: Sent, user_id: str, rows: Sequence[Told]
    ) -> Told:
        return Told(
            id=_first_free(happening.email_id, user_id, happening.occasion, {row.id for row in rows}),
            organization_id=sent.organization_id,
            user_id=user_id,
            occasion=happening.occasion,
            email_id=happening.email_id,
            candidate_id=sent.recipient_id,
            candidate_name=sent.personal.name,
            subject=sent.subject,
            url=words.url(happening.email_id, sent),
            created_at=self._now,
            job_id=sent.job.id if sent.job else None,
            addressee_id=addressee_of(sent),
            email_log_id=registration.place,
        )

    def _keep(
        self, changed: Mapping[UUID, Told], about: Circumstances, before: Mapping[NotificationThread, datetime | None]
    ) -> None:
        gone = [told.id for told in changed.values() if not told.causes]
        kept = [told for told in changed.values() if told.causes]
        ringing: list[Told] = []
        for told in kept:
            if sent := about.sent(told.email_id):
                told.title = words.title(told.occasion, sent, to=told.user_id, times=len(told.causes))
            if told.held_until is not None and told.held_until <= self._now:
                told.held_until = None
            known_at = before.get((told.email_id, told.user_id, told.occasion))
            has_news = known_at is None or told.occurred_at > known_at
            if told.held_until is None and has_news and self._rings(told, about, known_at):
                ringing.append(told)
        self._view.forget(gone)
        self.announcements = announce(self._view, ringing)
        self._view.save(kept)

    def _rings(self, told: Told, about: Circumstances, known_at: datetime | None) -> bool:
        return notifying.rings(
            about.preferences_of(told.organization_id, told.user_id),
            told.occasion,
            occurred_at=told.occurred_at,
            told_before_at=known_at,
            now=self._now,
        )

    def _is_about(self, announcement: Announcement, erased: set[UUID]) -> bool:
        email_id = announcement.notification.email_id
        logged = self._log.registrations([email_id]).get(email_id) if email_id else None
        return logged is not None and isinstance(logged.fact, Sent) and addressee_of(logged.fact) in erased


def in_portions(lengths: Mapping[UUID, int], *, most: int) -> Iterator[list[UUID]]:
    """Part streams so that no portion holds more than so many facts, unless a single stream does."""
    portion: list[UUID] = []
    facts = 0
    for stream_id, length in lengths.items():
        if portion and facts + length > most:
            yield portion
            portion, facts = [], 0
        portion.append(stream_id)
        facts += length
    if portion:
        yield portion


def announce(view: NotificationsView, ringing: Sequence[Told]) -> list[Announcement]:
    """Number what rings, the earliest first."""
    if not ringing:
        return []
    in_order = sorted(ringing, key=_by_time)
    return [told.announced(number) for told, number in zip(in_order, view.numbers(len(in_order)), strict=True)]


def _latest(rows: Sequence[Told]) -> datetime | None:
    """Tell when the latest of what somebody knows happened."""
    return max((row.occurred_at for row in rows if row.causes and row.held_until is None), default=None)


def _unread_about(email_id: UUID, threads: Mapping[NotificationThread, Sequence[Told]]) -> Iterator[Told]:
    for (about, _, _), rows in threads.items():
        if about == email_id:
            yield from (row for row in rows if row.read_at is None)


def _first_free(email_id: UUID, user_id: str, occasion: Occasion, taken: set[UUID]) -> UUID:
    """Name a notification after what it is about, so that whoever folds the same facts gives it the same name."""
    n = 0
    while True:
        name = f"{n}\n{occasion}\n{user_id}".encode()
        id_ = uuid_of(blake2b(name, digest_size=16, key=email_id.bytes).digest())
        if id_ not in taken:
            return id_
        n += 1


def _by_time(told: Told) -> tuple[datetime, bytes]:
    return told.occurred_at, told.id.bytes

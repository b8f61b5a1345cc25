"""The notifications read model at work: it folds, lets go of what it held back, sums up, forgets, and rings."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid5

from domain.notification_kinds import NotificationKind
from domain.notification_preferences import DEFAULT_PREFERENCES
from domain.policies import notifying
from read_models.events import EventLog, LoggedFact
from read_models.notifications import words
from read_models.notifications.feed import NotificationFeed
from read_models.notifications.notification import Announcement, Notification
from read_models.notifications.projection import NAME, ProjectNotifications, announce
from read_models.notifications.view import DueDigest, NotificationsView, Told
from read_models.runner import FoldingReadModel, Progress, ReadModelStore

KEPT_FOR: Final = timedelta(days=90)
LOOKS_EVERY: Final = timedelta(seconds=1)
FORGETS_EVERY: Final = timedelta(minutes=10)
AT_ONCE: Final = 1_000
DIGESTS_URL: Final = "/notifications"


class NotificationsReadModel:
    """Tells people what happened, once, and rings after the commit that keeps it.

    It is never rebuilt: that somebody was told, and has read it, follows from no event (ADR 0018).

    Args:
        store: Of rows and position.
        feed: Rings.
        clock: Gives aware UTC.
    """

    name = NAME

    def __init__(
        self,
        store: ReadModelStore[NotificationsView],
        feed: NotificationFeed,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._feed = feed
        self._clock = clock
        self._announcements: list[Announcement] = []
        self._folding = FoldingReadModel(NAME, store, self._project, on_commit=self._ring)
        self._looks_at: datetime | None = None
        self._forgets_at: datetime | None = None

    @property
    def most_events(self) -> int:
        """Of one batch; see `read_models.runner.ReadModel`."""
        return self._folding.most_events

    def advance(self) -> int:
        """Tell of the next events; see `read_models.runner.ReadModel`."""
        now = self._clock()
        taken = self._folding.advance()
        # A batch that is not full held all that was known by `now`, also what says that something was a machine.
        if taken < self.most_events and (self._looks_at is None or now >= self._looks_at):
            self._look_after(now)
            self._looks_at = now + LOOKS_EVERY
        return taken

    def _project(self, view: NotificationsView, log: EventLog, batch: Sequence[LoggedFact]) -> int:
        project = ProjectNotifications(view, log, self._clock())
        taken = project(batch)
        self._announcements = project.announcements
        return taken

    def _ring(self) -> None:
        announcements, self._announcements = self._announcements, []
        self._feed.publish(announcements)

    def _look_after(self, now: datetime) -> None:
        """Do what time alone asks for."""
        with self._store.begin() as progress:
            self._announcements = [*_let_go(progress, now), *_sum_up(progress, now)]
            is_time = self._forgets_at is None or now >= self._forgets_at
            if is_time and progress.view.forget_before(now - KEPT_FOR, most=AT_ONCE) < AT_ONCE:
                self._forgets_at = now + FORGETS_EVERY
        self._ring()


def _let_go(progress: Progress[NotificationsView], now: datetime) -> list[Announcement]:
    view = progress.view
    due = list(view.held(now, most=AT_ONCE))
    if not due:
        return []
    preferences = view.preferences({(told.organization_id, told.user_id) for told in due})
    ringing: list[Told] = []
    for told in due:
        told.held_until = None
        wanted = preferences.get((told.organization_id, told.user_id), DEFAULT_PREFERENCES)
        if notifying.rings(wanted, told.occasion, occurred_at=told.occurred_at, told_before_at=None, now=now):
            ringing.append(told)
    announcements = announce(view, ringing)
    view.save(due)
    return announcements


def _sum_up(progress: Progress[NotificationsView], now: datetime) -> list[Announcement]:
    view = progress.view
    announcements: list[Announcement] = []
    for due in view.due_digests(now, most=AT_ONCE):
        next_at = due.preferences.next_digest_at(now)
        if not due.counts:
            view.put_off_digest(due, next_at=next_at)
            continue
        [number] = view.numbers(1)
        announcement = _digest(due, number)
        view.save_digest(due, announcement, next_at=next_at)
        announcements.append(announcement)
    return announcements


def _digest(due: DueDigest, number: int) -> Announcement:
    return Announcement(
        number=number,
        organization_id=due.organization_id,
        user_id=due.user_id,
        notification=Notification(
            id=uuid5(due.organization_id, f"digest\n{due.user_id}\n{due.due_at.isoformat()}"),
            kind=NotificationKind.DIGEST,
            email_id=None,
            candidate_id=None,
            candidate_name="",
            subject="",
            occurred_at=due.due_at,
            title=words.digest_title(due.counts),
            text=words.digest_text(due.counts),
            url=DIGESTS_URL,
        ),
    )

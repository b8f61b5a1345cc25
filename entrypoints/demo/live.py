"""Goes on at a gentle rate, so that numbers move while somebody watches."""

import heapq
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final, ParamSpec

from entrypoints.demo.facts import Fact, Kind
from entrypoints.demo.service import RefusedRequestError, ServiceUnavailableError
from entrypoints.demo.simulated_provider import Post
from entrypoints.demo.stage import Stage
from entrypoints.demo.story import LiveStory, Story
from entrypoints.demo.team import SentEmail

NEW_EMAIL_EVERY_S: Final = 2.0
OLD_EMAIL_EVERY_S: Final = 1.5
SHOWN_EVERY_S: Final = 2.0
LAG_MEASURED_EVERY_S: Final = 6.0
LAG_GIVEN_UP_AFTER_S: Final = 30.0
_TICK_S: Final = 0.25
_LAG_POLL_S: Final = 0.02

P = ParamSpec("P")


def play_live(stage: Stage, history: Story, *, seed: int) -> None:
    """Send and report until the demo is stopped.

    Raises:
        DemoError: The service refused what it should take.
    """
    session = f"{int(time.time()):08x}"
    with ThreadPoolExecutor(max_workers=6, thread_name_prefix="live") as threads:
        _Live(stage, LiveStory(history, seed=seed, session=session), history, threads).run()


class _Every:
    """Says yes at most once in so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due_at = 0.0

    def is_due(self) -> bool:
        now = time.monotonic()
        if now < self._due_at:
            return False
        self._due_at = now + self._seconds
        return True


class _Live:
    def __init__(self, stage: Stage, story: LiveStory, history: Story, threads: ThreadPoolExecutor) -> None:
        self._stage = stage
        self._story = story
        self._campaigns = history.team.campaigns
        self._threads = threads
        self._ahead: list[tuple[datetime, str, Fact]] = []
        self._running: list[Future[None]] = []
        self._showing: Future[None] | None = None
        self._undelivered: dict[str, str] = {}  # the service's ids of emails by message id
        self._new_email = _Every(NEW_EMAIL_EVERY_S)
        self._old_email = _Every(OLD_EMAIL_EVERY_S)
        self._show = _Every(SHOWN_EVERY_S)
        self._measure = _Every(LAG_MEASURED_EVERY_S)

    def run(self) -> None:
        while not self._stage.stopped.wait(_TICK_S):
            now = datetime.now(UTC)
            if self._new_email.is_due():
                email, facts = self._story.new_email(now)
                self._do(self._send, email)
                self._expect(facts)
            if self._old_email.is_due():
                self._expect(self._story.old_email(now))
            self._report_until(now)
            if self._show.is_due() and (self._showing is None or self._showing.done()):
                self._showing = self._do(self._show_counts)
            self._running = [one for one in self._running if not _is_over(one)]

    def _expect(self, facts: list[Fact]) -> None:
        for fact in facts:
            heapq.heappush(self._ahead, (fact.at, fact.event_id, fact))

    def _report_until(self, now: datetime) -> None:
        happened: list[Fact] = []
        while self._ahead and self._ahead[0][0] <= now:
            fact = heapq.heappop(self._ahead)[2]
            email_id = self._undelivered.pop(fact.email.message_id, "") if fact.kind is Kind.DELIVERED else ""
            if email_id and self._measure.is_due():
                self._do(self._report_and_measure, fact, email_id)
            else:
                happened.append(fact)
        for post in self._stage.provider.report(happened):
            self._do(self._post, post)

    def _send(self, email: SentEmail) -> None:
        for email_id in self._stage.register([email]):
            self._undelivered[email.message_id] = email_id

    def _post(self, post: Post) -> None:
        self._stage.posting.send(post)

    def _report_and_measure(self, delivered: Fact, email_id: str) -> None:
        """Report a delivery and take the time from its acknowledgement until a query shows it."""
        for post in self._stage.provider.report_once_each([delivered]):
            self._stage.posting.send(post)
        acknowledged_at = time.monotonic()
        while time.monotonic() - acknowledged_at < LAG_GIVEN_UP_AFTER_S and not self._stage.stopped.is_set():
            try:
                if self._stage.service.ask(f"/api/v1/emails/{email_id}")["delivered_at"]:
                    self._stage.lag_s = time.monotonic() - acknowledged_at
                    return
            except (RefusedRequestError, ServiceUnavailableError):
                pass  # not visible yet, or not there at the moment: what is waited for
            self._stage.stopped.wait(_LAG_POLL_S)

    def _show_counts(self) -> None:
        try:
            self._stage.metrics(self._campaigns)
        except ServiceUnavailableError:
            return  # the last answers stay on the board; the tally shows that reports wait
        self._stage.scoreboard.show(self._stage.counts())

    def _do(self, work: Callable[P, None], *arguments: P.args, **named: P.kwargs) -> Future[None]:
        self._running.append(self._threads.submit(work, *arguments, **named))
        return self._running[-1]


def _is_over(one: Future[None]) -> bool:
    """Whether it is done; its error becomes ours."""
    if not one.done():
        return False
    one.result()
    return True

"""What every part of the demo works with."""

import threading
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final, TypeVar

from entrypoints.demo.connection import Connection
from entrypoints.demo.keys import kept_keys
from entrypoints.demo.posting import Posting
from entrypoints.demo.scoreboard import Scoreboard, counts
from entrypoints.demo.service import EMAILS_PER_REQUEST, RefusedRequestError, Service, ServiceUnavailableError
from entrypoints.demo.signing import Signatures
from entrypoints.demo.simulated_provider import SimulatedProvider
from entrypoints.demo.team import Campaign, SentEmail

SUMMED: Final = (
    "sent", "delivered", "opened", "clicked", "total_clicks", "replied", "bounced", "unsubscribed", "spam_reported",
    "machine_opens", "scanner_clicks",
)  # fmt: skip

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0

R = TypeVar("R")


class Stage:
    """The service, the simulated providers and the scoreboard.

    Args:
        connection: To a service that set-up has prepared.
        seed: Decides order, batches and repetition of the reports.
        scoreboard: Where to show what happens.
        stopped: Set from outside to end everything.
    """

    def __init__(self, connection: Connection, seed: int, scoreboard: Scoreboard, stopped: threading.Event) -> None:
        self.service = Service(connection.base_url, connection.api_key)
        self.provider = SimulatedProvider(Signatures(kept_keys(Path(connection.keys_file))), Random(f"reports {seed}"))
        self.posting = Posting(self.service, connection.endpoints, self.provider, stopped)
        self.scoreboard = scoreboard
        self.stopped = stopped
        self.lag_s: float | None = None
        self._sums: dict[str, int] = {}

    def register(self, emails: Sequence[SentEmail]) -> list[str]:
        """Register any number of emails, once the service is there.

        Returns:
            The service's id of each; fewer if the demo was stopped meanwhile.
        """
        email_ids: list[str] = []
        for start in range(0, len(emails), EMAILS_PER_REQUEST):
            answers = self._register_some(emails[start : start + EMAILS_PER_REQUEST])
            email_ids += [answer["email_id"] for answer in answers]
            self.posting.count_registered(sum(answer["status"] == "registered" for answer in answers))
        return email_ids

    def metrics(self, campaigns: Sequence[Campaign]) -> list[dict[str, Any]]:
        """Ask how each campaign does; an empty answer where none of its emails is visible yet.

        Raises:
            ServiceUnavailableError: Ask again.
        """
        answers = [self._metrics_of(campaign) for campaign in campaigns]
        self._sums = {name: sum(answer.get(name, 0) for answer in answers) for name in SUMMED}
        return answers

    def counts(self) -> str:
        """Say in one line how it goes."""
        return counts(self.posting.tally, self._sums, self.lag_s)

    def patiently(self, do: Callable[[], R]) -> R | None:
        """Do something as soon as the service can take it; ``None`` if the demo was stopped meanwhile."""
        for attempt in count():
            if self.stopped.is_set():
                break
            try:
                return do()
            except ServiceUnavailableError:
                self.stopped.wait(min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**attempt))
        return None

    def _register_some(self, emails: Sequence[SentEmail]) -> list[dict[str, Any]]:
        return self.patiently(lambda: self.service.register(emails)) or []

    def _metrics_of(self, campaign: Campaign) -> dict[str, Any]:
        try:
            return self.service.ask(f"/api/v1/campaigns/{campaign.id}/engagement")
        except RefusedRequestError:
            return {}

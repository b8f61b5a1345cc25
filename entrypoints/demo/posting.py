"""Sends posts until each is acknowledged, as providers do, and counts what became of them."""

import logging
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

import msgspec

from entrypoints.demo.service import Service, ServiceUnavailableError
from entrypoints.demo.simulated_provider import Post, SimulatedProvider

logger = logging.getLogger(__name__)

POSTS_AT_ONCE: Final = 4
LONGEST_PAUSE_S: Final = 5.0
_FIRST_PAUSE_S: Final = 0.1


class Tally(msgspec.Struct, kw_only=True):
    """What the providers have done so far.

    Attributes:
        posted: Reports sent, however often the post that carries them was.
        acknowledged: Reports whose post was answered with 200.
        repeated: Acknowledged reports that had been reported before.
        refused: Reports whose post will never be taken.
        retries: Posts that had to be sent again.
    """

    registered: int = 0
    posted: int = 0
    acknowledged: int = 0
    repeated: int = 0
    refused: int = 0
    retries: int = 0


class Posting:
    """The sending side of all simulated providers.

    Args:
        service: Who receives.
        endpoints: Paths by provider.
        provider: Knows how to sign.
        stopped: Once set, nothing more is sent, and nothing waits.
    """

    def __init__(
        self,
        service: Service,
        endpoints: Mapping[str, str],
        provider: SimulatedProvider,
        stopped: threading.Event,
    ) -> None:
        self._service = service
        self._endpoints = endpoints
        self._provider = provider
        self._stopped = stopped
        self._lock = threading.Lock()
        self.tally = Tally()

    def send_all(self, posts: Iterable[Post]) -> None:
        """Send many posts, a few at once; returns when each was acknowledged or refused, or the demo stops."""
        with ThreadPoolExecutor(POSTS_AT_ONCE, thread_name_prefix="provider") as senders:
            sent = [senders.submit(self.send, post) for post in posts]
            wait(sent)
        for one in sent:
            one.result()  # an error of our own is shown, not lost in its thread

    def send(self, post: Post) -> bool:
        """Send a post, again and again while the service cannot take it.

        Returns:
            Whether it was acknowledged.
        """
        self._count(posted=post.reports)
        pause_s = _FIRST_PAUSE_S
        while not self._stopped.is_set():
            try:
                headers = self._provider.headers(post, now=datetime.now(UTC))
                answer = self._service.post(self._endpoints[post.provider], post.body, headers)
            except ServiceUnavailableError:
                told_s = 0.0
            else:
                if answer.status == HTTPStatus.OK:
                    self._count(acknowledged=post.reports, repeated=post.repeats)
                    return True
                if answer.status != HTTPStatus.TOO_MANY_REQUESTS and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    self._count(refused=post.reports)
                    logger.warning(
                        "A post was refused",
                        extra={"event": "post_refused", "provider": post.provider, "status": answer.status},
                    )
                    return False
                told_s = answer.retry_after_s
            self._count(retries=1)
            self._stopped.wait(min(max(told_s, pause_s), LONGEST_PAUSE_S))
            pause_s *= 2
        return False

    def count_registered(self, emails: int) -> None:
        """Add registered emails to the tally."""
        self._count(registered=emails)

    def _count(self, **more: int) -> None:
        with self._lock:
            for name, number in more.items():
                setattr(self.tally, name, getattr(self.tally, name) + number)

"""Plays the providers: posts what happens as it happens, and posts again what was not acknowledged."""

import http.client
import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from tests.crash.story import Post, Report, worded
from tests.support.signed_deliveries import SIGNERS

TIMEOUT_S = 10.0
AGAIN_AFTER_S = 0.3
WAIT_S = 0.01


class UnexpectedAnswerError(Exception):
    """An answer after which a provider gives up."""


class Answer(NamedTuple):
    """What the service said; status 0: nothing."""

    status: int
    headers: dict[str, str]
    words: str


class Providers:
    """Posts from several threads until it is told to stop, then until all is acknowledged; use as a context.

    Args:
        port: Gives the port now: the service may start again on another.
        paths: Of the webhook endpoints, by provider.
        next_post: Tells what to post next.
        pause_s: Of each thread between two posts.

    Attributes:
        acknowledged: Every report of every post that was answered with 200.
        answers: How often each status was the answer; 0 where there was none.
    """

    def __init__(
        self,
        port: Callable[[], int],
        paths: dict[str, str],
        next_post: Callable[[], Post],
        *,
        threads: int = 4,
        pause_s: float = 0.005,
    ):
        self.acknowledged: list[Report] = []
        self.answers: Counter[int] = Counter()
        self._port = port
        self._paths = paths
        self._next_post = next_post
        self._pause_s = pause_s
        self._again: deque[tuple[float, Post]] = deque()
        self._in_hand = 0
        self._lock = threading.Lock()
        self._finishing = threading.Event()
        self._refused = ""
        self._threads = [threading.Thread(target=self._keep_posting, daemon=True) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._again.clear()
        self._finishing.set()
        for thread in self._threads:
            thread.join()

    def finish(self, within_s: float = 60.0) -> None:
        """Tell nothing new any more, and return when all that was told is acknowledged.

        Raises:
            UnexpectedAnswerError: The service answered what it must not, or not in time.
        """
        self._finishing.set()
        deadline = time.monotonic() + within_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if self._refused:
            raise UnexpectedAnswerError(self._refused)
        if any(thread.is_alive() for thread in self._threads):
            raise UnexpectedAnswerError(f"after {within_s:g} s not all is acknowledged; answers {dict(self.answers)}")

    def post(self, post: Post) -> Answer:
        """Post now; what is not acknowledged is posted again later, like everything else."""
        with self._lock:
            self._in_hand += 1
        answer = self._answer_to(post)
        self._settle(post, answer)
        return answer

    def _keep_posting(self) -> None:
        while (post := self._take()) is not None and not self._refused:
            if post is not _NOTHING_YET:
                self._settle(post, self._answer_to(post))
            time.sleep(self._pause_s if post is not _NOTHING_YET else WAIT_S)

    def _take(self) -> Post | None:
        with self._lock:
            if self._again and self._again[0][0] <= time.monotonic():
                self._in_hand += 1
                return self._again.popleft()[1]
            if not self._finishing.is_set():
                self._in_hand += 1
                return self._next_post()
            return _NOTHING_YET if self._again or self._in_hand else None

    def _settle(self, post: Post, answer: Answer) -> None:
        status = answer.status
        with self._lock:
            self._in_hand -= 1
            self.answers[status] += 1
            if status == http.client.OK:
                self.acknowledged += post.reports
            elif status in {0, http.client.TOO_MANY_REQUESTS} or status >= http.client.INTERNAL_SERVER_ERROR:
                self._again.append((time.monotonic() + AGAIN_AFTER_S, post))
            else:
                self._refused = f"{post.provider} was answered {status}: {answer.words}"

    def _answer_to(self, post: Post) -> Answer:
        headers, body = SIGNERS[post.provider].sign(json.dumps(worded(post)).encode(), now=datetime.now(UTC))
        connection = http.client.HTTPConnection("127.0.0.1", self._port(), timeout=TIMEOUT_S)
        try:
            connection.request("POST", self._paths[post.provider], body, headers)
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, headers, answer.read().decode())
        except (OSError, http.client.HTTPException) as error:
            return Answer(0, {}, type(error).__name__)
        finally:
            connection.close()


_NOTHING_YET = Post("", ())

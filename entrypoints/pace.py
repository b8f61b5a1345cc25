"""How often work is begun: at once when it is rare, seldomer when there is much, so that it shares transactions."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SHORTEST_S: Final = 0.04
LONGEST_S: Final = 0.15
PER_WORK: Final = 3.0


class Pace:
    """Says when the next round of some work may begin.

    A round after a quiet time begins at once. Rounds that take long follow each other more slowly, up to a limit: each
    then finds more to do, and does it more cheaply.

    Args:
        shortest_s: Shortest time from one beginning to the next.
        longest_s: Longest such time that this asks for.
        per_work: Time from one beginning to the next, in multiples of what the last round took.
    """

    def __init__(
        self, shortest_s: float = SHORTEST_S, longest_s: float = LONGEST_S, *, per_work: float = PER_WORK
    ) -> None:
        self._shortest_s = shortest_s
        self._per_work = per_work
        self._longest_s = max(shortest_s, longest_s)
        self._began_at = self._next_at = self._soonest_at = 0.0

    def wait_s(self, *, is_busy: bool = True) -> float:
        """Seconds until the next round may begin; 0.0 if it may.

        Args:
            is_busy: Whether others have much to do; if not, long rounds may follow each other as soon as short ones.
        """
        return max(0.0, (self._next_at if is_busy else self._soonest_at) - time.monotonic())

    def begin(self) -> None:
        """Begin a round."""
        self._began_at = time.monotonic()
        self._next_at = self._soonest_at = self._began_at + self._shortest_s

    def end(self) -> None:
        """End the round that was begun last."""
        took_s = time.monotonic() - self._began_at
        self._next_at = self._began_at + min(self._longest_s, max(self._shortest_s, self._per_work * took_s))

    def put_off(self, wait_s: float) -> None:
        """Begin none for a while."""
        self._next_at = self._soonest_at = time.monotonic() + wait_s

    @contextmanager
    def round(self) -> Iterator[None]:
        """Do one round of the work."""
        self.begin()
        try:
            yield
        finally:
            self.end()

"""Forget who signed in once: tokens of people that ended long ago."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from application.ports.clock import Clock
from application.ports.ended_tokens import EndedTokens

KEPT_FOR: Final = timedelta(days=30)
"""After their end: reports that came before it and wait still ask whose browser it was."""
FORGOTTEN_AT_ONCE: Final = 1_000


class ForgetTokens:
    """Deletes user tokens, sign-in links and sessions, each with a person's id and name, `KEPT_FOR` after their end.

    API keys stay: they are nobody's, and their list shows those that were revoked.

    Args:
        tokens: That ended.
        clock: Gives aware UTC.
    """

    def __init__(self, tokens: EndedTokens, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock

    def __call__(self, *, keep_on: Callable[[], bool] = lambda: True) -> int:
        """Forget.

        Args:
            keep_on: Asked before each transaction whether to go on.

        Returns:
            Number of tokens forgotten.

        Raises:
            StoreUnavailableError: What went is gone; the rest goes another time.
        """
        before = self._clock() - KEPT_FOR
        forgotten = 0
        while keep_on():
            gone = self._tokens.forget_before(before, most=FORGOTTEN_AT_ONCE)
            forgotten += gone
            if gone < FORGOTTEN_AT_ONCE:
                break
        return forgotten

"""Tokens of people that open nothing any more."""

from datetime import datetime
from typing import Protocol


class EndedTokens(Protocol):
    """Lets go of them.

    Raises:
        StoreUnavailableError: Nothing was changed; ask again.
    """

    def forget_before(self, instant: datetime, *, most: int) -> int:
        """Delete user tokens, sign-in links and sessions that ended before an instant, and never an API key.

        A token ends when it expires, is used up or is revoked, whichever comes first. It is a transaction of its own.

        Returns:
            How many; fewer than `most`: there is nothing more to delete.
        """
        ...

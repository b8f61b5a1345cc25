"""Tell who presents a token."""

from collections.abc import Callable, Collection
from typing import Final

from application.ports.access_tokens import AccessToken, AccessTokens, TokenKind
from application.ports.clock import Clock
from application.tokens import hash_of, is_token
from domain.errors import ApplicationError

CACHED_FOR_S: Final = 2.0
MOST_CACHED: Final = 10_000
BEARERS: Final = frozenset({TokenKind.API_KEY, TokenKind.USER_TOKEN})
"""What programs send; the other kinds are for browsers."""


class InvalidTokenError(ApplicationError):
    """A token that opens nothing: unknown, expired or revoked."""

    code = "invalid_token"


class Authenticate:
    """Tells who presents a token.

    A token that was revoked opens nothing after `CACHED_FOR_S` seconds, in every process.

    Args:
        tokens: Where hashes are kept.
        clock: Gives aware UTC.
        monotonic: Gives seconds that never go back.

    Source:
        TRUST.md: API keys stored as hashes, revocable within 5 s.
    """

    def __init__(self, tokens: AccessTokens, clock: Clock, monotonic: Callable[[], float]) -> None:
        self._tokens = tokens
        self._clock = clock
        self._monotonic = monotonic
        self._cached: dict[bytes, tuple[float, AccessToken | None]] = {}

    async def __call__(self, token: str, kinds: Collection[TokenKind] = BEARERS) -> AccessToken:
        """Give what is known about a token.

        Args:
            token: As it was presented.
            kinds: That are accepted where it was presented.

        Raises:
            InvalidTokenError: It opens nothing here.
            StoreUnavailableError: It cannot be told now.
        """
        if not is_token(token, kinds):
            raise InvalidTokenError("the token has not the form of one")
        token_hash = hash_of(token)
        cached = self._cached.get(token_hash)
        if cached and cached[0] > self._monotonic():
            found = cached[1]
        else:
            found = await self._looked_up(token_hash)
        if found is None:
            raise InvalidTokenError("the token is unknown, expired or revoked")
        return found

    async def _looked_up(self, token_hash: bytes) -> AccessToken | None:
        asked_at = self._monotonic()  # before the answer: a revocation meanwhile must not live longer
        found = await self._tokens.find(token_hash, self._clock())
        if len(self._cached) >= MOST_CACHED:
            self._cached.clear()
        self._cached[token_hash] = (asked_at + CACHED_FOR_S, found)
        return found

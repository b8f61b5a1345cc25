"""Let people in with a browser: a link opens once and becomes a session."""

from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

import msgspec

from application.authenticate import InvalidTokenError
from application.ports.access_tokens import AccessToken, AccessTokens, Role, TokenKind
from application.ports.clock import Clock
from application.tokens import hash_of, is_token, new_token

SESSION_LIFETIME: Final = timedelta(days=7)
_NOBODY: Final = UUID(int=0)


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A new session.

    Attributes:
        token: For the cookie; shown to nobody else.
        session: Everything else about it.
    """

    token: str
    session: AccessToken


class SignIn:
    """Exchanges links for sessions and ends these.

    Args:
        tokens: Where hashes are kept.
        clock: Gives aware UTC.

    Source:
        TRUST.md, Web: the session id changes at login; an id that a client brings is never adopted.
    """

    def __init__(self, tokens: AccessTokens, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock

    async def __call__(self, code: str) -> SignedIn:
        """Use up a link.

        Raises:
            InvalidTokenError: The link is unknown, used, expired or revoked.
            StoreUnavailableError: The link is as good as before; try again later.
        """
        if not is_token(code, {TokenKind.SIGN_IN_LINK}):
            raise InvalidTokenError("the link has not the form of one")
        secret, now = new_token(TokenKind.SESSION), self._clock()
        # Who it is for is told by the link.
        session = AccessToken(
            id=uuid4(),
            organization_id=_NOBODY,
            kind=TokenKind.SESSION,
            role=Role.RECRUITER,
            user_id=None,
            name="",
            created_at=now,
            expires_at=now + SESSION_LIFETIME,
        )
        kept = await self._tokens.exchange(hash_of(code), session, hash_of(secret))
        if kept is None:
            raise InvalidTokenError("the link was used before, has expired or was revoked")
        return SignedIn(token=secret, session=kept)

    async def sign_out(self, session: AccessToken) -> None:
        """End a session; its cookie opens nothing within seconds.

        Raises:
            StoreUnavailableError: It goes on; try again later.
        """
        await self._tokens.revoke(session.organization_id, TokenKind.SESSION, session.id, self._clock())

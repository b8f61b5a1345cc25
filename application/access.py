"""Let in who may ask: organisations, their API keys, and the people a host application vouches for."""

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode
from uuid import UUID, uuid4

import msgspec

from application.ports.access_tokens import AccessToken, AccessTokens, Organization, Role, TokenKind
from application.ports.clock import Clock
from application.ports.endpoints import UnknownOrganizationError
from application.tokens import hash_of, new_token
from domain.errors import ApplicationError

USER_TOKEN_LIFETIME: Final = timedelta(days=30)
SIGN_IN_LINK_LIFETIME: Final = timedelta(hours=24)
LONGEST_NAME: Final = 255


class InvalidNameError(ApplicationError):
    """A name or a user's id that is empty, too long, holds a NUL character, or is no text.

    Attributes:
        field: Which one.
    """

    code = "invalid_name"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field} {detail}")
        self.field = field
        self.detail = detail


class UnknownTokenError(ApplicationError):
    """The organisation has no token of that id and kind."""

    code = "unknown_token"


class CreatedOrganization(msgspec.Struct, frozen=True, kw_only=True):
    """A new organisation with its first API key, which is shown this once."""

    organization_id: UUID
    name: str
    api_key: str


class CreatedApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A new API key, which is shown this once."""

    api_key_id: UUID
    name: str
    api_key: str
    created_at: datetime


class UserSession(msgspec.Struct, frozen=True, kw_only=True):
    """How a person gets in: a link that opens once in a browser, a token for the API."""

    session_id: UUID
    user_id: str
    role: Role
    url: str
    token: str
    expires_at: datetime


class AccessControl:
    """Lets organisations, applications and people in, and out again.

    Args:
        tokens: Where hashes are kept.
        clock: Gives aware UTC.
        public_url: How browsers reach the service; no trailing slash.
    """

    def __init__(self, tokens: AccessTokens, clock: Clock, public_url: str) -> None:
        self._tokens = tokens
        self._clock = clock
        self._public_url = public_url

    async def create_organization(self, name: str) -> CreatedOrganization:
        """Create an organisation with its first API key.

        Raises:
            InvalidNameError: Nothing was created.
            StoreUnavailableError: Try again later.
        """
        organization = Organization(id=uuid4(), name=_checked("name", name), created_at=self._clock())
        secret = new_token(TokenKind.API_KEY)
        key = self._api_key(organization.id, "first key")
        await self._tokens.add_organization(organization, key, hash_of(secret))
        return CreatedOrganization(organization_id=organization.id, name=organization.name, api_key=secret)

    async def organizations(self) -> list[Organization]:
        """Give all organisations, the oldest first.

        Raises:
            StoreUnavailableError: Try again later.
        """
        return await self._tokens.organizations()

    async def check_organization(self, organization_id: UUID) -> None:
        """Tell an organisation that has nothing from one that does not exist.

        Raises:
            UnknownOrganizationError: There is no such organisation.
            StoreUnavailableError: Try again later.
        """
        if organization_id not in {organization.id for organization in await self._tokens.organizations()}:
            raise UnknownOrganizationError(organization_id)

    async def create_api_key(self, organization_id: UUID, name: str) -> CreatedApiKey:
        """Create another API key; it has the role admin.

        Raises:
            InvalidNameError: Nothing was created.
            UnknownOrganizationError: Nothing was created.
            StoreUnavailableError: Try again later.
        """
        key = self._api_key(organization_id, _checked("name", name))
        secret = new_token(TokenKind.API_KEY)
        await self._tokens.add((key, hash_of(secret)))
        return CreatedApiKey(api_key_id=key.id, name=key.name, api_key=secret, created_at=key.created_at)

    async def api_keys(self, organization_id: UUID) -> list[AccessToken]:
        """Give an organisation's API keys, revoked ones included, latest first.

        Raises:
            StoreUnavailableError: Try again later.
        """
        return await self._tokens.api_keys(organization_id)

    async def revoke_api_key(self, organization_id: UUID, api_key_id: UUID) -> None:
        """Make an API key open nothing within seconds; twice does no harm.

        Raises:
            UnknownTokenError: The organisation has no such API key.
            StoreUnavailableError: Try again later.
        """
        await self._revoke(organization_id, TokenKind.API_KEY, api_key_id)

    async def link_user(self, organization_id: UUID, user_id: str, role: Role, name: str = "") -> UserSession:
        """Let a person in, by the host application's id of them.

        Raises:
            InvalidNameError: Nothing was created.
            UnknownOrganizationError: Nothing was created.
            StoreUnavailableError: Try again later.
        """
        now = self._clock()
        secret, code = new_token(TokenKind.USER_TOKEN), new_token(TokenKind.SIGN_IN_LINK)
        token = AccessToken(
            id=uuid4(),
            organization_id=organization_id,
            kind=TokenKind.USER_TOKEN,
            role=role,
            user_id=_checked("user_id", user_id),
            name=_checked("name", name) if name else "",
            created_at=now,
            expires_at=now + USER_TOKEN_LIFETIME,
        )
        link = msgspec.structs.replace(
            token, id=uuid4(), kind=TokenKind.SIGN_IN_LINK, expires_at=now + SIGN_IN_LINK_LIFETIME, parent_id=token.id
        )
        await self._tokens.add((token, hash_of(secret)), (link, hash_of(code)))
        return UserSession(
            session_id=token.id,
            user_id=user_id,
            role=role,
            url=f"{self._public_url}/login?{urlencode({'code': code})}",
            token=secret,
            expires_at=now + USER_TOKEN_LIFETIME,
        )

    async def revoke_user_session(self, organization_id: UUID, session_id: UUID) -> None:
        """Make a person's token open nothing within seconds; twice does no harm.

        Raises:
            UnknownTokenError: The organisation has no such session.
            StoreUnavailableError: Try again later.
        """
        await self._revoke(organization_id, TokenKind.USER_TOKEN, session_id)

    def _api_key(self, organization_id: UUID, name: str) -> AccessToken:
        return AccessToken(
            id=uuid4(),
            organization_id=organization_id,
            kind=TokenKind.API_KEY,
            role=Role.ADMIN,
            user_id=None,
            name=name,
            created_at=self._clock(),
        )

    async def _revoke(self, organization_id: UUID, kind: TokenKind, token_id: UUID) -> None:
        if not await self._tokens.revoke(organization_id, kind, token_id, self._clock()):
            raise UnknownTokenError(f"the organisation has no {kind.value.replace('_', ' ')} {token_id}")


def _checked(field: str, text: str) -> str:
    if not text.strip():
        raise InvalidNameError(field, "is empty")
    if len(text) > LONGEST_NAME:
        raise InvalidNameError(field, f"is longer than {LONGEST_NAME} characters")
    if "\x00" in text:
        raise InvalidNameError(field, "holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:  # how Python reads bytes of a command line that are no UTF-8
        raise InvalidNameError(field, "is not text in UTF-8") from error
    return text

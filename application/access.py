"""Who may ask: organisations, their API keys, and the people a host application vouches for."""

import hashlib
import re
import secrets
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol
from urllib.parse import urlencode
from uuid import UUID, uuid4

import msgspec

from application.ports.clock import Clock
from application.ports.endpoints import UnknownOrganizationError
from domain.errors import ApplicationError

USER_TOKEN_LIFETIME: Final = timedelta(days=30)
SIGN_IN_LINK_LIFETIME: Final = timedelta(hours=24)
CACHED_FOR_S: Final = 2.0
MOST_CACHED: Final = 10_000
LONGEST_NAME: Final = 255
TOKEN: Final = re.compile(r"(mp_(?:key|user|link|session)_)[A-Za-z0-9_-]{43}")


class Role(StrEnum):
    """What a caller may do: hiring managers see the jobs that name them, recruiters all; admins also configure."""

    RECRUITER = "recruiter"
    HIRING_MANAGER = "hiring_manager"
    ADMIN = "admin"


class TokenKind(StrEnum):
    """What a token is for; none of one kind is ever taken for another.

    An API key is the host application's own; a user token one of its users'; a sign-in link opens once, in a browser,
    and becomes a session there, which ends with its user token.
    """

    API_KEY = "api_key"
    USER_TOKEN = "user_token"  # noqa: S105  a word in a table
    SIGN_IN_LINK = "sign_in_link"
    SESSION = "session"


PREFIXES: Final = {
    TokenKind.API_KEY: "mp_key_",
    TokenKind.USER_TOKEN: "mp_user_",
    TokenKind.SIGN_IN_LINK: "mp_link_",
    TokenKind.SESSION: "mp_session_",
}
BEARERS: Final = frozenset({TokenKind.API_KEY, TokenKind.USER_TOKEN})
"""What programs send; the other kinds are for browsers."""


class InvalidTokenError(ApplicationError):
    """A token that opens nothing: unknown, expired or revoked."""

    code = "invalid_token"


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


class AccessToken(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a token except the token.

    Attributes:
        user_id: The host application's id of the person; ``None`` for an API key.
        expires_at: ``None``: never.
        parent_id: The user token that a sign-in link or a session stands for and ends with.
    """

    id: UUID
    organization_id: UUID
    kind: TokenKind
    role: Role
    user_id: str | None
    name: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    parent_id: UUID | None = None


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """A customer; organisations never see each other."""

    id: UUID
    name: str
    created_at: datetime


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


class AccessTokens(Protocol):
    """Keeps organisations and the hashes of tokens. Every method raises `StoreUnavailableError` when it cannot."""

    async def find(self, token_hash: bytes, now: datetime) -> AccessToken | None:
        """Give the token of that hash if it is neither expired nor revoked."""
        ...

    async def still_open(self, token_ids: Collection[UUID], now: datetime) -> set[UUID]:
        """Give those of the tokens that are neither expired nor revoked."""
        ...

    async def organizations(self) -> list[Organization]:
        """Give all organisations, the oldest first."""
        ...

    async def add_organization(self, organization: Organization, key: AccessToken, key_hash: bytes) -> None:
        """Keep a new organisation together with its first API key."""
        ...

    async def add(self, *tokens: tuple[AccessToken, bytes]) -> None:
        """Keep new tokens with their hashes, all or none.

        Raises:
            UnknownOrganizationError: Of a token's organisation.
        """
        ...

    async def exchange(self, link_hash: bytes, session: AccessToken, session_hash: bytes) -> AccessToken | None:
        """Use up a sign-in link and keep the session that it opens.

        Args:
            link_hash: Of the link's code.
            session: Its organisation, role and person are taken from the link; it ends with the link's parent at last.
            session_hash: Of the session's token.

        Returns:
            The session as it was kept; ``None``, and nothing happens, if the link is unknown, used, expired or revoked.
        """
        ...

    async def api_keys(self, organization_id: UUID) -> list[AccessToken]:
        """Give an organisation's API keys, revoked ones included, latest first."""
        ...

    async def revoke(self, organization_id: UUID, kind: TokenKind, token_id: UUID, at: datetime) -> bool:
        """Make a token, and those it is the parent of, open nothing from now on; whether there is such a token."""
        ...


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


def is_token(text: str, kinds: Collection[TokenKind]) -> bool:
    """Whether a text has the form of a token of one of the kinds."""
    form = TOKEN.fullmatch(text)
    return form is not None and any(form[1] == PREFIXES[kind] for kind in kinds)


def new_token(kind: TokenKind) -> str:
    """Give a fresh token of 256 random bits."""
    return PREFIXES[kind] + secrets.token_urlsafe(32)


def hash_of(token: str) -> bytes:
    """Give what is kept of a token; no salt, for nobody guesses 256 random bits."""
    return hashlib.sha256(token.encode()).digest()


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

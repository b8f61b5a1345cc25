"""Where organisations and the hashes of tokens are kept, and what is known about each."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec


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

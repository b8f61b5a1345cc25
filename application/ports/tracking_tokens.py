"""What stands in our own links in place of whom and what they speak of."""

from typing import Final, Protocol
from uuid import UUID

import msgspec

from domain.errors import PortError

LONGEST_TOKEN: Final = 8_000
"""Characters; with its path and the words around it a request line that every proxy takes (nginx: 8 KB)."""


class BrokenTokenError(PortError):
    """No token of ours for this purpose: mangled, foreign, of another purpose, or of a key that is no longer in use."""

    code = "broken_token"


class EmailReference(msgspec.Struct, frozen=True):
    """An email without a word about who wrote or got it."""

    organization_id: UUID
    email_id: UUID


class TrackedLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link of an email.

    Attributes:
        url: As `domain.web_addresses.web_address` gives it.
        position: Which of the email's links it is: "1" is the first of the HTML, "text-1" of the plain text,
            "outlook-1" of what only Outlook shows.
        text: What the reader sees; "" if nothing.
        counted_as: What clicks are kept under where the address itself says whose it is; "" for `url`.

    Source:
        AF-4 Link click attribution: link metadata (text, position).
    """

    url: str
    position: str
    text: str = ""
    counted_as: str = ""


class TrackingTokens(Protocol):
    """Makes and reads tokens: opaque, and good for one purpose only.

    All that is needed to act on a token is inside, so that nothing has to be looked up.

    Source:
        SEC-4 No personal data in pixels and links; TRUST.md, tokens.
    """

    def for_open(self, email: EmailReference) -> str:
        """Give the token of an email's pixel."""
        ...

    def for_click(self, email: EmailReference, link: TrackedLink) -> str:
        """Give the token of a link."""
        ...

    def for_unsubscribe(self, email: EmailReference) -> str:
        """Give the token with which the email's recipient unsubscribes."""
        ...

    def read_open(self, token: str) -> EmailReference:
        """Say which email's pixel it is.

        Raises:
            BrokenTokenError: None.
        """
        ...

    def read_click(self, token: str) -> tuple[EmailReference, TrackedLink]:
        """Say which link of which email it is.

        Raises:
            BrokenTokenError: None.
        """
        ...

    def read_unsubscribe(self, token: str) -> EmailReference:
        """Say whose recipient unsubscribes.

        Raises:
            BrokenTokenError: Nobody's.
        """
        ...

"""What a request for our own pixel, a link or an unsubscription reports, as it waits in spool and inbox."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec

from domain.values import Signal

PROVIDER: Final = "first_party"
"""Names the translator of these reports; nobody registers an email or opens an endpoint under it."""
NO_ENDPOINT: Final = UUID(int=0)
"""Stands where a provider's report names the endpoint it came to."""


class FirstPartyReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request.

    Attributes:
        request_id: Chosen for this request: a report that reaches the inbox twice is one, two requests are two.
        occurred_at: Aware UTC.
        without_details: The reader's browser asks not to be followed.
        viewer: Hash of the session of a browser that is signed in here; b"" of nearly everybody. Whose it is, the
            drain asks; it is kept no longer than that.
        url: Of a click; ``position`` and ``text`` as `application.ports.tracking_tokens.TrackedLink` has them.
    """

    kind: Literal["open", "click", "unsubscribe"]
    email_id: UUID
    request_id: str
    occurred_at: datetime
    ip_address: str = ""
    user_agent: str = ""
    signals: tuple[Signal, ...] = ()
    without_details: bool = False
    url: str = ""
    position: str = ""
    text: str = ""
    viewer: bytes = b""

"""What a mail provider's adapter does for reception and drain."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Protocol, TypeAlias
from uuid import UUID

import msgspec

from application.ports.inbound_mail import InboundMail
from domain.commands import AnyReport
from domain.errors import PortError


class SignatureRefusedError(PortError):
    """A webhook whose sender is not proven; nothing else about it may be processed (EF-1).

    Attributes:
        reason: One of a few words (``missing``, ``malformed``, ``mismatch``, ``expired``, ``foreign_topic``,
            ``untrusted_certificate``, ``raw_delivery``); it becomes a metric label.
    """

    code = "signature_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(f"signature refused: {reason}")
        self.reason = reason


class VerificationUnavailableError(PortError):
    """The proof could not be checked now (a certificate could not be fetched); the provider should retry (503)."""

    code = "verification_unavailable"


class InvalidVerificationKeyError(PortError):
    """A key that is not in the form the provider shows it; the message says which form is expected."""

    code = "invalid_verification_key"


class MalformedDeliveryError(PortError):
    """A delivery of which no item can be told from another: not JSON, wrong top level, not UTF-8."""

    code = "malformed_delivery"


class Ignored(msgspec.Struct, frozen=True):
    """An item that is understood and of no interest; the reason (one lower_snake_case word) is counted."""

    reason: str


class Rejected(msgspec.Struct, frozen=True):
    """An item that cannot be understood; it is set aside and never costs the others.

    Attributes:
        reason: A sentence that names the field and what is wrong with it; holds no personal data.
        body: A delivery body with this item alone, which `Provider.translate` would take again.
        message_id: As far as it can be told, for whoever searches; else "".
    """

    reason: str
    body: bytes
    message_id: str = ""


class ConfirmSubscription(msgspec.Struct, frozen=True):
    """The provider asks us to confirm that the endpoint wants its reports.

    Attributes:
        url: Built by the adapter from verified parts, never taken from the payload as it came.
    """

    url: str


class AboutEmail(msgspec.Struct, frozen=True):
    """A report that names its email by our own id, as only what we sealed ourselves can.

    Attributes:
        report: Without message id and recipient, which it needs not.
        viewer: Hash of the session of whoever opened or clicked, if they are signed in here; b"" if not.
    """

    email_id: UUID
    report: AnyReport
    viewer: bytes = b""


Outcome: TypeAlias = AnyReport | AboutEmail | InboundMail | Ignored | Rejected | ConfirmSubscription


class Translator(Protocol):
    """Reads the deliveries of one kind that wait in the inbox.

    `translate` does no I/O and never raises for a single bad item.
    """

    name: ClassVar[str]

    def translate(self, headers: Mapping[str, str], body: bytes) -> list[Outcome]:
        """Read every item of a delivery.

        Args:
            headers: The kept ones, lower-case names.
            body: Exactly as received.

        Returns:
            One outcome or more per item, in the order of the payload; empty for a provider's test ping.

        Raises:
            MalformedDeliveryError: No item can be told from another.
        """
        ...


class Provider(Translator, Protocol):
    """One mail provider's webhook: how it proves itself and what its payloads mean."""

    signed_headers: ClassVar[frozenset[str]]
    """Lower-case names of the headers that `translate` needs; kept in the inbox beside the raw body."""
    default_tolerance_s: ClassVar[int | None]
    """Oldest accepted signature time in seconds, unless the endpoint says otherwise; ``None``: not checked."""

    def check_key(self, key: str) -> None:
        """Make sure that a verification key has the form the provider shows it in.

        Raises:
            InvalidVerificationKeyError: It does not; the message names the expected form.
        """
        ...

    def normalise_message_id(self, raw: str) -> str:
        """Give the one form of a message id under which registrations and reports meet.

        Raises:
            InvalidMessageIdError: The text can be no id of this provider.
        """
        ...

    async def verify(
        self, headers: Mapping[str, str], body: bytes, keys: Sequence[str], *, now: datetime, tolerance_s: int | None
    ) -> None:
        """Prove over the raw bytes that the provider sent them.

        Args:
            headers: Lower-case names; the last value of a repeated header.
            body: Exactly as received.
            keys: Active verification keys of the endpoint; any may match.
            now: Aware UTC.
            tolerance_s: How many seconds the signed time may differ from `now`; ``None``: not checked.

        Raises:
            SignatureRefusedError: Not proven.
            VerificationUnavailableError: Could not be checked now.

        Source:
            SEC-1 Webhook signature validation: before parsing, several active keys.
        """
        ...

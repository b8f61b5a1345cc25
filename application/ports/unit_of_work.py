"""One transaction over inbox, event store and parked reports: all of it happens, or none."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from application.ports.address_sightings import AddressSightings
from application.ports.erasure import ErasureRecords
from application.ports.mail_threads import MailThreads
from application.ports.parked_reports import ParkedReports
from application.ports.provider import ConfirmSubscription
from application.ports.tracking_records import TrackingRecords
from domain.email_facts import Sent
from domain.email_message import EmailMessage
from domain.errors import PortError


class ConcurrentAppendError(PortError):
    """Somebody else appended to one of the streams first; the same work, done again, will see what they did."""

    code = "concurrent_append"


class StoreUnavailableError(PortError):
    """The database cannot be reached or did not answer in time; nothing was changed, try again later."""

    code = "store_unavailable"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """An acknowledged webhook that waits to be understood.

    Attributes:
        attempts: How often it was tried before.
        headers: The ones that its provider's `translate` needs; lower-case names.
        body: Raw bytes.
        unopened: Why nobody can read its body, which is b"" then: no configured secret key opens it; "" of others.
    """

    id: int
    endpoint_id: UUID
    organization_id: UUID
    provider: str
    correlation_id: str
    received_at: datetime
    attempts: int
    headers: Mapping[str, str]
    body: bytes
    unopened: str = ""


class Registered(msgspec.Struct, frozen=True):
    """Where an email's registration stands.

    Attributes:
        email_log_id: Its place in the global order of events.
    """

    email_log_id: int
    sent: Sent


class UnitOfWork(Protocol):
    """What one transaction can do. Leaving it normally commits; leaving it by an exception undoes everything."""

    @property
    def tracking(self) -> TrackingRecords:
        """Policies and consents in this transaction."""
        ...

    @property
    def sightings(self) -> AddressSightings:
        """What all workers saw of addresses in the last minutes."""
        ...

    @property
    def threads(self) -> MailThreads:
        """Under which ids emails may be quoted."""
        ...

    @property
    def parked(self) -> ParkedReports:
        """What waits for its email, or for a person."""
        ...

    @property
    def erasure(self) -> ErasureRecords:
        """What there is to destroy, in this transaction."""
        ...

    def claim_deliveries(self, *, most: int, most_bytes: int) -> list[Delivery]:
        """Take due deliveries that no other worker holds, oldest first; at least one if there is any.

        One that cannot be opened is among them, and says so: it must not keep those behind it waiting.
        """
        ...

    def messages(self, email_ids: Sequence[UUID]) -> dict[UUID, EmailMessage]:
        """Give every asked email with its whole history; one that nobody registered has none.

        What would tell who somebody is may be left out of the history; see `reveal`.
        """
        ...

    def reveal(self, messages: Sequence[EmailMessage]) -> None:
        """Give the opens and clicks of these emails their IP addresses and agents back, except of erased people.

        For the rules that compare one engagement with another; it costs a look at every fact of the streams.
        """
        ...

    def identify(self, messages: Sequence[EmailMessage]) -> None:
        """Tell these emails whom they went to, and of whom that nobody can tell it any more: they were erased."""
        ...

    def homes_of_viewers(self, session_hashes: Collection[bytes]) -> Mapping[bytes, UUID]:
        """Give the organisations of those who were signed in with these sessions, ended or not; unknown ones lack."""
        ...

    def hidden_addresses(self, places: Collection[int]) -> dict[int, str]:
        """Give the IP addresses that opens and clicks keep sealed (SEC-5), by their place in the order of all events.

        Those of erased people, and facts that have none, are not among them.
        """
        ...

    def append(self, messages: Sequence[EmailMessage]) -> int:
        """Append what the messages decided.

        Returns:
            Number of events.

        Raises:
            ConcurrentAppendError: Somebody else was quicker.
        """
        ...

    def registrations(self, email_ids: Sequence[UUID]) -> dict[UUID, Registered]:
        """Give those of the emails that are registered, this transaction's included.

        What would tell who somebody is may be left out.
        """
        ...

    def still_waiting(self, delivery_ids: Sequence[int]) -> set[int]:
        """Take those of the deliveries that nobody processed or holds meanwhile."""
        ...

    def close_deliveries(self, delivery_ids: Sequence[int]) -> None:
        """Take deliveries out of the inbox for good."""
        ...

    def postpone_delivery(self, delivery_id: int, *, error: str, until: datetime) -> None:
        """Leave a delivery for another attempt."""
        ...

    def request_confirmations(self, confirmations: Sequence[tuple[UUID, ConfirmSubscription]]) -> None:
        """Keep subscription confirmations to be carried out, by endpoint."""
        ...

    def count_outcomes(self, outcomes: Mapping[str, int]) -> None:
        """Add to the counts of what became of reports, by outcome (``recorded``, ``repeated``, ``ignored_…``)."""
        ...


class UnitsOfWork(Protocol):
    """Begins transactions."""

    def begin(self) -> AbstractContextManager[UnitOfWork]:
        """Begin one.

        Raises:
            StoreUnavailableError: On entering, inside, or on leaving.
            ConcurrentAppendError: On leaving.
        """
        ...

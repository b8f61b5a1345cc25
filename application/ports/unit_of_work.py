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
from application.ports.provider import ConfirmSubscription
from application.ports.tracking_records import TrackingRecords
from domain.commands import AnyReport
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


class Orphan(msgspec.Struct, frozen=True, kw_only=True):
    """A report about an email that nobody registered (EF-2); it waits for that.

    Attributes:
        id: 0 until it is kept.
        email_id: The email that it will belong to.
    """

    id: int = 0
    organization_id: UUID
    endpoint_id: UUID
    provider: str
    email_id: UUID
    report: AnyReport
    delivery_id: int
    received_at: datetime


class FailedReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report, or a whole delivery, that cannot be understood; it waits for a person.

    Attributes:
        id: 0 until it is kept.
        reason: A sentence that names what is wrong; no personal data.
        body: What `Provider.translate` would take again.
        is_kept: Whether headers and body are; without them it comes back empty and cannot be tried again.
    """

    id: int = 0
    organization_id: UUID
    endpoint_id: UUID
    provider: str
    reason: str
    message_id: str
    headers: Mapping[str, str]
    body: bytes
    delivery_id: int
    received_at: datetime
    is_kept: bool = True


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
    def erasure(self) -> ErasureRecords:
        """What there is to destroy, in this transaction."""
        ...

    def claim_deliveries(self, *, most: int, most_bytes: int) -> list[Delivery]:
        """Take due deliveries that no other worker holds, oldest first; at least one if there is any."""
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

    def park_orphans(self, orphans: Sequence[Orphan]) -> None:
        """Keep reports until their email is registered; a repeated one is kept once."""
        ...

    def park_failures(self, failures: Sequence[FailedReport]) -> None:
        """Keep reports until a person has looked; a repeated one is kept once."""
        ...

    def request_confirmations(self, confirmations: Sequence[tuple[UUID, ConfirmSubscription]]) -> None:
        """Keep subscription confirmations to be carried out, by endpoint."""
        ...

    def count_outcomes(self, outcomes: Mapping[str, int]) -> None:
        """Add to the counts of what became of reports, by outcome (``recorded``, ``repeated``, ``ignored_…``)."""
        ...

    def orphans_of(self, email_ids: Sequence[UUID]) -> list[Orphan]:
        """Take the orphans of these emails that no other worker holds."""
        ...

    def organizations_of_orphans(self, email_ids: Sequence[UUID]) -> set[UUID]:
        """Name whose orphans these are, by what stands for their email; takes none."""
        ...

    def organizations_of_known_orphans(self, *, most: int) -> set[UUID]:
        """Name whose orphans have an email that has been registered since; looks at the oldest of them, takes none."""
        ...

    def orphans_whose_email_is_known(self, organization_ids: Collection[UUID], *, most: int) -> list[Orphan]:
        """Take these organisations' orphans whose email has been registered since, and that no other worker holds."""
        ...

    def parked(self, organization_id: UUID, report_id: int) -> Orphan | FailedReport | None:
        """Take one parked report of an organisation."""
        ...

    def unpark(self, report_ids: Sequence[int]) -> None:
        """Forget parked reports."""
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

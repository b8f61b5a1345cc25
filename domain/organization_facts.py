"""What can be known about an organisation: the facts that are kept for good."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.tracking_terms import TrackingPolicy


class TrackingPolicyChanged(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The organisation decided what may be recorded from here on.

    Attributes:
        policy: The whole of it, what did not change included.
        changed_at: Aware UTC.
        changed_by: Id of the API key or user who asked.
    """

    TOPIC: ClassVar[str] = "Organization.TrackingPolicyChanged"

    policy: TrackingPolicy
    changed_at: datetime
    changed_by: str


class PurgedTotals(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What purged emails about the same things, sent in the same quarter of an hour, add up to.

    Attributes:
        sent_quarter: Begin of the quarter of an hour, UTC.
        job_id: "" like ``template_id`` where the emails had none.
        counts: By the names of the columns of ``email_totals``; zeros are left out.
    """

    sent_quarter: datetime
    job_id: str = ""
    campaign_id: UUID | None = None
    template_id: str = ""
    counts: dict[str, int] = {}


class PurgedCampaign(msgspec.Struct, frozen=True, gc=False):
    """A campaign of purged emails, and when the first of these was sent."""

    id: UUID
    first_sent_at: datetime


class PurgedName(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """How the latest of the purged emails named a job or a template.

    Attributes:
        named_at: When that email was sent.
        named_by: Its place in the global order, which decides between emails of the same instant.
    """

    id: str
    name: str = ""
    hiring_manager_id: str = ""
    named_at: datetime
    named_by: int


class EmailsPurged(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The time of some emails was up: their streams were deleted with this fact, which keeps what must stay (BR-558.6).

    Each has a stream of its own, so that it names no email and nobody.

    Attributes:
        purged_at: Aware UTC.
        emails: How many they were; ``events`` is the number of facts that were deleted.
        totals: Of the tracked ones.
    """

    TOPIC: ClassVar[str] = "Organization.EmailsPurged"

    organization_id: UUID
    purged_at: datetime
    emails: int
    events: int
    totals: tuple[PurgedTotals, ...] = ()
    campaigns: tuple[PurgedCampaign, ...] = ()
    jobs: tuple[PurgedName, ...] = ()
    templates: tuple[PurgedName, ...] = ()

"""What can be known about an email: the facts that are kept for good, each under a topic of its own.

Facts are frozen msgspec structs without cycles, so the garbage collector need not look at them. `eventsourcing` stores
them through `Recorded`, which carries the place in the stream, so that a fact never repeats what its row already says.
Optional fields may be added; for anything else docs/events.md says how a topic gets a new version.
"""

from datetime import datetime
from typing import Any, ClassVar, Final, TypeAlias
from uuid import UUID

import msgspec

from domain.organization_facts import EmailsPurged, TrackingPolicyChanged
from domain.recipient_facts import ConsentChanged, Erased
from domain.values import BounceKind, Verdict, addressee_id_for

Metadata: TypeAlias = dict[str, str | int | float | bool | None]


class Personal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The fields of a fact that tell who somebody is, kept together so that they can be protected together (SEC-6).

    Attributes:
        hidden_ip_address: In place of `ip_address` where the organisation wants it encrypted: it is sealed in the store
            and never part of a read model (SEC-5).
        is_ip_address_cut: Whether the organisation's policy kept less of an address than was reported, so that it tells
            nothing any more when compared with others.
    """

    address: str = ""
    name: str = ""
    ip_address: str = ""
    user_agent: str = ""
    detail: str = ""
    hidden_ip_address: str = ""
    is_ip_address_cut: bool = False


NOBODY: Final = Personal()


class Party(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Somebody or something that the host application knows by its own id."""

    id: str
    name: str = ""


class JobReference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The job that an email is about, and who may see it besides recruiters (ROLE)."""

    id: str
    title: str = ""
    hiring_manager_id: str = ""


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What every reported fact tells.

    Attributes:
        key: Identity of the fact, 16 bytes; a repeated report has the same one. Its public id is the same as a UUID.
        occurred_at: Aware UTC, by the provider's clock.
        recorded_at: Aware UTC, when its delivery was received.
        delivery_id: Number of the webhook delivery that brought it, to follow it through logs.
        withheld: Whether the organisation's privacy mode kept who and when out of it (BR-558.8). Of an open or a click
            both times are then those of `Sent`: they say nothing, and nothing may be concluded from them.
    """

    TOPIC: ClassVar[str] = ""

    key: bytes
    occurred_at: datetime
    recorded_at: datetime
    delivery_id: int = 0
    personal: Personal = NOBODY
    metadata: Metadata | None = None
    withheld: bool = False


class Engagement(Fact, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An open or a click, and who is thought to have caused it (BR-558.7).

    Attributes:
        verdict: Decided when it was recorded; a later fact may revise it.
        reasons: Names of the rules that led to the verdict.
        confidence: 0.0 to 1.0.
        rule_version: Of the detection rules that judged.
    """

    verdict: Verdict = Verdict.HUMAN
    reasons: tuple[str, ...] = ()
    confidence: float = 1.0
    rule_version: int = 0


class Sent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The email was registered as sent.

    Attributes:
        tracking: Whether opens and clicks may be recorded for this email: it was asked for, and policy and consent
            allowed it when the email was registered (PRE-1, PRE-2, PRE-3).
        tracking_id: Opaque; embedded in the email.
        subject: As the candidate sees it.
        addressee_id: Stream of the recipient, as `addressee_id_for` names it; ``None`` in facts
            that were stored without it, see `addressee_of`.
        links: How many links a reader of one version of it, HTML or text, can follow; 0 if nobody told.
    """

    TOPIC: ClassVar[str] = "EmailMessage.Sent"

    organization_id: UUID
    provider: str
    message_id: str
    sent_at: datetime
    recorded_at: datetime
    subject: str
    recipient_type: str
    recipient_id: str
    sender: Party
    tracking_id: str
    tracking: bool = True
    job: JobReference | None = None
    template: Party | None = None
    campaign_id: UUID | None = None
    campaign_contact_id: UUID | None = None
    addressee_id: UUID | None = None
    links: int = 0
    personal: Personal = NOBODY


def addressee_of(sent: Sent) -> UUID:
    """Name the stream of an email's recipient."""
    return sent.addressee_id or addressee_id_for(sent.organization_id, sent.personal.address)


class Delivered(Fact, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The recipient's mail server took the email."""

    TOPIC = "EmailMessage.Delivered"


class Deferred(Fact, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The recipient's mail server asked to try again later."""

    TOPIC = "EmailMessage.Deferred"


class Opened(Engagement, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The email was displayed, or its images were fetched."""

    TOPIC = "EmailMessage.Opened"


class Clicked(Engagement, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A link was followed; the same URL at two positions is two links (AF-4)."""

    TOPIC = "EmailMessage.Clicked"

    url: str
    link_position: str = ""
    link_text: str = ""


class Bounced(Fact, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The email came back."""

    TOPIC = "EmailMessage.Bounced"

    bounce_kind: BounceKind
    reason: str = ""


class Dropped(Fact, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The provider refused to send the email; it never left."""

    TOPIC = "EmailMessage.Dropped"

    reason: str = ""


class SpamReported(Fact, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The recipient marked the email as spam."""

    TOPIC = "EmailMessage.SpamReported"


class Unsubscribed(Fact, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The recipient asked for no more email."""

    TOPIC = "EmailMessage.Unsubscribed"


class Replied(Fact, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The recipient answered."""

    TOPIC = "EmailMessage.Replied"


class Rejudgement(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How an open or a click is judged from now on.

    Attributes:
        key: Of the `Opened` or `Clicked` fact.
        verdict: Instead of what was thought before.
        reasons: Names of all rules that lead to it.
        confidence: 0.0 to 1.0.
    """

    key: bytes
    verdict: Verdict
    reasons: tuple[str, ...]
    confidence: float


class Rejudged(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Earlier opens and clicks of the email are seen in a new light, by what came later or by new rules (BR-558.7).

    Attributes:
        judgements: One for each open or click that is judged differently.
        rule_version: Of the detection rules that judged.
        recorded_at: Aware UTC.
    """

    TOPIC: ClassVar[str] = "EmailMessage.Rejudged"

    judgements: tuple[Rejudgement, ...]
    rule_version: int
    recorded_at: datetime


ReportedFact: TypeAlias = (
    Delivered | Deferred | Opened | Clicked | Bounced | Dropped | SpamReported | Unsubscribed | Replied
)
EmailFact: TypeAlias = Sent | ReportedFact | Rejudged
AnyFact: TypeAlias = EmailFact | TrackingPolicyChanged | EmailsPurged | ConsentChanged | Erased


def recorded_at(fact: AnyFact) -> datetime:
    """Say since when we know of a fact, aware UTC; of one that was withheld, only that it was no earlier."""
    match fact:
        case TrackingPolicyChanged() | ConsentChanged():
            return fact.changed_at
        case EmailsPurged():
            return fact.purged_at
        case Erased():
            return fact.erased_at
        case _:
            return fact.recorded_at


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """A fact at its place in a stream; what `eventsourcing` stores and returns.

    Attributes:
        originator_id: Whom the stream is about: an email, an organisation, or an addressee.
        originator_version: From 1 without gaps; an email's 1 is `Sent`.
    """

    originator_id: UUID
    originator_version: int
    fact: AnyFact


FACTS: Final[tuple[type[Any], ...]] = (
    Sent,
    Delivered,
    Deferred,
    Opened,
    Clicked,
    Bounced,
    Dropped,
    SpamReported,
    Unsubscribed,
    Replied,
    Rejudged,
    TrackingPolicyChanged,
    EmailsPurged,
    ConsentChanged,
    Erased,
)

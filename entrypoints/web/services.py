"""What the web process needs from the rest of the service."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias
from uuid import UUID

import msgspec
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from prometheus_client import CollectorRegistry

from application.access import AccessControl
from application.authenticate import Authenticate
from application.email_registrations import EmailRegistration, RegisteredEmail, RejectedEmail
from application.erase_recipient import EraseRecipient
from application.hidden_addresses import HiddenAddresses
from application.instrument_email import InstrumentedEmail
from application.notifications import Notifications
from application.outgoing_webhooks import OutgoingWebhooks
from application.ports.clock import Clock
from application.ports.health import Dependency
from application.ports.presence import Presence
from application.retry_parked import RetryOutcome
from application.sign_in import SignIn
from application.tracking_consents import TrackingConsents
from application.tracking_policies import TrackingPolicies
from application.webhook_endpoints import WebhookEndpoints
from entrypoints.web.live.streams import OpenStreams
from entrypoints.web.pages.cookies import SessionCookie
from read_models.candidates.queries import CandidateQueries
from read_models.compliance.queries import ComplianceQueries
from read_models.contacts.queries import ContactQueries
from read_models.dashboard.queries import DashboardQueries
from read_models.deliverability.queries import DeliverabilityQueries
from read_models.deliveries.queries import DeliveryQueries
from read_models.emails.queries import EmailQueries
from read_models.metrics.queries import MetricsQueries
from read_models.notifications.queries import NotificationQueries
from read_models.outgoing.queries import OutgoingDeliveryQueries


class RegistersEmails(Protocol):
    """See `application.register_emails.RegisterEmails`; called in a thread."""

    def __call__(
        self, organization_id: UUID, registrations: Sequence[EmailRegistration]
    ) -> list[RegisteredEmail | RejectedEmail]: ...


class InstrumentsEmails(Protocol):
    """See `application.instrument_email.InstrumentEmail`; called in a thread."""

    def __call__(
        self, organization_id: UUID, registration: EmailRegistration, *, html: str | None, text: str | None
    ) -> InstrumentedEmail | RejectedEmail: ...


class TellsRegistered(Protocol):
    """See `application.find_registration.IsRegistered`; called in a thread."""

    def __call__(self, organization_id: UUID, email_id: UUID, *, hiring_manager_id: str | None = None) -> bool: ...


class WebServices(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the handlers call; made once by the composition root.

    Attributes:
        erase_recipient: Called in a thread.
        retry_parked: See `application.retry_parked.RetryParked`; called in a thread.
        webhook_endpoints: Called in a thread.
        outgoing_webhooks: Called in a thread.
        hidden_addresses: Called in a thread.
        tracking_policies: Called in a thread.
        tracking_consents: Called in a thread.
        public_url: Where people and providers reach the service.
        is_operator: Whether a bearer token is the operator's; always false where none is set.
        registry: What ``/metrics`` shows.
        required: Without one of these the service is not ready.
        optional: Without one of these the service is degraded.
    """

    authenticate: Authenticate
    access: AccessControl
    sign_in: SignIn
    cookie: SessionCookie
    register_emails: RegistersEmails
    instrument_email: InstrumentsEmails
    is_registered: TellsRegistered
    erase_recipient: EraseRecipient
    retry_parked: Callable[[UUID, int], RetryOutcome]
    webhook_endpoints: WebhookEndpoints
    outgoing_webhooks: OutgoingWebhooks
    hidden_addresses: HiddenAddresses
    tracking_policies: TrackingPolicies
    tracking_consents: TrackingConsents
    emails: EmailQueries
    candidates: CandidateQueries
    metrics: MetricsQueries
    dashboard: DashboardQueries
    contacts: ContactQueries
    compliance: ComplianceQueries
    deliverability: DeliverabilityQueries
    deliveries: DeliveryQueries
    outgoing_deliveries: OutgoingDeliveryQueries
    notifications: NotificationQueries
    handle_notifications: Notifications
    streams: OpenStreams
    presence: Presence
    clock: Clock
    public_url: str
    registry: CollectorRegistry
    is_operator: Callable[[str], bool]
    required: tuple[Dependency, ...]
    optional: tuple[Dependency, ...] = ()


Services: TypeAlias = NamedDependency[SkipValidation[WebServices]]

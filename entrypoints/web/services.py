"""What the web process needs from the rest of the service."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias
from uuid import UUID

import msgspec
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from prometheus_client import CollectorRegistry

from application.access import AccessControl, Authenticate
from application.ports.clock import Clock
from application.ports.health import Dependency
from application.register_emails import EmailRegistration, RegisteredEmail, RejectedEmail
from application.retry_parked import RetryOutcome
from application.webhook_endpoints import WebhookEndpoints
from read_models.candidates.queries import CandidateQueries
from read_models.contacts.queries import ContactQueries
from read_models.deliveries.queries import DeliveryQueries
from read_models.emails.queries import EmailQueries
from read_models.metrics.queries import MetricsQueries


class RegistersEmails(Protocol):
    """See `application.register_emails.RegisterEmails`; called in a thread."""

    def __call__(
        self, organization_id: UUID, registrations: Sequence[EmailRegistration]
    ) -> list[RegisteredEmail | RejectedEmail]: ...


class TellsRegistered(Protocol):
    """See `application.find_registration.IsRegistered`; called in a thread."""

    def __call__(self, organization_id: UUID, email_id: UUID, *, hiring_manager_id: str | None = None) -> bool: ...


class WebServices(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the handlers call; made once by the composition root.

    Attributes:
        retry_parked: See `application.retry_parked.RetryParked`; called in a thread.
        webhook_endpoints: Called in a thread.
        is_operator: Whether a bearer token is the operator's; always false where none is set.
        registry: What ``/metrics`` shows.
        required: Without one of these the service is not ready.
        optional: Without one of these the service is degraded.
    """

    authenticate: Authenticate
    access: AccessControl
    register_emails: RegistersEmails
    is_registered: TellsRegistered
    retry_parked: Callable[[UUID, int], RetryOutcome]
    webhook_endpoints: WebhookEndpoints
    emails: EmailQueries
    candidates: CandidateQueries
    metrics: MetricsQueries
    contacts: ContactQueries
    deliveries: DeliveryQueries
    clock: Clock
    registry: CollectorRegistry
    is_operator: Callable[[str], bool]
    required: tuple[Dependency, ...]
    optional: tuple[Dependency, ...] = ()


Services: TypeAlias = NamedDependency[SkipValidation[WebServices]]

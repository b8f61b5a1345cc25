"""What is kept of reports that wait: for their email, or for a person; less in privacy mode."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from msgspec.structs import replace

from application.ports.parked_reports import FailedReport, Orphan
from application.ports.unit_of_work import Delivery
from domain.commands import AnyReport, is_withheld
from domain.policies.detection.detection import Detection
from domain.policies.parking import day_of, parked_under
from domain.tracking_terms import TrackingPolicy


def orphan_of(
    delivery: Delivery, email_id: UUID, report: AnyReport, policy: TrackingPolicy, detection: Detection
) -> Orphan:
    """Give a report about an unknown email as it waits for its email.

    Source:
        BR-558.8: an open or a click leaves its verdict, nothing else; the day it came is all that is kept of the time.
    """
    received_at, delivery_id = delivery.received_at, delivery.id
    parked = parked_under(policy, report, email_id, received_at, detection)
    if is_withheld(parked):
        received_at, delivery_id = day_of(received_at), 0
    return Orphan(
        organization_id=delivery.organization_id,
        endpoint_id=delivery.endpoint_id,
        provider=delivery.provider,
        email_id=email_id,
        report=parked,
        delivery_id=delivery_id,
        received_at=received_at,
    )


def failure_of(delivery: Delivery, reason: str, message_id: str = "", body: bytes | None = None) -> FailedReport:
    """Give what cannot be understood as it waits for a person.

    Args:
        delivery: That brought it.
        reason: A sentence without personal data.
        message_id: "" if that is not known.
        body: Of the report alone; else of the whole delivery.
    """
    return FailedReport(
        organization_id=delivery.organization_id,
        endpoint_id=delivery.endpoint_id,
        provider=delivery.provider,
        reason=reason,
        message_id=message_id,
        headers=delivery.headers,
        body=delivery.body if body is None else body,
        delivery_id=delivery.id,
        received_at=delivery.received_at,
    )


def failures_under(policies: Mapping[UUID, TrackingPolicy], failures: Iterable[FailedReport]) -> list[FailedReport]:
    """Give failures as they may be kept.

    Source:
        BR-558.8: what cannot be understood may hold addresses and agents, so in privacy mode only the reason stays; not
            even whose email it was about: that would tell when somebody opened it.
    """
    return [
        replace(failure, is_kept=False, message_id="") if policies[failure.organization_id].privacy_mode else failure
        for failure in failures
    ]

"""What of a report may wait for its email, when the organisation does not want everything kept."""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from domain.commands import AnyReport, Prejudged, RecordClick, RecordOpen
from domain.policies.detection.detection import Detection
from domain.policies.detection.judgement import RULE_VERSION
from domain.policies.privacy import truncated
from domain.tracking_terms import IpHandling, TrackingPolicy

_FORGETTING: Final = frozenset({IpHandling.TRUNCATE, IpHandling.DROP})
"""Under the others the report is sealed as it is, and handled when its email is known."""


def parked_under(
    policy: TrackingPolicy, report: AnyReport, email_id: UUID, received_at: datetime, detection: Detection
) -> AnyReport:
    """Give a report as it may be kept until its email is registered.

    An open or a click that loses what rules look at is judged first, by itself, and keeps that verdict.

    Args:
        policy: Of the organisation.
        report: As it came.
        email_id: The email that it will belong to.
        received_at: Aware UTC; in privacy mode only the day of it stays, in place of when it happened.
        detection: Judges who engaged.

    Source:
        BR-558.8 privacy mode; SEC-5 IP addresses.
    """
    if isinstance(report, RecordOpen | RecordClick):
        if policy.privacy_mode:
            kept = replace(_judged(report, email_id, detection, is_withheld=True), ip_address="", user_agent="")
            return replace(kept, occurred_at=day_of(received_at), event_id="", detail="", metadata=None)
        if policy.ip_handling in _FORGETTING:
            network = truncated(report.ip_address) if policy.ip_handling is IpHandling.TRUNCATE else ""
            return replace(_judged(report, email_id, detection, is_withheld=False), ip_address=network)
    elif policy.privacy_mode:
        return replace(report, detail="", metadata=None)
    return report


def day_of(instant: datetime) -> datetime:
    """Give the beginning of an instant's day."""
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)


def _judged(
    report: RecordOpen | RecordClick, email_id: UUID, detection: Detection, *, is_withheld: bool
) -> RecordOpen | RecordClick:
    judgement = detection.judge(report)
    return replace(
        report,
        prejudged=Prejudged(
            key=report.key_for(email_id),
            verdict=judgement.verdict,
            reasons=judgement.reasons,
            confidence=judgement.confidence,
            rule_version=RULE_VERSION,
            is_withheld=is_withheld,
        ),
    )

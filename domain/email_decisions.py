"""What a report adds to what is known about an email: one fact, in the words that are kept."""

from datetime import datetime

from domain.commands import (
    AnyReport,
    RecordBounce,
    RecordClick,
    RecordDeferral,
    RecordDelivery,
    RecordDrop,
    RecordOpen,
    RecordReply,
    RecordSpamReport,
    RecordUnsubscribe,
)
from domain.email_facts import (
    NOBODY,
    Bounced,
    Clicked,
    Deferred,
    Delivered,
    Dropped,
    Opened,
    Personal,
    Replied,
    ReportedFact,
    SpamReported,
    Unsubscribed,
)
from domain.policies.detection import RULE_VERSION, judge_click, judge_open

_PLAIN: dict[type[AnyReport], type[Delivered | Deferred | SpamReported | Unsubscribed | Replied]] = {
    RecordDelivery: Delivered,
    RecordDeferral: Deferred,
    RecordSpamReport: SpamReported,
    RecordUnsubscribe: Unsubscribed,
    RecordReply: Replied,
}


def fact_from(report: AnyReport, key: bytes, received_at: datetime, delivery_id: int) -> ReportedFact:
    """State a report as the fact that is kept, judged where somebody or something engaged.

    Args:
        report: As a provider's adapter understood it.
        key: Identity of the fact, from `Report.key_for`.
        received_at: Aware UTC, when its delivery came in.
        delivery_id: Number of that delivery.
    """
    match report:
        case RecordOpen():
            return _opened(report, key, received_at, delivery_id)
        case RecordClick():
            return _clicked(report, key, received_at, delivery_id)
        case RecordBounce():
            return Bounced(
                key=key,
                occurred_at=report.occurred_at,
                recorded_at=received_at,
                delivery_id=delivery_id,
                personal=_words_of(report.detail),
                metadata=report.metadata,
                bounce_kind=report.bounce_kind,
                reason=report.reason,
            )
        case RecordDrop():
            return Dropped(
                key=key,
                occurred_at=report.occurred_at,
                recorded_at=received_at,
                delivery_id=delivery_id,
                personal=_words_of(report.detail),
                metadata=report.metadata,
                reason=report.reason,
            )
        case _:
            return _PLAIN[type(report)](
                key=key,
                occurred_at=report.occurred_at,
                recorded_at=received_at,
                delivery_id=delivery_id,
                personal=_words_of(report.detail),
                metadata=report.metadata,
            )


def _opened(report: RecordOpen, key: bytes, received_at: datetime, delivery_id: int) -> Opened:
    judgement = judge_open(report)
    return Opened(
        key=key,
        occurred_at=report.occurred_at,
        recorded_at=received_at,
        delivery_id=delivery_id,
        personal=Personal(ip_address=report.ip_address, user_agent=report.user_agent, detail=report.detail),
        metadata=report.metadata,
        verdict=judgement.verdict,
        reasons=judgement.reasons,
        confidence=judgement.confidence,
        rule_version=RULE_VERSION,
    )


def _clicked(report: RecordClick, key: bytes, received_at: datetime, delivery_id: int) -> Clicked:
    judgement = judge_click(report)
    return Clicked(
        key=key,
        occurred_at=report.occurred_at,
        recorded_at=received_at,
        delivery_id=delivery_id,
        personal=Personal(ip_address=report.ip_address, user_agent=report.user_agent, detail=report.detail),
        metadata=report.metadata,
        url=report.url,
        link_position=report.link_position,
        link_text=report.link_text,
        verdict=judgement.verdict,
        reasons=judgement.reasons,
        confidence=judgement.confidence,
        rule_version=RULE_VERSION,
    )


def _words_of(detail: str) -> Personal:
    return Personal(detail=detail) if detail else NOBODY

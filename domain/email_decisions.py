"""What a report adds to what is known about an email: one fact, in the words that are kept."""

from datetime import datetime

from msgspec.structs import replace

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
from domain.redaction import metadata_without_address, without_address, without_recipient

_PLAIN: dict[type[AnyReport], type[Delivered | Deferred | SpamReported | Unsubscribed | Replied]] = {
    RecordDelivery: Delivered,
    RecordDeferral: Deferred,
    RecordSpamReport: SpamReported,
    RecordUnsubscribe: Unsubscribed,
    RecordReply: Replied,
}


def fact_from(
    report: AnyReport, key: bytes, received_at: datetime, delivery_id: int, recipient: Personal | None = NOBODY
) -> ReportedFact:
    """State a report as the fact that is kept; who engaged is not judged yet.

    Args:
        report: As a provider's adapter understood it.
        key: Identity of the fact, from `Report.key_for`.
        received_at: Aware UTC, when its delivery came in.
        delivery_id: Number of that delivery.
        recipient: Whom nothing that is kept unsealed may name; ``None`` of somebody who was erased.
    """
    match report:
        case RecordOpen():
            return _as_prejudged(_opened(report, key, received_at, delivery_id), report)
        case RecordClick():
            return _as_prejudged(_clicked(report, key, received_at, delivery_id, recipient), report)
        case RecordBounce():
            return Bounced(
                key=key,
                occurred_at=report.occurred_at,
                recorded_at=received_at,
                delivery_id=delivery_id,
                personal=_words_of(report),
                metadata=metadata_without_address(report.metadata, report.recipient),
                bounce_kind=report.bounce_kind,
                reason=without_recipient(without_address(report.reason, report.recipient), recipient),
            )
        case RecordDrop():
            return Dropped(
                key=key,
                occurred_at=report.occurred_at,
                recorded_at=received_at,
                delivery_id=delivery_id,
                personal=_words_of(report),
                metadata=metadata_without_address(report.metadata, report.recipient),
                reason=without_recipient(without_address(report.reason, report.recipient), recipient),
            )
        case _:
            return _PLAIN[type(report)](
                key=key,
                occurred_at=report.occurred_at,
                recorded_at=received_at,
                delivery_id=delivery_id,
                personal=_words_of(report),
                metadata=metadata_without_address(report.metadata, report.recipient),
            )


def _opened(report: RecordOpen, key: bytes, received_at: datetime, delivery_id: int) -> Opened:
    return Opened(
        key=key,
        occurred_at=report.occurred_at,
        recorded_at=received_at,
        delivery_id=delivery_id,
        personal=_who(report),
        metadata=metadata_without_address(report.metadata, report.recipient),
    )


def _clicked(
    report: RecordClick, key: bytes, received_at: datetime, delivery_id: int, recipient: Personal | None
) -> Clicked:
    def kept(text: str) -> str:
        return without_recipient(without_address(text, report.recipient), recipient)

    return Clicked(
        key=key,
        occurred_at=report.occurred_at,
        recorded_at=received_at,
        delivery_id=delivery_id,
        personal=_who(report),
        metadata=metadata_without_address(report.metadata, report.recipient),
        url=kept(report.url),
        link_position=kept(report.link_position),
        link_text=kept(report.link_text),
    )


def _who(report: RecordOpen | RecordClick) -> Personal:
    if report.without_details:
        return NOBODY
    return Personal(ip_address=report.ip_address, user_agent=report.user_agent, detail=_detail_of(report))


def _words_of(report: AnyReport) -> Personal:
    return Personal(detail=_detail_of(report)) if report.detail else NOBODY


def _detail_of(report: AnyReport) -> str:
    return without_address(report.detail, report.recipient)


def _as_prejudged(fact: Opened | Clicked, report: RecordOpen | RecordClick) -> Opened | Clicked:
    if report.prejudged is None:
        return fact
    return replace(
        fact,
        verdict=report.prejudged.verdict,
        reasons=report.prejudged.reasons,
        confidence=report.prejudged.confidence,
        rule_version=report.prejudged.rule_version,
        withheld=report.prejudged.is_withheld,
    )

"""What must stay of purged emails: their part in the totals, and what only they told of campaigns and names."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.email_facts import JobReference, Party, Sent
from domain.organization_facts import EmailsPurged, PurgedCampaign, PurgedName, PurgedTotals
from read_models.engagement.totals import contribution
from read_models.engagement.view import EmailLog, Totals, quarter_of

_FIELDS: Final = Totals.__struct_fields__


def purge_of(
    organization_id: UUID,
    purged_at: datetime,
    registered: Mapping[int, Sent],
    rows: Collection[EmailLog],
    *,
    events: int,
) -> EmailsPurged:
    """State what a purge deletes and what stays of it.

    Args:
        organization_id: Of the emails.
        purged_at: Aware UTC.
        registered: The emails' first facts by place.
        rows: The emails' rows, as all of their facts made them.
        events: How many facts that is.
    """
    return EmailsPurged(
        organization_id=organization_id,
        purged_at=purged_at,
        emails=len(rows),
        events=events,
        totals=_totals(rows),
        campaigns=_campaigns(registered.values()),
        jobs=_latest({place: (sent, sent.job) for place, sent in registered.items() if sent.job}),
        templates=_latest({place: (sent, sent.template) for place, sent in registered.items() if sent.template}),
    )


def _totals(rows: Iterable[EmailLog]) -> tuple[PurgedTotals, ...]:
    sums: dict[tuple[datetime, str, UUID | None, str], list[int]] = {}
    for row in rows:
        if row.tracking:
            quarter = quarter_of(row.sent_at)
            kept = sums.setdefault(
                (quarter, row.job_id or "", row.campaign_id, row.template_id or ""), [0] * len(_FIELDS)
            )
            for place, number in enumerate(contribution(row)):
                kept[place] += number
    return tuple(
        PurgedTotals(
            sent_quarter=quarter,
            job_id=job_id,
            campaign_id=campaign_id,
            template_id=template_id,
            counts={name: number for name, number in zip(_FIELDS, numbers, strict=True) if number},
        )
        for (quarter, job_id, campaign_id, template_id), numbers in sums.items()
    )


def _campaigns(registered: Iterable[Sent]) -> tuple[PurgedCampaign, ...]:
    first: dict[UUID, datetime] = {}
    for sent in registered:
        if sent.campaign_id:
            first[sent.campaign_id] = min(sent.sent_at, first.get(sent.campaign_id, sent.sent_at))
    return tuple(PurgedCampaign(campaign_id, at) for campaign_id, at in first.items())


def _latest(named: Mapping[int, tuple[Sent, JobReference | Party]]) -> tuple[PurgedName, ...]:
    latest: dict[str, PurgedName] = {}
    for place, (sent, thing) in named.items():
        known = latest.get(thing.id)
        if known is None or (known.named_at, known.named_by) < (sent.sent_at, place):
            latest[thing.id] = PurgedName(
                id=thing.id,
                name=thing.title if isinstance(thing, JobReference) else thing.name,
                hiring_manager_id=thing.hiring_manager_id if isinstance(thing, JobReference) else "",
                named_at=sent.sent_at,
                named_by=place,
            )
    return tuple(latest.values())

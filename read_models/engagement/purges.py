"""Emails whose time was up: their rows go and the totals stay, whether or not these rows were ever there."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from domain.organization_facts import EmailsPurged, PurgedName
from read_models.engagement.names import keep_latest
from read_models.engagement.view import NO_CAMPAIGN, Changes, EngagementView, Named, Totals
from read_models.events import LoggedFact

_FIELDS: Final = Totals.__struct_fields__


def fold_purges(batch: Sequence[LoggedFact], view: EngagementView, changes: Changes) -> None:
    """Fold the purges of a batch.

    A purge happens only to emails of which every fact had been folded. So either all of its rows are there, and the
    totals hold what they added; or none is, because this view is rebuilt from what is left of the events.

    Source:
        BR-558.6: kept for 2 years; totals per campaign and template stay.
    """
    for logged in batch:
        if isinstance(logged.fact, EmailsPurged):
            if rows := view.purged(logged.stream_id):
                changes.purged += rows
            else:
                _take_over(logged.fact, changes)


def _take_over(fact: EmailsPurged, changes: Changes) -> None:
    for totals in fact.totals:
        campaign_id = totals.campaign_id or NO_CAMPAIGN
        key = (fact.organization_id, totals.sent_quarter, totals.job_id, campaign_id, totals.template_id)
        sums = changes.totals.setdefault(key, [0] * len(_FIELDS))
        for place, name in enumerate(_FIELDS):
            sums[place] += totals.counts.get(name, 0)
    for campaign in fact.campaigns:
        campaign_key = (fact.organization_id, campaign.id)
        known = changes.campaigns.get(campaign_key, campaign.first_sent_at)
        changes.campaigns[campaign_key] = min(known, campaign.first_sent_at)
    for job in fact.jobs:
        keep_latest(changes.jobs, _named(job, fact.organization_id))
    for template in fact.templates:
        keep_latest(changes.templates, _named(template, fact.organization_id))


def _named(name: PurgedName, organization_id: UUID) -> Named:
    return Named(
        organization_id=organization_id,
        id=name.id,
        name=name.name,
        hiring_manager_id=name.hiring_manager_id,
        named_at=name.named_at,
        named_by=name.named_by,
    )

"""What a batch of opens and clicks says about the addresses that they came from (BR-558.7, rule 12)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from application.ports.address_sightings import AddressSightings
from domain.commands import AnyReport, RecordClick, RecordOpen
from domain.email_facts import addressee_of
from domain.email_message import EmailMessage
from domain.policies.detection.detection import Detection
from domain.policies.detection.judgement import Impression
from domain.policies.detection.sightings import Sighting, doubted_by, recipients_seen
from domain.tracking_terms import TrackingPolicy

Told: TypeAlias = Sequence[tuple[EmailMessage, AnyReport]]

_ENGAGEMENTS: Final = (RecordOpen, RecordClick)


def impressions_by_report(
    told: Told,
    policies: Mapping[UUID, TrackingPolicy],
    detection: Detection,
    sightings: AddressSightings,
) -> dict[int, Impression]:
    """Look at opens and clicks by themselves, and at the recipients of their campaign on whom their address was seen.

    Recipients are counted only where that can still decide: for clicks and suspicious opens that are not certain. Of
    organisations in privacy mode nothing is remembered beyond the batch.

    Returns:
        The impressions by `id` of the report; none of reports that were judged before they came here.
    """
    impressions: dict[int, Impression] = {}
    private: list[tuple[int, Sighting]] = []
    shared: list[tuple[int, Sighting]] = []
    for message, report in told:
        if not isinstance(report, _ENGAGEMENTS) or report.prejudged is not None:
            continue
        impression = impressions[id(report)] = detection.impression_of(report)
        if impression.verdict is None and (sighting := _sighting(report, message, impression)):
            sent = message.sent
            is_private = sent is not None and policies[sent.organization_id].privacy_mode
            (private if is_private else shared).append((id(report), sighting))
    counts = [*zip((place for place, _ in private), _within([one for _, one in private]), strict=True)]
    if shared:
        counts += zip((place for place, _ in shared), sightings.note([one for _, one in shared]), strict=True)
    for place, recipients in counts:
        impressions[place] = doubted_by(impressions[place], recipients)
    return impressions


def _sighting(report: RecordOpen | RecordClick, message: EmailMessage, impression: Impression) -> Sighting | None:
    sent = message.sent
    if not report.ip_address or sent is None or sent.campaign_id is None:
        return None
    if not (impression.score or isinstance(report, RecordClick)):
        return None
    return Sighting(sent.campaign_id, report.ip_address, addressee_of(sent).bytes, report.occurred_at)


def _within(sightings: Sequence[Sighting]) -> list[int]:
    places: dict[tuple[UUID, str], list[tuple[datetime, bytes]]] = {}
    for one in sorted(sightings, key=lambda sighting: sighting.at):
        places.setdefault((one.campaign_id, one.ip_address), []).append((one.at, one.recipient))
    return [recipients_seen(places[one.campaign_id, one.ip_address], one.at) for one in sightings]

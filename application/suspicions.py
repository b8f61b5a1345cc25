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
from domain.policies.detection.sightings import Sighting, recipients_seen
from domain.tracking_terms import TrackingPolicy

Told: TypeAlias = Sequence[tuple[EmailMessage, AnyReport]]

_ENGAGEMENTS: Final = (RecordOpen, RecordClick)


def recipients_by_report(
    told: Told,
    policies: Mapping[UUID, TrackingPolicy],
    detection: Detection,
    sightings: AddressSightings,
) -> dict[int, int]:
    """Count for opens and clicks on how many recipients of their campaign their address was just seen.

    Only what can still be decided by it is counted: clicks and suspicious opens that are not certain. Of organisations
    in privacy mode nothing is remembered beyond the batch.

    Returns:
        The counts by `id` of the report; reports without one were seen on their own recipient only.
    """
    private: list[tuple[int, Sighting]] = []
    shared: list[tuple[int, Sighting]] = []
    for message, report in told:
        sighting = _sighting(report, message, detection) if isinstance(report, _ENGAGEMENTS) else None
        if sighting is not None:
            sent = message.sent
            is_private = sent is not None and policies[sent.organization_id].privacy_mode
            (private if is_private else shared).append((id(report), sighting))
    if not (private or shared):
        return {}
    counts = dict(zip((place for place, _ in private), _within([one for _, one in private]), strict=True))
    if shared:
        counts |= zip((place for place, _ in shared), sightings.note([one for _, one in shared]), strict=True)
    return counts


def _sighting(report: RecordOpen | RecordClick, message: EmailMessage, detection: Detection) -> Sighting | None:
    if not report.ip_address or report.prejudged is not None:
        return None
    sent = message.sent
    if sent is None or sent.campaign_id is None:
        return None
    impression = detection.impression_of(report)
    if impression.verdict is not None or not (impression.score or isinstance(report, RecordClick)):
        return None
    return Sighting(sent.campaign_id, report.ip_address, addressee_of(sent).bytes, report.occurred_at)


def _within(sightings: Sequence[Sighting]) -> list[int]:
    places: dict[tuple[UUID, str], list[tuple[datetime, bytes]]] = {}
    for one in sorted(sightings, key=lambda sighting: sighting.at):
        places.setdefault((one.campaign_id, one.ip_address), []).append((one.at, one.recipient))
    return [recipients_seen(places[one.campaign_id, one.ip_address], one.at) for one in sightings]

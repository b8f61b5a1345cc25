"""Give parked reports to their email once somebody has registered it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias
from uuid import UUID

from application.match_mail import answering_mails
from application.ports.detection import CurrentDetection, built_in
from application.ports.parked_reports import Orphan
from application.ports.unit_of_work import UnitOfWork, UnitsOfWork
from application.recording import REPEATED, Recording
from application.transactions import in_transaction
from domain.policies.detection.detection import Detection
from domain.tracking_terms import TrackingPolicy

ORPHANS_PER_TRANSACTION: Final = 1_000

Taken: TypeAlias = tuple[Sequence[Orphan], Mapping[UUID, TrackingPolicy]]


class RematchOrphans:
    """Matches orphans, after a registration and as a sweep.

    Source:
        EF-2: an orphan is kept, visible, and matched when the email is registered later.
    """

    def __init__(self, units: UnitsOfWork, detection: CurrentDetection = built_in) -> None:
        self._units = units
        self._detection = detection

    def of_emails(self, organization_id: UUID, email_ids: Sequence[UUID]) -> int:
        """Match the orphans of an organisation's emails that were just registered.

        Returns:
            Number of reports that found their email.

        Raises:
            StoreUnavailableError: The sweep will find them later.
        """

        def take(unit: UnitOfWork) -> Taken:
            policies = unit.tracking.policies([organization_id])
            mails = answering_mails(unit, unit.threads.waiting_for(email_ids))
            return [*unit.parked.orphans_of(email_ids), *mails], policies

        return self._match(take)

    def sweep(self) -> int:
        """Match every orphan whose email is known by now: registration and report may have passed each other.

        Raises:
            StoreUnavailableError: The next sweep will find them.
        """
        total = 0
        while matched := self._match(_known):
            total += matched
        return total

    def _match(self, take: Callable[[UnitOfWork], Taken]) -> int:
        def match(unit: UnitOfWork) -> int:
            orphans, policies = take(unit)
            adopt(unit, orphans, policies, self._detection())
            return len(orphans)

        return in_transaction(self._units, match)


def _known(unit: UnitOfWork) -> Taken:
    # Organisations first, then their orphans: whoever has an organisation alone may want the same rows.
    mails = unit.threads.waiting_for_known(most=ORPHANS_PER_TRANSACTION)
    of_mails = unit.parked.organizations_of_orphans([mail.waiting_id for mail in mails])
    of_orphans = unit.parked.organizations_of_known_orphans(most=ORPHANS_PER_TRANSACTION)
    policies = unit.tracking.policies(of_mails | of_orphans)
    orphans = unit.parked.orphans_whose_email_is_known(of_orphans, most=ORPHANS_PER_TRANSACTION)
    return [*orphans, *answering_mails(unit, mails)], policies


def adopt(
    unit: UnitOfWork, orphans: Sequence[Orphan], policies: Mapping[UUID, TrackingPolicy], detection: Detection
) -> None:
    """Record orphans on their emails and stop keeping them, as part of a transaction; whose email is unknown stays.

    Args:
        unit: The transaction.
        orphans: Taken in this transaction.
        policies: Of their organisations, asked before the orphans were taken.
        detection: Judges who engaged.
    """
    if not orphans:
        return
    messages = unit.messages(list({orphan.email_id for orphan in orphans}))
    ignored: Counter[str] = Counter()
    known = [orphan for orphan in orphans if messages[orphan.email_id].is_known]
    told = [(messages[orphan.email_id], orphan.report) for orphan in known]
    recording = Recording(unit, policies, told, detection)
    for orphan in known:
        nothing_new = recording.record(
            messages[orphan.email_id], orphan.report, received_at=orphan.received_at, delivery_id=orphan.delivery_id
        )
        if nothing_new and nothing_new != REPEATED:
            ignored[f"ignored_{nothing_new}"] += 1
    unit.append(list(messages.values()))
    recording.finish()
    unit.parked.forget([orphan.id for orphan in known])
    unit.count_outcomes(ignored)

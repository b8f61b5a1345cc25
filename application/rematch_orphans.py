"""Give parked reports to their email once somebody has registered it."""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from application.ports.unit_of_work import ConcurrentAppendError, Orphan, StoreUnavailableError, UnitOfWork, UnitsOfWork

ORPHANS_PER_TRANSACTION: Final = 1_000
RERUNS_AFTER_CONFLICT: Final = 20


class RematchOrphans:
    """Matches orphans, after a registration and as a sweep.

    Source:
        EF-2: an orphan is kept, visible, and matched when the email is registered later.
    """

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    def of_emails(self, email_ids: Sequence[UUID]) -> int:
        """Match the orphans of emails that were just registered.

        Returns:
            Number of reports that found their email.

        Raises:
            StoreUnavailableError: The sweep will find them later.
        """
        return self._match(lambda unit: unit.orphans_of(email_ids))

    def sweep(self) -> int:
        """Match every orphan whose email is known by now: registration and report may have passed each other.

        Raises:
            StoreUnavailableError: The next sweep will find them.
        """
        total = 0
        while matched := self._match(lambda unit: unit.orphans_whose_email_is_known(most=ORPHANS_PER_TRANSACTION)):
            total += matched
        return total

    def _match(self, take: Callable[[UnitOfWork], list[Orphan]]) -> int:
        for _ in range(RERUNS_AFTER_CONFLICT):
            try:
                with self._units.begin() as unit:
                    orphans = take(unit)
                    adopt(unit, orphans)
                    return len(orphans)
            except ConcurrentAppendError:
                continue
        raise StoreUnavailableError(f"{RERUNS_AFTER_CONFLICT} conflicts in a row with other workers")


def adopt(unit: UnitOfWork, orphans: Sequence[Orphan]) -> None:
    """Record orphans on their emails and stop keeping them, as part of a transaction."""
    if not orphans:
        return
    messages = unit.messages(list({orphan.email_id for orphan in orphans}))
    for orphan in orphans:
        messages[orphan.email_id].record(orphan.report, received_at=orphan.received_at, delivery_id=orphan.delivery_id)
    unit.append(list(messages.values()))
    unit.unpark([orphan.id for orphan in orphans])

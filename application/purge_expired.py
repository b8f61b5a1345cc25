"""Let go of what is kept beyond its time, a little at a time, so that nobody waits for it."""

import logging
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.endpoints import UnknownOrganizationError
from application.ports.expired_records import Expired, ExpiredRecords, PurgedEmails, PurgeWaitsError

logger = logging.getLogger(__name__)

EMAILS_PER_TRANSACTION: Final = 500
REPORTS_PER_TRANSACTION: Final = 1_000
SHORTEST_REST_S: Final = 0.05
REST_PER_WORK: Final = 2.0
"""Seconds of rest for each second of work: two thirds of the time are for the reports that come in meanwhile."""
PATIENCE_S: Final = 30.0
POLL_S: Final = 0.05


class Purged(msgspec.Struct, kw_only=True):
    """What went of one organisation.

    Attributes:
        reports: Parked reports and waiting deliveries.
        unfinished: Why there may be more to purge; "" if there is not.
    """

    organization_id: UUID
    emails: int = 0
    events: int = 0
    reports: int = 0
    unfinished: str = ""


class PurgeExpired:
    """Purges organisation by organisation.

    Args:
        records: What is kept.
        clock: Gives aware UTC.
        monotonic: Gives seconds.
        sleep: Waits for so many seconds.

    Source:
        BR-558.6: kept for 2 years, by default, in events, read models, inbox and orphans.
    """

    def __init__(
        self,
        records: ExpiredRecords,
        clock: Clock,
        *,
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._records = records
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep

    def survey(self, organization_id: UUID | None = None) -> list[Expired]:
        """Say what a purge would delete, of one organisation or of all.

        Raises:
            UnknownOrganizationError: There is no such organisation.
        """
        now = self._clock()
        return [self._records.survey(one, now) for one in self._those(organization_id)]

    def __call__(
        self,
        organization_id: UUID | None = None,
        *,
        keep_on: Callable[[], bool] = lambda: True,
        progress: Callable[[Purged], None] = lambda _: None,
    ) -> list[Purged]:
        """Purge one organisation or all.

        Args:
            organization_id: ``None``: all.
            keep_on: Asked before each transaction whether to go on.
            progress: Told after each transaction what went so far of its organisation.

        Raises:
            RetentionBusyError: Another process does.
            UnknownOrganizationError: There is no such organisation.
            StoreUnavailableError: What went is gone; the rest goes next time.
        """
        with self._records.alone():
            purged = [self._purge(one, keep_on, progress) for one in self._those(organization_id) if keep_on()]
            self._records.tidy()
        for one in purged:
            if one.emails or one.reports or one.unfinished:
                logger.info(
                    "What was beyond its time is gone", extra={"event": "purged", **msgspec.structs.asdict(one)}
                )
        return purged

    def _those(self, organization_id: UUID | None) -> Sequence[UUID]:
        known = self._records.organizations()
        if organization_id is None:
            return known
        if organization_id not in known:
            raise UnknownOrganizationError(organization_id)
        return [organization_id]

    def _purge(self, organization_id: UUID, keep_on: Callable[[], bool], progress: Callable[[Purged], None]) -> Purged:
        purged = Purged(organization_id=organization_id)
        are_more_reports = True
        try:
            while keep_on():
                began = self._monotonic()
                chunk = self._purge_emails(organization_id, keep_on)
                # Each look goes through all that wait: one too many for every chunk of emails.
                reports = self._purge_reports(organization_id) if are_more_reports else 0
                are_more_reports = reports >= REPORTS_PER_TRANSACTION
                if not (chunk.emails or reports):
                    return purged
                purged.emails += chunk.emails
                purged.events += chunk.events
                purged.reports += reports
                progress(purged)
                self._sleep(max(SHORTEST_REST_S, REST_PER_WORK * (self._monotonic() - began)))
            purged.unfinished = "it was ended"
        except PurgeWaitsError as error:
            purged.unfinished = str(error)
        return purged

    def _purge_reports(self, organization_id: UUID) -> int:
        return self._records.purge_reports(organization_id, self._clock(), most=REPORTS_PER_TRANSACTION)

    def _purge_emails(self, organization_id: UUID, keep_on: Callable[[], bool]) -> PurgedEmails:
        """Purge a chunk; read models that are behind get time to fold what went before."""
        deadline = self._monotonic() + PATIENCE_S
        while True:
            try:
                return self._records.purge_emails(organization_id, self._clock(), most=EMAILS_PER_TRANSACTION)
            except PurgeWaitsError:
                if self._monotonic() > deadline or not keep_on():
                    raise
            self._sleep(POLL_S)

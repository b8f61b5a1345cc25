"""Try a parked report again, because somebody mended its cause or hopes so."""

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from application.drain_inbox import BACKOFF, DrainInbox
from application.ports.parked_reports import FailedReport, Orphan
from application.ports.provider import Translator
from application.ports.unit_of_work import Delivery, UnitOfWork, UnitsOfWork
from application.rematch_orphans import adopt
from application.transactions import in_transaction
from domain.errors import ApplicationError
from domain.tracking_terms import TrackingPolicy


class UnknownParkedReportError(ApplicationError):
    """The organisation has no parked report of that number; it may have been processed since."""

    code = "unknown_parked_report"


class ReportNotKeptError(ApplicationError):
    """The report came in privacy mode: what it said was not kept, so it cannot be tried again."""

    code = "report_not_kept"


class RetryOutcome(StrEnum):
    """What became of a retried report."""

    PROCESSED = "processed"
    STILL_FAILED = "failed"
    STILL_ORPHANED = "orphaned"


class RetryParked:
    """Retries parked reports one by one.

    Args:
        units: Begins transactions.
        providers: By name.
        drain: Knows how a delivery is processed.

    Source:
        Postconditions on failure: retry by endpoint, command and page.
    """

    def __init__(self, units: UnitsOfWork, providers: Mapping[str, Translator], drain: DrainInbox) -> None:
        self._units = units
        self._providers = providers
        self._drain = drain

    def __call__(self, organization_id: UUID, report_id: int) -> RetryOutcome:
        """Process a parked report again; whatever happens, it is not lost.

        Raises:
            UnknownParkedReportError: There is none of that number.
            ReportNotKeptError: Only its reason was kept.
            StoreUnavailableError: Nothing changed; try again later.
        """

        def retry(unit: UnitOfWork) -> RetryOutcome:
            policies = unit.tracking.policies([organization_id])
            parked = unit.parked.report(organization_id, report_id)
            if parked is None:
                raise UnknownParkedReportError(f"there is no parked report {report_id}")
            if isinstance(parked, Orphan):
                return self._retry_orphan(unit, parked, policies)
            return self._retry_failure(unit, parked)

        return in_transaction(self._units, retry)

    def _retry_orphan(self, unit: UnitOfWork, orphan: Orphan, policies: Mapping[UUID, TrackingPolicy]) -> RetryOutcome:
        if orphan.email_id not in unit.registrations([orphan.email_id]):
            return RetryOutcome.STILL_ORPHANED
        adopt(unit, [orphan], policies, self._drain.detection())
        return RetryOutcome.PROCESSED

    def _retry_failure(self, unit: UnitOfWork, failure: FailedReport) -> RetryOutcome:
        if not failure.is_kept:
            raise ReportNotKeptError(f"of the report {failure.id} only the reason was kept, as privacy mode asks")
        delivery = Delivery(
            id=failure.delivery_id,
            endpoint_id=failure.endpoint_id,
            organization_id=failure.organization_id,
            provider=failure.provider,
            correlation_id="",
            received_at=failure.received_at,
            attempts=len(BACKOFF),  # its inbox row is gone: what fails again cannot be postponed, only parked
            headers=failure.headers,
            body=failure.body,
        )
        # First forget, then process: what fails again is parked again, with today's reason.
        unit.parked.forget([failure.id])
        drained = self._drain.process(unit, [delivery])
        if drained.failed:
            return RetryOutcome.STILL_FAILED
        return RetryOutcome.STILL_ORPHANED if drained.orphaned else RetryOutcome.PROCESSED

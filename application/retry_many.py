"""Try many parked reports again, one by one: whatever one does, the others are tried."""

from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec

from application.retry_parked import ReportNotKeptError, RetryOutcome, UnknownParkedReportError


class Retries(msgspec.Struct, kw_only=True):
    """How many reports were tried again, by what became of them.

    Attributes:
        failed: Failed again; they wait under new ids.
        orphaned: Still wait for their email.
        gone: Were not there any more: used, or tried again by somebody else, meanwhile.
        not_kept: Of these only the reason was kept, as privacy mode asks.
        last_id: Of the report that was tried last; ``None``: none was tried.
    """

    processed: int = 0
    failed: int = 0
    orphaned: int = 0
    gone: int = 0
    not_kept: int = 0
    last_id: int | None = None

    @property
    def tried(self) -> int:
        """How many there were."""
        return self.processed + self.failed + self.orphaned + self.gone + self.not_kept


def retry_many(
    retry: Callable[[UUID, int], RetryOutcome],
    organization_id: UUID,
    report_ids: Sequence[int],
    *,
    keep_on: Callable[[], bool] = lambda: True,
) -> Retries:
    """Try reports again in the order given, until `keep_on` says no; at least the first is tried.

    Args:
        retry: See `application.retry_parked.RetryParked`.
        organization_id: Whose reports these are.
        report_ids: Of what waits.
        keep_on: Asked before every report but the first.

    Raises:
        StoreUnavailableError: The database went away; what was done until then stays done.
    """
    retries = Retries()
    for report_id in report_ids:
        if retries.tried and not keep_on():
            break
        try:
            outcome = retry(organization_id, report_id)
        except UnknownParkedReportError:
            retries.gone += 1
        except ReportNotKeptError:
            retries.not_kept += 1
        else:
            setattr(retries, outcome.value, getattr(retries, outcome.value) + 1)
        retries.last_id = report_id
    return retries

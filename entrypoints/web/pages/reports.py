"""Reports that could not be used: why, what to do, and trying one again."""

from asyncio import to_thread
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, get, post
from litestar.params import PathParameter, QueryParameter
from litestar.response import Redirect

from application.retry_parked import ReportNotKeptError, RetryOutcome, UnknownParkedReportError
from entrypoints.web.auth import ADMINS
from entrypoints.web.pages.forms import then_show
from entrypoints.web.pages.frame import framed, here_with
from entrypoints.web.pages.tables import TableFormat, table_file
from entrypoints.web.pages.visitors import PageRequest
from entrypoints.web.paging import Cursor, page
from entrypoints.web.services import Services
from read_models.deliveries.queries import ParkedDelivery, ParkedStatus
from read_models.paging import LARGEST_KEY_NUMBER

ROWS: Final = 50
COLUMNS: Final = ParkedDelivery.__struct_fields__
GONE, NOT_KEPT = "gone", "not_kept"
OUTCOMES: Final = {
    RetryOutcome.PROCESSED.value: "The report was used: it is in the numbers now.",
    RetryOutcome.STILL_FAILED.value: "It failed again, for the reason that stands first below.",
    RetryOutcome.STILL_ORPHANED.value: "Its email is still not registered; it goes on waiting.",
    GONE: "It is not here any more: it was used, or tried again, meanwhile.",
    NOT_KEPT: "It cannot be tried again: privacy mode kept its reason only. Ask the provider to send it again.",
}


@get("/reports", opt=ADMINS, include_in_schema=False)
async def show_reports(
    request: PageRequest,
    services: Services,
    *,
    status: Annotated[ParkedStatus | None, QueryParameter()] = None,
    outcome: Annotated[str | None, QueryParameter()] = None,
    as_file: TableFormat = None,
    cursor: Cursor = None,
) -> Response[Any]:
    """List what waits for somebody, the latest first."""
    reports = await services.deliveries.parked(request.user.access.organization_id, status, page(ROWS, cursor))
    if as_file:
        return table_file("reports", COLUMNS, [msgspec.structs.astuple(report) for report in reports.items])
    return framed(
        "reports",
        request,
        now=services.clock(),
        reports=reports.items,
        statuses=[(None, "All"), *((one, one.value.capitalize()) for one in ParkedStatus)],
        wanted=status,
        notice=OUTCOMES.get(outcome or ""),
        is_first=cursor is None,
        next_path=here_with(request, cursor=reports.next_cursor, outcome=None) if reports.next_cursor else None,
    )


@post("/reports/{report_id:int}/retry", opt=ADMINS, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
async def retry_report(
    request: PageRequest,
    services: Services,
    report_id: Annotated[int, PathParameter(ge=1, le=LARGEST_KEY_NUMBER)],
) -> Redirect:
    """Try a report again; whatever happens, it is not lost."""
    try:
        outcome = (await to_thread(services.retry_parked, request.user.access.organization_id, report_id)).value
    except UnknownParkedReportError:
        outcome = GONE
    except ReportNotKeptError:
        outcome = NOT_KEPT
    return then_show(f"/reports?outcome={outcome}")


REPORT_PAGES: Final[list[Any]] = [show_reports, retry_report]

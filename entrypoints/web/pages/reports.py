"""Reports that could not be used: why, what to do, and trying one or all again."""

import time
from asyncio import to_thread
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Response, get, post
from litestar.params import PathParameter, QueryParameter
from litestar.response import Redirect

from application.retry_many import retry_many
from application.retry_parked import ReportNotKeptError, RetryOutcome, UnknownParkedReportError
from entrypoints.web.auth import ADMINS
from entrypoints.web.pages.forms import fields_of, then_show
from entrypoints.web.pages.frame import framed, here_with, next_path
from entrypoints.web.pages.tables import TableFormat, table_file
from entrypoints.web.pages.visitors import PageRequest
from entrypoints.web.paging import Cursor, page
from entrypoints.web.problems import InvalidRequestError
from entrypoints.web.services import Services
from read_models.deliveries.queries import ParkedDelivery, ParkedStatus
from read_models.paging import LARGEST_KEY_NUMBER

ROWS: Final = 50
AT_ONCE: Final = 200
"""Reports that one answer waits for at most, if the time is enough; then it says how many are left."""
LONGEST_S: Final = 8.0
COLUMNS: Final = ParkedDelivery.__struct_fields__
GONE, NOT_KEPT = "gone", "not_kept"
OUTCOMES: Final = {
    RetryOutcome.PROCESSED.value: "The report was used: it is in the numbers now.",
    RetryOutcome.STILL_FAILED.value: "It failed again, for the reason that stands first below.",
    RetryOutcome.STILL_ORPHANED.value: "Its email is still not registered; it goes on waiting.",
    GONE: "It is not here any more: it was used, or tried again, meanwhile.",
    NOT_KEPT: "It cannot be tried again: privacy mode kept its reason only. Ask the provider to send it again.",
}
COUNTED: Final = ("processed", "failed", "orphaned", "gone", "not_kept")
WORDS: Final = {
    "processed": "used",
    "failed": "failed again",
    "orphaned": "still without their email",
    "gone": "not here any more",
    "not_kept": "not kept in privacy mode",
}
BelowId = Annotated[int | None, QueryParameter(ge=1, le=LARGEST_KEY_NUMBER)]


@get("/reports", opt=ADMINS, include_in_schema=False)
async def show_reports(
    request: PageRequest,
    services: Services,
    *,
    status: Annotated[ParkedStatus | None, QueryParameter()] = None,
    outcome: Annotated[str | None, QueryParameter()] = None,
    retried: Annotated[str | None, QueryParameter()] = None,
    below: BelowId = None,
    as_file: TableFormat = None,
    cursor: Cursor = None,
) -> Response[Any]:
    """List what waits for somebody, the latest first."""
    organization_id = request.user.access.organization_id
    reports = await services.deliveries.parked(organization_id, status, page(ROWS, cursor))
    if as_file:
        return table_file("reports", COLUMNS, [msgspec.structs.astuple(report) for report in reports.items])
    counts = _counts(retried)
    left = await services.deliveries.waiting(organization_id, status, below=below if counts else None, most=1)
    return framed(
        "reports",
        request,
        now=services.clock(),
        reports=reports.items,
        statuses=[(None, "All"), *((one, one.value.capitalize()) for one in ParkedStatus)],
        wanted=status,
        notice=_said(counts) if counts else OUTCOMES.get(outcome or ""),
        left=left.number,
        goes_on=bool(counts),
        below=below if counts else None,
        at_once=AT_ONCE,
        path_without_outcome=lambda **more: here_with(
            request, **{"cursor": None, "outcome": None, "retried": None, "below": None} | more
        ),
        is_first=cursor is None,
        next_path=next_path(request, reports.next_cursor, outcome=None, retried=None, below=None),
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


@post("/reports/retry", opt=ADMINS, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
async def retry_reports(request: PageRequest, services: Services) -> Redirect:
    """Try again what waits, the latest first, as far as one answer may take; the rest is one button away.

    What fails again waits under a higher id, so that going on never meets it again.
    """
    organization_id, fields = request.user.access.organization_id, await fields_of(request)
    status, below = _status(fields.get("status", "")), _id(fields.get("below", ""))
    waiting = await services.deliveries.waiting(organization_id, status, below=below, most=AT_ONCE)
    until = time.monotonic() + LONGEST_S
    retries = await to_thread(
        retry_many,
        services.retry_parked,
        organization_id,
        waiting.ids,
        keep_on=lambda: time.monotonic() < until,
    )
    told = {"status": status.value} if status else {}
    counts = ".".join(str(getattr(retries, name)) for name in COUNTED)
    return then_show(f"/reports?{urlencode({**told, 'retried': counts, 'below': retries.last_id or below or 1})}")


def _status(text: str) -> ParkedStatus | None:
    if not text:
        return None
    try:
        return ParkedStatus(text)
    except ValueError as error:
        raise InvalidRequestError("status", f"is none of {', '.join(ParkedStatus)}") from error


def _id(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:20]) <= LARGEST_KEY_NUMBER:
        raise InvalidRequestError("below", "is no report's number")
    return int(text)


def _counts(text: str | None) -> Mapping[str, int] | None:
    """Read what an address says of reports that were tried again; what nobody wrote there says nothing."""
    numbers = (text or "").split(".")
    if len(numbers) != len(COUNTED) or not all(one.isascii() and one.isdigit() and len(one) < 8 for one in numbers):  # noqa: PLR2004 - digits
        return None
    return dict(zip(COUNTED, map(int, numbers), strict=True))


def _said(counts: Mapping[str, int]) -> str:
    tried = sum(counts.values())
    if not tried:
        return "Nothing was left to try again."
    became = ", ".join(f"{count:,} {WORDS[name]}" for name, count in counts.items() if count)
    return f"{tried:,} tried again: {became}."


REPORT_PAGES: Final[list[Any]] = [show_reports, retry_report, retry_reports]

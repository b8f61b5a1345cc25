"""Whether emails arrive, by the domain they go to."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Final

from litestar import Response, get
from litestar.params import QueryParameter

from entrypoints.web import examples
from entrypoints.web.auth import READERS, ApiRequest, audience_of
from entrypoints.web.csv_answers import Format, csv_lines, csv_response, wants_csv
from entrypoints.web.operations import described
from entrypoints.web.periods import From, To, Zone, check_length, period_of
from entrypoints.web.services import Services
from read_models.deliverability.deliverability import Deliverability
from read_models.deliverability.queries import DeliverabilityReport
from read_models.periods import Period

USUAL_PERIOD: Final = timedelta(days=30)
USUAL_DOMAINS: Final = 50
MOST_DOMAINS: Final = 1_000
COLUMNS: Final = (
    *("line", "domain", "sent", "delivered", "dropped", "bounced", "bounced_hard", "bounced_block", "bounced_soft"),
    *("bounce_reasons", "spam_reported", "unsubscribed", "delivery_rate", "bounce_rate", "spam_rate"),
)


@get(
    "/deliverability",
    opt=READERS,
    tags=["deliverability"],
    summary="Count what arrived, by recipient domain",
    description=(
        "Emails sent within the period (without `from`: the 30 days before its end; without `to`: until now), "
        "untracked ones too. The domains with the most emails have a line each, all others share `rest`. An email "
        "bounced at most once, by its gravest bounce. `spam_rate` is spam reports ÷ delivered, the other rates are of "
        "sent. `domain` is `null` for people who were erased."
    ),
    operation_class=described(
        answers=examples.DELIVERABILITY,
        csv=csv_lines([COLUMNS, ["total", "", 245, 241, 0, 4, 3, 0, 1, "hard mailbox_does_not_exist 3"]]).decode(),
        problems=(HTTPStatus.UNPROCESSABLE_ENTITY,),
    ),
)
async def show_deliverability(
    request: ApiRequest,
    services: Services,
    *,
    start: From = None,
    end: To = None,
    tz: Zone = "UTC",
    limit: Annotated[
        int, QueryParameter(ge=1, le=MOST_DOMAINS, description="Domains that get a line of their own.")
    ] = USUAL_DOMAINS,
    answer_format: Format = None,
) -> Response[DeliverabilityReport]:
    """See `DeliverabilityQueries.by_domain`."""
    asked = period_of(start, end, tz)
    last = asked.end or services.clock()
    period = Period(start=asked.start or last - USUAL_PERIOD, end=last)
    check_length(period)
    as_csv = wants_csv(request, answer_format)
    report = await services.deliverability.by_domain(audience_of(request.user), period, most=limit)
    if as_csv:
        return csv_response(_lines(report), name="deliverability")
    return Response(report)


async def _lines(report: DeliverabilityReport) -> AsyncIterator[bytes]:
    yield csv_lines([COLUMNS, *_rows(report)])


def _rows(report: DeliverabilityReport) -> Iterator[list[object]]:
    yield _row("total", None, report.total)
    for line in report.items:
        yield _row("domain", line.domain, line)
    if report.rest is not None:
        yield _row("rest", None, report.rest)


def _row(kind: str, domain: str | None, figures: Deliverability) -> list[object]:
    bounces = figures.bounces
    reasons = "; ".join(f"{one.kind} {one.reason or 'unknown'} {one.emails}" for one in figures.bounce_reasons)
    return [
        *(kind, domain, figures.sent, figures.delivered, figures.dropped, figures.bounced),
        *(bounces.hard, bounces.block, bounces.soft, reasons, figures.spam_reported, figures.unsubscribed),
        *(figures.delivery_rate, figures.bounce_rate, figures.spam_rate),
    ]

"""The dashboard in figures: a period beside the one before it."""

from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import get
from litestar.params import QueryParameter

from entrypoints.web import examples
from entrypoints.web.auth import READERS, ApiRequest, audience_of
from entrypoints.web.included import Include, counts_machines
from entrypoints.web.operations import described
from entrypoints.web.periods import DAY, LONGEST, Zone, check_year, check_zone
from entrypoints.web.problems import InvalidRequestError
from entrypoints.web.services import Services
from read_models.dashboard.dashboard import Basis, Counting, Dashboard, Days, dashboard_of
from read_models.dashboard.queries import DashboardFilter

USUAL_DAYS: Final = 30

FromDay = Annotated[str | None, QueryParameter(name="from", description="First day, such as `2026-11-01`.")]
ToDay = Annotated[str | None, QueryParameter(name="to", description="Last day, such as `2026-11-30`.")]
JobId = Annotated[str | None, QueryParameter(description="Only emails about this job.")]
CampaignId = Annotated[UUID | None, QueryParameter(description="Only emails of this campaign.")]
TemplateId = Annotated[str | None, QueryParameter(description="Only emails written with this template.")]
BasisOfPeriod = Annotated[
    Basis,
    QueryParameter(
        name="basis", description="`cohort`: the emails sent in the period; `activity`: what happened in the period."
    ),
]


@get(
    "/dashboard",
    opt=READERS,
    tags=["dashboard"],
    summary="Show how a period's emails did, beside those of the period before",
    description=(
        "Counts the tracked emails sent from the first day to the last (without `to`: today, without `from`: 30 days), "
        "whenever they were opened. `change` is in percentage points against as many days just before. `series` has a "
        "point for each day, or beyond 92 days for each week. `top_emails` are mailings: the emails of a campaign and "
        "template.\n\n"
        "`basis=activity` counts what happened in these days instead, whenever the emails were sent: an email that is "
        "opened on two days counts once in the totals and once on each day. `sent` stays the emails sent in them, "
        "so that rates may exceed 100; `avg_time_to_open_seconds` is null. Opens and clicks that came in privacy mode "
        "have no time and are left out there. `include=automated` counts opens and clicks by machines as if people had "
        "made them."
    ),
    operation_class=described(answers=examples.DASHBOARD, problems=(HTTPStatus.UNPROCESSABLE_ENTITY,)),
)
async def show_dashboard(
    request: ApiRequest,
    services: Services,
    *,
    start: FromDay = None,
    end: ToDay = None,
    tz: Zone = "UTC",
    job_id: JobId = None,
    campaign_id: CampaignId = None,
    template_id: TemplateId = None,
    basis: BasisOfPeriod = Basis.COHORT,
    include: Include = None,
) -> Dashboard:
    """See `DashboardQueries.sums`."""
    days = days_of(start, end, tz, services.clock())
    wanted = DashboardFilter(job_id=job_id, campaign_id=campaign_id, template_id=template_id)
    counting = Counting(basis=basis, with_automated=counts_machines(include))
    sums = await services.dashboard.sums(audience_of(request.user), days, wanted, counting)
    return dashboard_of(days, sums, counting)


def days_of(start: str | None, end: str | None, zone: str, now: datetime) -> Days:
    """Read the days that are asked for.

    Args:
        start: The parameter ``from``.
        end: The parameter ``to``.
        zone: The parameter ``tz``.
        now: Aware; tells which day is today there.

    Raises:
        InvalidRequestError: One of them cannot be read, the period ends before it starts or lasts more than ten years.
    """
    check_zone(zone)
    last = _day("to", end) if end else now.astimezone(ZoneInfo(zone) if zone != "UTC" else UTC).date()
    first = _day("from", start) if start else last - timedelta(days=USUAL_DAYS - 1)
    if first > last:
        raise InvalidRequestError("to", "is before from")
    if last - first > LONGEST:
        raise InvalidRequestError("to", f"is more than {LONGEST.days} days later than from")
    return Days(first=first, last=last, zone=zone)


def _day(name: str, text: str) -> date:
    try:
        day = date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise InvalidRequestError(name, "is no day, such as 2026-11-01")
    check_year(name, day)
    return day

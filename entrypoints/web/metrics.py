"""How a campaign, a job or a template does: the same questions about three kinds of emails."""

from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import get
from litestar.params import FromPath, QueryParameter

from entrypoints.web import examples
from entrypoints.web.auth import READERS, ApiRequest, audience_of
from entrypoints.web.included import Include, counts_machines
from entrypoints.web.operations import described
from entrypoints.web.paging import USUAL_PAGE, Cursor, Limit, page
from entrypoints.web.problems import UnknownThingError
from entrypoints.web.services import Services
from read_models.metrics.metrics import EngagementMetrics, as_if_people, metrics_of
from read_models.metrics.queries import CampaignEmails, JobEmails, LinkClicks, LinkGrouping, Subject, TemplateEmails
from read_models.paging import Page, PageRequest

TAGS: Final = ["metrics"]
RATES: Final = (
    "Over tracked emails that left the provider. Rates are percentages rounded to two decimals, `null` where nothing "
    "was measured; `click_to_open_rate` is clicked ÷ opened. Numbers are of people; `machine_opens` and "
    "`scanner_clicks` are apart. `include=automated` gives raw totals: `opened`, `clicked`, `total_clicks` and their "
    "rates as if machines were people; the time to open stays that of people."
)
LINKS: Final = (
    "The most clicked first; by `url`, or with `group_by=position` by URL and position. Clicks are of people; "
    "`scanner_click_count` is apart. `include=automated` counts both, and lists links that only machines followed."
)
METRICS_OPERATION: Final = described(
    answers=examples.METRICS, problems=(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)
)
LINKS_OPERATION: Final = described(
    answers=examples.a_list_of(examples.LINK_CLICKS),
    problems=(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY),
)
Grouping = Annotated[LinkGrouping, QueryParameter(description="What makes two links the same.")]


@get(
    "/campaigns/{campaign_id:uuid}/engagement",
    opt=READERS,
    tags=TAGS,
    summary="Show a campaign's metrics",
    description=RATES,
    operation_class=METRICS_OPERATION,
)
async def show_campaign_engagement(
    request: ApiRequest, services: Services, campaign_id: FromPath[UUID], *, include: Include = None
) -> EngagementMetrics:
    """See `MetricsQueries.totals`."""
    return await _metrics(request, services, CampaignEmails(campaign_id), include)


@get(
    "/jobs/{job_id:str}/engagement",
    opt=READERS,
    tags=TAGS,
    summary="Show a job's metrics",
    description=RATES,
    operation_class=METRICS_OPERATION,
)
async def show_job_engagement(
    request: ApiRequest, services: Services, job_id: FromPath[str], *, include: Include = None
) -> EngagementMetrics:
    """See `MetricsQueries.totals`."""
    return await _metrics(request, services, JobEmails(job_id), include)


@get(
    "/templates/{template_id:str}/engagement",
    opt=READERS,
    tags=TAGS,
    summary="Show a template's metrics",
    description=RATES,
    operation_class=METRICS_OPERATION,
)
async def show_template_engagement(
    request: ApiRequest, services: Services, template_id: FromPath[str], *, include: Include = None
) -> EngagementMetrics:
    """See `MetricsQueries.totals`."""
    return await _metrics(request, services, TemplateEmails(template_id), include)


@get(
    "/campaigns/{campaign_id:uuid}/links",
    opt=READERS,
    tags=TAGS,
    summary="Show which links of a campaign people follow",
    description=LINKS,
    operation_class=LINKS_OPERATION,
)
async def list_campaign_links(
    request: ApiRequest,
    services: Services,
    campaign_id: FromPath[UUID],
    *,
    group_by: Grouping = LinkGrouping.URL,
    include: Include = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Page[LinkClicks]:
    """See `MetricsQueries.links`."""
    return await _links(request, services, CampaignEmails(campaign_id), group_by, page(limit, cursor), include=include)


@get(
    "/jobs/{job_id:str}/links",
    opt=READERS,
    tags=TAGS,
    summary="Show which links people follow in emails about a job",
    description=LINKS,
    operation_class=LINKS_OPERATION,
)
async def list_job_links(
    request: ApiRequest,
    services: Services,
    job_id: FromPath[str],
    *,
    group_by: Grouping = LinkGrouping.URL,
    include: Include = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Page[LinkClicks]:
    """See `MetricsQueries.links`."""
    return await _links(request, services, JobEmails(job_id), group_by, page(limit, cursor), include=include)


@get(
    "/templates/{template_id:str}/links",
    opt=READERS,
    tags=TAGS,
    summary="Show which links people follow in emails of a template",
    description=LINKS,
    operation_class=LINKS_OPERATION,
)
async def list_template_links(
    request: ApiRequest,
    services: Services,
    template_id: FromPath[str],
    *,
    group_by: Grouping = LinkGrouping.URL,
    include: Include = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Page[LinkClicks]:
    """See `MetricsQueries.links`."""
    return await _links(request, services, TemplateEmails(template_id), group_by, page(limit, cursor), include=include)


async def _metrics(request: ApiRequest, services: Services, subject: Subject, include: Include) -> EngagementMetrics:
    totals = await services.metrics.totals(audience_of(request.user), subject)
    if totals is None:
        raise UnknownThingError("there are no such emails")
    return metrics_of(as_if_people(totals) if counts_machines(include) else totals)


async def _links(
    request: ApiRequest,
    services: Services,
    subject: Subject,
    grouping: LinkGrouping,
    part: PageRequest,
    *,
    include: Include,
) -> Page[LinkClicks]:
    links = await services.metrics.links(
        audience_of(request.user), subject, grouping, part, with_automated=counts_machines(include)
    )
    if links is None:
        raise UnknownThingError("there are no such emails")
    return links


METRICS_HANDLERS: Final[list[Any]] = [
    show_campaign_engagement,
    show_job_engagement,
    show_template_engagement,
    list_campaign_links,
    list_job_links,
    list_template_links,
]

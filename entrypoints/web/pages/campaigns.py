"""How a mailing went, from sending to replies, and which of its links people followed."""

from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from entrypoints.web.auth import READERS, audience_of
from entrypoints.web.included import Include, counts_machines
from entrypoints.web.pages.frame import framed, next_path
from entrypoints.web.pages.page_openapi import page_operation
from entrypoints.web.pages.tables import TableFormat, table_file
from entrypoints.web.pages.visitors import PageRequest
from entrypoints.web.paging import Cursor, page
from entrypoints.web.problems import UnknownThingError
from entrypoints.web.services import Services
from read_models.emails.queries import EmailFilter
from read_models.metrics.metrics import EngagementMetrics, as_if_people, metrics_of, percent
from read_models.metrics.queries import CampaignEmails, LinkGrouping
from read_models.paging import PageRequest as PartOfList

LINKS: Final = 100
COLUMNS: Final = ("url", "link_position", "link_text", "click_count", "unique_clicks", "scanner_click_count")
STEPS: Final = ("sent", "delivered", "opened", "clicked", "replied")


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A bar of the funnel: how many emails came this far."""

    name: str
    count: int
    share: float | None


@get(
    "/campaigns/{campaign_id:uuid}",
    opt=READERS,
    operation_class=page_operation("How far a campaign's emails came", title="Interview Invitation"),
)
async def show_campaign(
    request: PageRequest,
    services: Services,
    campaign_id: FromPath[UUID],
    *,
    by: Annotated[LinkGrouping, QueryParameter()] = LinkGrouping.POSITION,
    include: Include = None,
    as_file: TableFormat = None,
    cursor: Cursor = None,
) -> Response[Any]:
    """Show a campaign's funnel and its click map (AF-4)."""
    audience = audience_of(request.user.access)
    subject, with_automated = CampaignEmails(campaign_id), counts_machines(include)
    totals = await services.metrics.totals(audience, subject)
    links = await services.metrics.links(audience, subject, by, page(LINKS, cursor), with_automated=with_automated)
    if totals is None or links is None:
        raise UnknownThingError("there is no such campaign")
    if as_file:
        rows = [[getattr(link, name) for name in COLUMNS] for link in links.items]
        return table_file(f"links-{campaign_id}", COLUMNS, rows)
    latest = await services.emails.history(audience, EmailFilter(campaign_id=campaign_id), PartOfList(limit=1))
    metrics = metrics_of(as_if_people(totals) if with_automated else totals)
    return framed(
        "campaign",
        request,
        now=services.clock(),
        campaign_id=campaign_id,
        name=latest.items[0].subject if latest.items else "",
        metrics=metrics,
        steps=_funnel(metrics),
        links=links.items,
        most_clicks=max((link.click_count for link in links.items), default=0),
        by=by,
        include=include,
        is_first=cursor is None,
        next_path=next_path(request, links.next_cursor),
    )


def _funnel(metrics: EngagementMetrics) -> list[Step]:
    return [
        Step(name=name.capitalize(), count=getattr(metrics, name), share=percent(getattr(metrics, name), metrics.sent))
        for name in STEPS
    ]


CAMPAIGN_PAGES: Final[list[Any]] = [show_campaign]

"""Is our mail working, and is it better than before?"""

import json
from functools import cache
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.params import QueryParameter

from entrypoints.web.auth import READERS, audience_of
from entrypoints.web.dashboard import FromDay, JobId, TemplateId, ToDay, days_of
from entrypoints.web.pages.frame import framed
from entrypoints.web.pages.rendering import asset
from entrypoints.web.pages.tables import TableFormat, table_file
from entrypoints.web.pages.visitors import PageRequest
from entrypoints.web.pages.zones import zone_of
from entrypoints.web.problems import InvalidRequestError
from entrypoints.web.services import Services
from read_models.dashboard.dashboard import Dashboard, Mailing, Point, TemplateFigures, Tile, dashboard_of
from read_models.dashboard.queries import DashboardFilter
from read_models.metrics.metrics import EngagementMetrics, percent

Zone = Annotated[str, QueryParameter(name="tz")]
Text = Annotated[str | None, QueryParameter()]
Table = Literal["series", "emails", "templates"]


class ShownTile(msgspec.Struct, frozen=True, kw_only=True):
    """A tile with its words.

    Attributes:
        basis: What was measured.
        better: Whether the change is for the better; ``None`` where nothing changed or nothing is known.
    """

    name: str
    tile: Tile
    basis: str
    better: bool | None


@get("/", opt=READERS, include_in_schema=False)
async def show_dashboard_page(
    request: PageRequest,
    services: Services,
    *,
    start: FromDay = None,
    end: ToDay = None,
    tz: Zone = "",
    job_id: JobId = None,
    campaign_id: Text = None,
    template_id: TemplateId = None,
    as_file: TableFormat = None,
    table: Annotated[Table, QueryParameter()] = "series",
) -> Response[Any]:
    """Show a period beside the one before it (UI-1). Empty fields of the form ask for everything."""
    audience = audience_of(request.user.access)
    now = services.clock()
    days = days_of(start or None, end or None, tz or zone_of(request), now)
    wanted = DashboardFilter(job_id=job_id or None, campaign_id=_campaign(campaign_id), template_id=template_id or None)
    dashboard = dashboard_of(days, await services.dashboard.sums(audience, days, wanted))
    if as_file:
        return _file(dashboard, table)
    kept = {"from": days.first, "to": days.last, "tz": days.zone, **_chosen(wanted)}
    return framed(
        "dashboard",
        request,
        now=now,
        dashboard=dashboard,
        tiles=_tiles(dashboard),
        choices=await services.dashboard.choices(audience),
        wanted=wanted,
        chart=_chart(dashboard),
        path_with=lambda **more: f"/?{urlencode({**kept, **more})}",
    )


def _file(dashboard: Dashboard, table: Table) -> Response[Any]:
    lists: dict[Table, tuple[type[msgspec.Struct], list[Any]]] = {
        "series": (Point, dashboard.series),
        "emails": (Mailing, dashboard.top_emails),
        "templates": (TemplateFigures, dashboard.templates),
    }
    columns, rows = lists[table]
    return table_file(
        f"{table}-{dashboard.period.first}-{dashboard.period.last}",
        columns.__struct_fields__,
        [msgspec.structs.astuple(row) for row in rows],
    )


def _campaign(text: str | None) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError as error:
        raise InvalidRequestError("campaign_id", "is no campaign's id") from error


def _chosen(wanted: DashboardFilter) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not None}


def _tiles(dashboard: Dashboard) -> list[ShownTile]:
    totals, tiles = dashboard.totals, dashboard.tiles
    sent = f"of {totals.sent:,} tracked emails"
    words = {
        "open_rate": ("Open rate", f"{totals.opened:,} {sent}{_left_out(totals)}", 1),
        "click_rate": ("Click rate", f"{totals.clicked:,} {sent}", 1),
        "click_to_open_rate": ("Click-to-open rate", f"{totals.clicked:,} of {totals.opened:,} opened emails", 1),
        "reply_rate": ("Reply rate", f"{totals.replied:,} {sent}", 1),
        "bounce_rate": ("Bounce rate", f"{totals.bounced:,} {sent}", -1),
    }
    return [
        ShownTile(name=words[key][0], tile=tile, basis=words[key][1], better=_better(tile, words[key][2]))
        for key, tile in tiles.items()
    ]


def _left_out(totals: EngagementMetrics) -> str:
    return f", {totals.machine_opens:,} automatic opens left out" if totals.machine_opens else ""


def _better(tile: Tile, more_is_better: int) -> bool | None:
    return None if not tile.change or not round(tile.change, 1) else tile.change * more_is_better > 0


def _chart(dashboard: Dashboard) -> str:
    """Give the chart's specification with its data, as JSON that is safe inside HTML."""
    points = [
        {
            "date": point.date.isoformat(),
            "what": what,
            "count": count,
            "sent": point.sent,
            "rate": percent(count, point.sent),
        }
        for point in dashboard.series
        if point.sent
        for what, count in (("Opened", point.opens), ("Clicked", point.clicks))
    ]
    specification = {**_skeleton(), "datasets": {"series": points}}
    return json.dumps(specification).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def _skeleton() -> dict[str, Any]:
    skeleton: dict[str, Any] = json.loads(asset("generated/engagement_over_time.json"))
    return skeleton


DASHBOARD_PAGES: Final[list[Any]] = [show_dashboard_page]

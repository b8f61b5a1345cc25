"""Is our mail working, and is it better than before?"""

from asyncio import to_thread
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.params import QueryParameter

from domain.counted import counted
from entrypoints.web.auth import READERS, audience_of
from entrypoints.web.dashboard import BasisOfPeriod, FromDay, JobId, TemplateId, ToDay, days_of
from entrypoints.web.included import Include, counts_machines
from entrypoints.web.pages.dashboard_chart import POINTS, Charted, chart, drawn
from entrypoints.web.pages.frame import framed
from entrypoints.web.pages.page_openapi import page_operation
from entrypoints.web.pages.room import as_many_as_fit, room_for_lists, written_bytes
from entrypoints.web.pages.tables import TableFormat, table_file
from entrypoints.web.pages.visitors import PageRequest
from entrypoints.web.pages.words import shortened
from entrypoints.web.pages.zones import zone_of
from entrypoints.web.problems import InvalidRequestError
from entrypoints.web.services import Services
from read_models.dashboard.dashboard import (
    Basis,
    Counting,
    Dashboard,
    Mailing,
    Point,
    TemplateFigures,
    Tile,
    dashboard_of,
)
from read_models.dashboard.queries import Choice, Choices, DashboardFilter
from read_models.metrics.metrics import EngagementMetrics

Zone = Annotated[str, QueryParameter(name="tz")]
Text = Annotated[str | None, QueryParameter()]
NAMES: Final = {
    "open_rate": "Open rate",
    "click_rate": "Click rate",
    "click_to_open_rate": "Click-to-open rate",
    "reply_rate": "Reply rate",
    "bounce_rate": "Bounce rate",
}
HAPPENED: Final = {
    None: "were opened and clicked",
    "open_rate": "were opened",
    "click_rate": "were clicked",
    "click_to_open_rate": "were clicked",
    "reply_rate": "were answered",
    "bounce_rate": "came back",
}
Table = Literal["series", "emails", "templates"]
OPTION_BYTES, ROW_BYTES = 40, 280
"""Of an option of a list and of a row of the templates, beside what they say."""
ROOM_OF_A_LIST, ROOM_OF_TEMPLATES = 0.3, 0.4
"""Shares of the room for lists."""
ENDINGS: Final = {Basis.COHORT: "", Basis.ACTIVITY: "-activity"}
"""Of the names of files, which say what was counted."""


class ShownTile(msgspec.Struct, frozen=True, kw_only=True):
    """A tile with its words.

    Attributes:
        basis: What was measured.
        better: Whether the change is for the better; ``None`` where nothing changed or nothing is known.
    """

    key: str
    name: str
    tile: Tile
    basis: str
    better: bool | None


@get(
    "/",
    opt=READERS,
    operation_class=page_operation("The dashboard", title="Dashboard", is_of_one=False),
)
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
    basis: BasisOfPeriod = Basis.COHORT,
    include: Include = None,
    as_file: TableFormat = None,
    table: Annotated[Table, QueryParameter()] = "series",
    tile: Annotated[Charted | None, QueryParameter()] = None,
) -> Response[Any]:
    """Show a period beside the one before it (UI-1). Empty fields of the form ask for everything.

    The chart is that of a tile; opens and clicks where none is chosen.
    """
    audience = audience_of(request.user.access)
    now = services.clock()
    days = days_of(start or None, end or None, tz or zone_of(request), now)
    wanted = DashboardFilter(job_id=job_id or None, campaign_id=_campaign(campaign_id), template_id=template_id or None)
    counting = Counting(basis=basis, with_automated=counts_machines(include), may_be_coarse=True)
    dashboard = dashboard_of(days, await services.dashboard.sums(audience, days, wanted, counting), counting)
    if as_file:
        return _file(dashboard, table)
    kept = {"from": days.first, "to": days.last, "tz": days.zone, **_chosen(wanted), **_chosen_counting(counting)}
    kept |= {"tile": tile} if tile else {}

    def path_with(**more: object) -> str:
        return f"/?{urlencode({**kept, **more})}"

    room = room_for_lists(points=len(dashboard.series), address=request.url.query)
    templates = as_many_as_fit(
        dashboard.templates,
        int(room * ROOM_OF_TEMPLATES),
        lambda one: ROW_BYTES + written_bytes(path_with(template_id=one.template_id) + shortened(one.name)),
    )
    return framed(
        "dashboard",
        request,
        now=now,
        dashboard=dashboard,
        tiles=_tiles(dashboard, counting),
        choices=_that_fit(await services.dashboard.choices(audience, wanted), room),
        templates=templates,
        choosing=urlencode(kept),
        wanted=wanted,
        include=include,
        is_activity=basis is Basis.ACTIVITY,
        has_figures=_has_figures(dashboard),
        times_are_kept_back=basis is Basis.ACTIVITY and await _keeps_times_back(services, audience.organization_id),
        last_received=max((await services.deliveries.last_received(audience.organization_id)).values(), default=None),
        tile=tile,
        drawn=drawn(tile),
        points=POINTS[dashboard.step],
        happened=HAPPENED[tile],
        chart=chart(dashboard, tile),
        path_with=path_with,
    )


def _that_fit(choices: Choices, room: int) -> Choices:
    """Give the choices that a page has room for, by name."""
    jobs, templates = (_fitting(those, int(room * ROOM_OF_A_LIST)) for those in (choices.jobs, choices.templates))
    return Choices(
        jobs=jobs,
        templates=templates,
        more_jobs=choices.more_jobs or len(jobs) < len(choices.jobs),
        more_templates=choices.more_templates or len(templates) < len(choices.templates),
    )


def _fitting(choices: Sequence[Choice], room: int) -> list[Choice]:
    fitting = as_many_as_fit(
        choices, room, lambda one: OPTION_BYTES + written_bytes(one.id) + written_bytes(shortened(one.name))
    )
    return sorted(fitting, key=lambda one: (one.name.casefold(), one.id))


def _has_figures(dashboard: Dashboard) -> bool:
    totals = dashboard.totals
    if dashboard.basis is Basis.COHORT:
        return totals.sent > 0
    return any(msgspec.structs.astuple(totals))


async def _keeps_times_back(services: Services, organization_id: UUID) -> bool:
    return (await to_thread(services.tracking_policies.of, organization_id)).privacy_mode


def _file(dashboard: Dashboard, table: Table) -> Response[Any]:
    lists: dict[Table, tuple[type[msgspec.Struct], list[Any]]] = {
        "series": (Point, dashboard.series),
        "emails": (Mailing, dashboard.top_emails),
        "templates": (TemplateFigures, dashboard.templates),
    }
    columns, rows = lists[table]
    return table_file(
        f"{table}-{dashboard.period.first}-{dashboard.period.last}{ENDINGS[dashboard.basis]}",
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


def _chosen_counting(counting: Counting) -> dict[str, str]:
    """Give what differs from how emails are usually counted, as parameters of an address."""
    return {
        **({"basis": counting.basis.value} if counting.basis is not Basis.COHORT else {}),
        **({"include": "automated"} if counting.with_automated else {}),
    }


def _tiles(dashboard: Dashboard, counting: Counting) -> list[ShownTile]:
    totals, tiles = dashboard.totals, dashboard.tiles
    if counting.basis is Basis.ACTIVITY:
        sent = f", {totals.sent:,} sent"
        words = {
            "open_rate": f"{counted(totals.opened, 'email')} opened{sent}",
            "click_rate": f"{counted(totals.clicked, 'email')} clicked{sent}",
            "click_to_open_rate": f"{totals.clicked:,} of {counted(totals.opened, 'opened email')}",
            "reply_rate": f"{counted(totals.replied, 'email')} answered{sent}",
            "bounce_rate": f"{counted(totals.bounced, 'email')} bounced{sent}",
        }
    else:
        sent = f" of {counted(totals.sent, 'tracked email')}"
        words = {
            "open_rate": f"{totals.opened:,}{sent}",
            "click_rate": f"{totals.clicked:,}{sent}",
            "click_to_open_rate": f"{totals.clicked:,} of {counted(totals.opened, 'opened email')}",
            "reply_rate": f"{totals.replied:,}{sent}",
            "bounce_rate": f"{totals.bounced:,}{sent}",
        }
    words["open_rate"] += _machine_opens(totals, counting)
    return [
        ShownTile(
            key=key,
            name=NAMES[key],
            tile=tile,
            basis=words[key],
            better=_better(tile, -1 if key == "bounce_rate" else 1),
        )
        for key, tile in tiles.items()
    ]


def _machine_opens(totals: EngagementMetrics, counting: Counting) -> str:
    if not totals.machine_opens:
        return ""
    opens = counted(totals.machine_opens, "automatic open")
    return f", {opens} {'counted too' if counting.with_automated else 'left out'}"


def _better(tile: Tile, more_is_better: int) -> bool | None:
    return None if not tile.change or not round(tile.change, 1) else tile.change * more_is_better > 0


DASHBOARD_PAGES: Final[list[Any]] = [show_dashboard_page]

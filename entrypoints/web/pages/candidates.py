"""Whom to call now, and on what grounds."""

from asyncio import to_thread
from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from application.ports.access_tokens import Role
from application.tracking_consents import ConsentView
from domain.policies.scoring import HIGHEST_SCORE, HOT_FROM, WARM_FROM, Level, score_candidate
from entrypoints.web.auth import READERS, audience_of
from entrypoints.web.included import Include, counts_machines
from entrypoints.web.pages.frame import framed, here_with, next_path
from entrypoints.web.pages.page_openapi import page_operation
from entrypoints.web.pages.tables import TableFormat, table_file
from entrypoints.web.pages.visitors import PageRequest
from entrypoints.web.pages.words import local
from entrypoints.web.pages.zones import zone_of
from entrypoints.web.paging import Cursor, page
from entrypoints.web.problems import UnknownThingError
from entrypoints.web.services import Services
from read_models.candidates.queries import (
    NO_GROUNDS,
    Activity,
    CandidateRanking,
    CandidateRecord,
    CandidateScore,
    Grounds,
    LevelCounts,
    scored,
)

ROWS: Final = 50
COLUMNS: Final = (
    "candidate_id", "name", "score", "level", "level_reason", "emails_sent", "emails_opened", "emails_clicked",
    "emails_replied", "last_engaged_at",
)  # fmt: skip
GROUNDS_COLUMNS: Final = Grounds.__struct_fields__
LEVELS_ARE: Final = {
    Level.HOT: f"A score of {HOT_FROM} or more makes a candidate hot, unless an email came back or they unsubscribed.",
    Level.WARM: f"A score of {WARM_FROM} or more makes a candidate warm, and one of {HOT_FROM} or more hot.",
    Level.COLD: f"A score below {WARM_FROM} makes a candidate cold.",
}
ACTIVITY_COLUMNS: Final = ("event_type", "occurred_at", "email_id", "subject", "url")


class Tab(msgspec.Struct, frozen=True, kw_only=True):
    """A level filter with the number of candidates behind it."""

    name: str
    path: str
    count: int
    is_open: bool


@get("/candidates", opt=READERS, include_in_schema=False)
async def show_candidates(
    request: PageRequest,
    services: Services,
    *,
    level: Annotated[Level | None, QueryParameter()] = None,
    include: Include = None,
    as_file: TableFormat = None,
    cursor: Cursor = None,
) -> Response[Any]:
    """Rank candidates, the highest score first (AF-2)."""
    now = services.clock()
    audience = audience_of(request.user.access)
    ranking = await services.candidates.ranking(
        audience, level, page(ROWS, cursor), now, with_automated=counts_machines(include)
    )
    known = await services.candidates.grounds(audience, [one.candidate_id for one in ranking.items], now)
    rows = [(one, known.get(one.candidate_id, NO_GROUNDS)) for one in ranking.items]
    if as_file:
        return table_file("candidates", (*COLUMNS, *GROUNDS_COLUMNS), [_row(*row) for row in rows])
    return framed(
        "candidates",
        request,
        now=now,
        rows=rows,
        tabs=_tabs(request, ranking, level),
        level=level,
        why_empty=_why_empty(ranking.levels, level),
        include=include,
        is_first=cursor is None,
        next_path=next_path(request, ranking.next_cursor),
    )


@get(
    "/candidates/{candidate_id:str}",
    opt=READERS,
    operation_class=page_operation("How interested a candidate is", title="John Smith"),
)
async def show_candidate(
    request: PageRequest,
    services: Services,
    candidate_id: FromPath[str],
    *,
    include: Include = None,
    as_file: TableFormat = None,
) -> Response[Any]:
    """Show how interested a candidate is, and on what grounds (UI-2)."""
    now = services.clock()
    record = await services.candidates.record(audience_of(request.user.access), candidate_id, now)
    if record is None:
        raise UnknownThingError("there is no such candidate")
    if as_file:
        rows = [[getattr(one, name) for name in ACTIVITY_COLUMNS] for one in record.recent_activity]
        return table_file("activity", ACTIVITY_COLUMNS, rows)
    score = scored(record, score_candidate(record.activity, now), with_automated=counts_machines(include))
    return framed(
        "candidate",
        request,
        now=now,
        candidate=score,
        highest=HIGHEST_SCORE,
        include=include,
        consent=await _consent(request, services, record),
        days=_by_day(record.recent_activity, zone_of(request)),
    )


async def _consent(request: PageRequest, services: Services, record: CandidateRecord) -> ConsentView | None:
    """Tell what the person said about being tracked; not to a hiring manager, nor of somebody who was erased."""
    access = request.user.access
    if access.role is Role.HIRING_MANAGER or not record.address:
        return None
    return await to_thread(services.tracking_consents.of, access.organization_id, record.address)


def _row(score: CandidateScore, grounds: Grounds) -> list[object]:
    return [getattr(score, name) for name in COLUMNS] + [getattr(grounds, name) for name in GROUNDS_COLUMNS]


def _why_empty(counts: LevelCounts, level: Level | None) -> str:
    """Say why nobody has this badge; "" where there is nobody at all."""
    if level is None or not _everybody(counts):
        return ""
    if counts.unmeasured == _everybody(counts):
        return "Nobody was sent a tracked email in the last 90 days, so nobody has a score."
    return LEVELS_ARE[level]


def _everybody(counts: LevelCounts) -> int:
    return counts.hot + counts.warm + counts.cold + counts.unmeasured


def _tabs(request: PageRequest, ranking: CandidateRanking, level: Level | None) -> list[Tab]:
    counts = ranking.levels
    return [
        Tab(
            name="All",
            path=here_with(request, level=None, cursor=None),
            count=_everybody(counts),
            is_open=level is None,
        ),
        *(
            Tab(
                name=one.value.capitalize(),
                path=here_with(request, level=one.value, cursor=None),
                count=getattr(counts, one.value),
                is_open=level is one,
            )
            for one in Level
        ),
    ]


def _by_day(activities: Sequence[Activity], zone: str) -> list[tuple[date, list[Activity]]]:
    days = groupby(activities, key=lambda done: local(done.occurred_at, zone).date())
    return [(day, list(of_day)) for day, of_day in days]


CANDIDATE_PAGES: Final[list[Any]] = [show_candidates, show_candidate]

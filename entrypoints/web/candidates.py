"""Candidates by their engagement, how one candidate's engagement shows, and which links they follow."""

from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from litestar import get
from litestar.params import FromPath, QueryParameter

from domain.policies.scoring import Level, score_candidate
from entrypoints.web import examples
from entrypoints.web.auth import READERS, ApiRequest, audience_of
from entrypoints.web.included import Include, counts_machines
from entrypoints.web.metrics import Grouping
from entrypoints.web.operations import described
from entrypoints.web.paging import USUAL_PAGE, Cursor, Limit, page
from entrypoints.web.problems import UnknownThingError
from entrypoints.web.services import Services
from read_models.candidates.queries import CandidateEngagement, CandidateRanking, scored
from read_models.metrics.queries import CandidateLinkClicks, LinkGrouping
from read_models.paging import Page

TAGS: Final = ["candidates"]
AS_IF_PEOPLE: Final = (
    "`include=automated` counts emails opened and clicked, and their percentages, as if machines were people; score, "
    "badge and recent activity stay those of people."
)


@get(
    "/candidates",
    opt=READERS,
    tags=TAGS,
    summary="Rank candidates by score, the highest first",
    description=(
        "`levels` counts the candidates of the whole list by badge. Scores are at most an hour old. " + AS_IF_PEOPLE
    ),
    operation_class=described(
        answers={
            **examples.a_list_of(examples.CANDIDATE),
            "levels": {"hot": 3, "warm": 12, "cold": 40, "unmeasured": 2},
        },
        problems=(HTTPStatus.UNPROCESSABLE_ENTITY,),
    ),
)
async def list_candidates(
    request: ApiRequest,
    services: Services,
    *,
    level: Annotated[Level | None, QueryParameter(description="Only candidates with this badge.")] = None,
    include: Include = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> CandidateRanking:
    """See `CandidateQueries.ranking`."""
    return await services.candidates.ranking(
        audience_of(request.user),
        level,
        page(limit, cursor),
        services.clock(),
        with_automated=counts_machines(include),
    )


@get(
    "/candidates/{candidate_id:str}/engagement",
    opt=READERS,
    tags=TAGS,
    summary="Show a candidate's score, statistics and recent activity",
    description="Score and statistics are of this moment, over tracked emails of the last 90 days. " + AS_IF_PEOPLE,
    operation_class=described(
        answers={**examples.CANDIDATE, "recent_activity": [examples.ACTIVITY]},
        problems=(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY),
    ),
)
async def show_candidate_engagement(
    request: ApiRequest, services: Services, candidate_id: FromPath[str], *, include: Include = None
) -> CandidateEngagement:
    """See `CandidateQueries.record`."""
    now = services.clock()
    record = await services.candidates.record(audience_of(request.user), candidate_id, now)
    if record is None:
        raise UnknownThingError("there is no such candidate")
    score = scored(record, score_candidate(record.activity, now), with_automated=counts_machines(include))
    return CandidateEngagement(**msgspec.structs.asdict(score), recent_activity=record.recent_activity)


@get(
    "/candidates/{candidate_id:str}/links",
    opt=READERS,
    tags=TAGS,
    summary="Show which links a candidate follows",
    description=(
        "Over all their emails, the most clicked first; by URL and position, or with `group_by=url` by URL alone, "
        "`link_position` and `link_text` being `null` then. Clicks are of people; `scanner_click_count` is apart. "
        "`unique_clicks` counts the emails in which they followed it. `include=automated` counts both, and lists links "
        "that only machines followed. What was followed in privacy mode only is left out."
    ),
    operation_class=described(
        answers=examples.a_list_of(examples.CANDIDATE_LINK_CLICKS),
        problems=(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY),
    ),
)
async def list_candidate_links(
    request: ApiRequest,
    services: Services,
    candidate_id: FromPath[str],
    *,
    group_by: Grouping = LinkGrouping.POSITION,
    include: Include = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Page[CandidateLinkClicks]:
    """See `MetricsQueries.candidate_links`."""
    links = await services.metrics.candidate_links(
        audience_of(request.user),
        candidate_id,
        group_by,
        page(limit, cursor),
        with_automated=counts_machines(include),
    )
    if links is None:
        raise UnknownThingError("there is no such candidate")
    return links


CANDIDATE_HANDLERS: Final[list[Any]] = [list_candidates, show_candidate_engagement, list_candidate_links]

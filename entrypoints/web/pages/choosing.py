"""Choosing the job or template that a dashboard is of, where its own lists have no room for all of them."""

from typing import Annotated, Any, Final
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import QueryParameter

from entrypoints.web.auth import READERS, audience_of
from entrypoints.web.pages.frame import framed, next_path
from entrypoints.web.pages.room import as_many_as_fit, room_for_choices, written_bytes
from entrypoints.web.pages.visitors import PageRequest
from entrypoints.web.pages.words import shortened
from entrypoints.web.paging import Cursor, page
from entrypoints.web.services import Services
from read_models.dashboard.queries import Choice, FilterBy

ROWS: Final = 40
ROW_BYTES: Final = 80
STATE: Final = ("from", "to", "tz", "job_id", "campaign_id", "template_id", "basis", "include", "tile")
"""What the address of a dashboard says, which choosing leaves as it is but for one of them."""
Words = Annotated[str, QueryParameter(name="q")]


@get("/jobs", opt=READERS, include_in_schema=False)
async def show_jobs(
    request: PageRequest, services: Services, *, words: Words = "", cursor: Cursor = None
) -> Response[str]:
    """List the jobs that there are emails about, by title."""
    return await _listed(request, services, FilterBy.JOB, words.strip(), cursor)


@get("/templates", opt=READERS, include_in_schema=False)
async def show_templates(
    request: PageRequest, services: Services, *, words: Words = "", cursor: Cursor = None
) -> Response[str]:
    """List the templates that emails are written with, by name."""
    return await _listed(request, services, FilterBy.TEMPLATE, words.strip(), cursor)


async def _listed(
    request: PageRequest, services: Services, by: FilterBy, words: str, cursor: str | None
) -> Response[str]:
    kept = {name: value for name in STATE if (value := request.query_params.get(name))}
    parameter = f"{by.value}_id"

    def path_of(id_: str) -> str:
        return f"/?{urlencode({**kept, parameter: id_})}"

    def bytes_of(one: Choice) -> int:
        return ROW_BYTES + written_bytes(path_of(one.id) + shortened(one.name) + one.id)

    audience = audience_of(request.user.access)
    choices = await services.dashboard.choices_named(audience, by, words, page(ROWS, cursor))
    fitting = as_many_as_fit(choices.items, room_for_choices(request.url.query), bytes_of)
    if len(fitting) < len(choices.items):
        choices = await services.dashboard.choices_named(audience, by, words, page(len(fitting), cursor))
    return framed(
        "choosing",
        request,
        now=services.clock(),
        what=by.value,
        words=words,
        kept=kept,
        chosen=kept.get(parameter),
        choices=choices.items,
        dashboard_path=f"/?{urlencode(kept)}",
        path_to_all=f"/?{urlencode({name: value for name, value in kept.items() if name != parameter})}",
        path_of=path_of,
        is_first=cursor is None,
        next_path=next_path(request, choices.next_cursor),
    )


CHOOSING_PAGES: Final[list[Any]] = [show_jobs, show_templates]

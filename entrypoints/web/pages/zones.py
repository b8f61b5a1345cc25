"""The time zone that a visitor reads times in: a cookie that their browser or they themselves set."""

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

from litestar import Request, post
from litestar.response import Redirect

from entrypoints.web.auth import READERS
from entrypoints.web.pages.form_bodies import form_of
from entrypoints.web.pages.sign_in import own_path
from entrypoints.web.pages.visitors import PageRequest
from entrypoints.web.periods import check_zone
from entrypoints.web.problems import InvalidRequestError
from entrypoints.web.services import Services

ZONE_COOKIE: Final = "mailpulse_zone"
USUAL_ZONE: Final = "UTC"
A_YEAR: Final = 365 * 24 * 3600


def zone_of(request: Request[Any, Any, Any]) -> str:
    """Give the name of a visitor's zone; what their browser sends but we do not know is UTC."""
    name = unquote(request.cookies.get(ZONE_COOKIE, USUAL_ZONE))
    try:
        check_zone(name)
    except InvalidRequestError:
        return USUAL_ZONE
    return name


@post("/zone", opt=READERS, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
async def choose_zone(request: PageRequest, services: Services) -> Redirect:
    """Keep the zone that a visitor chose, and lead back to where they were."""
    form = await form_of(request)
    name, back = (value if isinstance(value, str) else "" for value in (form.get("zone"), form.get("next")))
    check_zone(name)
    return Redirect(own_path(back), status_code=303, cookies=[services.cookie.beside(ZONE_COOKIE, name, A_YEAR)])


ZONE_PAGES: Final[list[Any]] = [choose_zone]

"""Signing in by a link that opens once, and out again."""

import re
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final

from litestar import Request, Response, get, post
from litestar.params import QueryParameter
from litestar.response import Redirect

from application.access import SIGN_IN_LINK_LIFETIME
from application.authenticate import InvalidTokenError
from entrypoints.web.auth import READERS
from entrypoints.web.pages.form_bodies import form_of
from entrypoints.web.pages.rendering import page
from entrypoints.web.pages.visitors import PageRequest, refuse_foreign_form
from entrypoints.web.services import Services

HOME: Final = "/"
OWN_PATH: Final = re.compile(r"/(?![/\\])[^\x00-\x20\\\x7f]*")
"""A path of ours: ``//host`` and what browsers read as that are not."""

AnyoneRequest = Request[None, Any, Any]
Text = Annotated[str, QueryParameter()]


@get("/login", include_in_schema=False)
async def show_sign_in(code: Text = "", next_: Annotated[str, QueryParameter(name="next")] = HOME) -> Response[str]:
    """Show the button that uses the link up; looking at it does not, for mail scanners and chats look at links too."""
    return page("sign_in", code=code, next=own_path(next_), hours=SIGN_IN_LINK_LIFETIME // timedelta(hours=1))


@post("/login", include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
async def sign_in(request: AnyoneRequest, services: Services) -> Response[Any]:
    """Use the link up and begin a session."""
    refuse_foreign_form(request)
    form = await form_of(request)
    code, next_ = (value if isinstance(value, str) else "" for value in (form.get("code"), form.get("next")))
    try:
        signed_in = await services.sign_in(code)
    except InvalidTokenError as error:
        return page("sign_in_failed", status=HTTPStatus.UNAUTHORIZED, reason=str(error))
    return Redirect(own_path(next_), status_code=303, cookies=[services.cookie.carrying(signed_in.token)])


@post("/logout", include_in_schema=False, opt=READERS, status_code=HTTPStatus.SEE_OTHER)
async def sign_out(request: PageRequest, services: Services) -> Redirect:
    """End the session."""
    await services.sign_in.sign_out(request.user.access)
    return Redirect("/login", status_code=303, cookies=[services.cookie.gone()])


def own_path(path: str) -> str:
    """Give the path if it is one of this site, else the first page: signing in leads nobody elsewhere."""
    return path if OWN_PATH.fullmatch(path) else HOME

"""Errors of the pages, in words for people: what is wrong, and what to do."""

import logging
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Request, Response
from litestar.exceptions import HTTPException, NotFoundException
from litestar.response import Redirect
from litestar.types import ExceptionHandlersMap

from domain.errors import MailpulseError
from entrypoints.web.operations import JSON
from entrypoints.web.pages.rendering import page
from entrypoints.web.pages.visitors import SAFE_METHODS, SignInNeededError
from entrypoints.web.problems import INSIDE, answer_framework_error, parameters_of, status_of

logger = logging.getLogger(__name__)

TITLES: Final = {
    HTTPStatus.NOT_FOUND: "Nothing here",
    HTTPStatus.CONFLICT: "Not as it was",
    HTTPStatus.FORBIDDEN: "Not for you",
    HTTPStatus.UNPROCESSABLE_ENTITY: "That does not work",
    HTTPStatus.TOO_MANY_REQUESTS: "Too often",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not right now",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong",
}
"""What happened, in words for people; of others the status is called as in HTTP."""
ADVICE: Final = {
    HTTPStatus.NOT_FOUND: "The link may be old, or it leads to something you may not see.",
    HTTPStatus.CONFLICT: "Go back and load the page again to see how it is now.",
    HTTPStatus.FORBIDDEN: "Ask an administrator of your organisation if you need it.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Try again in a few seconds; nothing was lost.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Try again; if it stays, give the request id to whoever runs this service.",
}


def lead_to_sign_in(request: Request[Any, Any, Any], _: SignInNeededError) -> Response[Any]:
    """Lead to signing in and back again; a form that was sent meanwhile has to be sent again."""
    if request.method in SAFE_METHODS:
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return Redirect(f"/login?{urlencode({'next': here})}", status_code=303)
    return page("sign_in_failed", status=HTTPStatus.UNAUTHORIZED, reason="your session has ended")


def show_known_error(request: Request[Any, Any, Any], error: MailpulseError) -> Response[Any]:
    """Show an error that Mailpulse raised on purpose."""
    status = status_of(error)
    if status is None:
        return show_unexpected_error(request, error)
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        logger.warning(
            "What a request needs is away", extra={"event": "unavailable", "code": error.code, "reason": str(error)}
        )
    return error_page(request, status, str(error))


def show_framework_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Show an error that the framework found."""
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        return show_unexpected_error(request, error)
    wrong = [f"{problem.field}: {problem.detail}" for problem in parameters_of(error)]
    if wrong:
        return error_page(request, HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(wrong))
    return error_page(request, status, error.detail)


def show_unknown_address(request: Request[Any, Any, Any], error: NotFoundException) -> Response[Any]:
    """Show a person a page where no route matches; a program gets its problem."""
    if request.url.path.startswith("/api/") or request.accept.best_match([JSON, "text/html"]) != "text/html":
        return answer_framework_error(request, error)
    return error_page(request, HTTPStatus.NOT_FOUND, "there is no such page")


def show_unexpected_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Show that a mistake of ours happened; the logs say which, the page does not."""
    logger.error("A request failed", exc_info=error, extra={"event": "request_failed"})
    return error_page(request, HTTPStatus.INTERNAL_SERVER_ERROR, "")


def error_page(request: Request[Any, Any, Any], status: HTTPStatus, detail: str) -> Response[Any]:
    """Give the page of an error."""
    return page(
        "error",
        status=status,
        title=TITLES.get(status, status.phrase),
        detail=INSIDE.get(status, detail),
        advice=ADVICE.get(status, "Go back and try again."),
        request_id=request.scope["state"].get("request_id", ""),
    )


PAGE_EXCEPTION_HANDLERS: Final[ExceptionHandlersMap] = {
    SignInNeededError: lead_to_sign_in,
    MailpulseError: show_known_error,
    HTTPException: show_framework_error,
    Exception: show_unexpected_error,
}

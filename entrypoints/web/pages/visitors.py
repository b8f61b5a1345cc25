"""Who looks at a page: the session in a cookie, and proof that a form was ours."""

from hmac import compare_digest, digest
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler

from application.authenticate import InvalidTokenError
from application.ports.access_tokens import AccessToken, TokenKind
from domain.errors import ApplicationError
from entrypoints.web.auth import audience_of, roles_for
from entrypoints.web.pages.form_bodies import form_of
from entrypoints.web.problems import ForbiddenError
from entrypoints.web.services import WebServices
from read_models.notifications.queries import Bell

SESSIONS: Final = frozenset({TokenKind.SESSION})
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITES: Final = frozenset({"same-origin", "none"})
CSRF_FIELD: Final = "csrf"


class SignInNeededError(ApplicationError):
    """A page that is shown to nobody in particular."""

    code = "sign_in_needed"


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """A person with a session.

    Attributes:
        csrf: What their forms must bring back; derived from the session, so nothing is kept.
    """

    access: AccessToken
    csrf: str
    bell: Bell


PageRequest = Request[Visitor, Any, State]


async def admit_visitor(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let a person pass to a page, as ``request.user``; a form only if it is one of ours.

    Raises:
        SignInNeededError: No session, or one that has ended.
        ForbiddenError: The page is for other roles, or the form was sent from elsewhere.
        StoreUnavailableError: It cannot be told now.

    Source:
        ROLE; TRUST.md, Web: CSRF on every state-changing page route.
    """
    services: WebServices = connection.app.state.services
    token = connection.cookies.get(services.cookie.name, "")
    try:
        access = await services.authenticate(token, SESSIONS)
    except InvalidTokenError as error:
        raise SignInNeededError("sign in to see this page") from error
    if access.role not in roles_for(connection, handler):
        raise ForbiddenError(f"this page is not for the role {access.role.value.replace('_', ' ')}")
    csrf = digest(token.encode(), b"mailpulse csrf", "sha256").hex()
    if isinstance(connection, Request) and connection.method not in SAFE_METHODS:
        refuse_foreign_form(connection)
        sent = (await form_of(connection)).get(CSRF_FIELD, "")
        if not isinstance(sent, str) or not compare_digest(sent.encode(), csrf.encode()):
            raise ForbiddenError("the form is too old or was not sent from this page: load the page again")
    bell = await services.notifications.bell(audience_of(access), access.user_id or "")
    connection.scope["user"] = Visitor(access=access, csrf=csrf, bell=bell)


def refuse_foreign_form(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Refuse a form that the browser says was sent from another site.

    Raises:
        ForbiddenError: It was.
    """
    if connection.headers.get("sec-fetch-site", "none") not in OWN_SITES:
        raise ForbiddenError("the form was sent from another site")

"""Who calls, and whether their role allows it. Every route of the API says for whom it is, or answers nobody."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler

from application.authenticate import InvalidTokenError
from application.ports.access_tokens import AccessToken, Role
from entrypoints.web.problems import ForbiddenError, InvalidRequestError, UnknownThingError
from entrypoints.web.services import WebServices
from read_models.audience import Audience

ApiRequest = Request[AccessToken, Any, State]

READERS: Final = {"roles": frozenset(Role)}
"""For everyone in the organisation; a hiring manager sees what their jobs allow."""
RECRUITERS: Final = {"roles": frozenset({Role.RECRUITER, Role.ADMIN})}
ADMINS: Final = {"roles": frozenset({Role.ADMIN})}
OPERATOR: Final = {"roles": frozenset[Role](), "operator": True}
"""For whoever runs the installation."""


async def admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let a request pass to its handler, with the caller as ``request.user``.

    Raises:
        InvalidTokenError: 401, before anything else about the request is looked at.
        ForbiddenError: The handler is for other roles.
        StoreUnavailableError: It cannot be told now.

    Source:
        ROLE.
    """
    services: WebServices = connection.app.state.services
    token = bearer_token(connection.headers)
    if handler.opt.get("operator") and services.is_operator(token):
        return
    caller = await services.authenticate(token)
    if caller.role not in roles_for(connection, handler):
        raise ForbiddenError(f"the role {caller.role} does not allow this")
    connection.scope["user"] = caller


def roles_for(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> frozenset[Role]:
    """Give who may pass to a handler: to the framework's own for OPTIONS, which names a route's methods, everybody."""
    roles: frozenset[Role] = READERS["roles"] if connection.scope.get("method") == "OPTIONS" else handler.opt["roles"]
    return roles


def refuse_unstorable_text(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Refuse text that can be in no row, so that no query has to: NUL, and what is no Unicode.

    Raises:
        UnknownThingError: In the path: nothing has such an id.
        InvalidRequestError: In a query parameter.
    """
    if not all(_is_storable(value) for value in connection.path_params.values()):
        raise UnknownThingError("nothing has such an id")
    for name, value in connection.query_params.multi_items():
        if not _is_storable(value):
            raise InvalidRequestError(name.encode("ascii", "replace").decode()[:100], "holds a NUL character")


def bearer_token(headers: Mapping[str, str]) -> str:
    """Give the token of an Authorization header.

    Raises:
        InvalidTokenError: There is none.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise InvalidTokenError("send the header Authorization: Bearer <api key or user token>")
    return token.strip()


def audience_of(caller: AccessToken) -> Audience:
    """Give whose emails a caller sees."""
    hiring_manager_id = (caller.user_id or "") if caller.role is Role.HIRING_MANAGER else None
    return Audience(organization_id=caller.organization_id, hiring_manager_id=hiring_manager_id)


def _is_storable(value: object) -> bool:
    if not isinstance(value, str):
        return True
    return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)

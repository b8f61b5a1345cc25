"""The stream of a person's notifications, for browsers and for programs."""

import re
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from litestar import Router, get
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, QueryParameter

from entrypoints.web import examples
from entrypoints.web.auth import READERS, ApiRequest, admit, audience_of, refuse_unstorable_text
from entrypoints.web.live.event_stream import EVENT_STREAM, EventStream
from entrypoints.web.operations import described
from entrypoints.web.pages.visitors import SESSIONS, refuse_foreign_form
from entrypoints.web.problems import ForbiddenError, InvalidRequestError
from entrypoints.web.services import Services, WebServices

NUMBER: Final = re.compile(r"[0-9]{1,18}")

LastEventId = Annotated[
    str | None,
    HeaderParameter(name="Last-Event-ID", description="`id` of the last event that came: tells what came since."),
]
After = Annotated[
    str | None, QueryParameter(description="Like `Last-Event-ID`, for a first connection; the header goes first.")
]


async def admit_reader(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let whoever holds a token pass, and a browser with a session: its EventSource cannot send a token.

    Raises:
        InvalidTokenError: 401.
        ForbiddenError: A page of another site asks, or the token is nobody's.
        StoreUnavailableError: It cannot be told now.
    """
    services: WebServices = connection.app.state.services
    session = connection.cookies.get(services.cookie.name, "")
    if session and "authorization" not in connection.headers:
        refuse_foreign_form(connection)
        connection.scope["user"] = await services.authenticate(session, SESSIONS)
    else:
        await admit(connection, handler)
    if not connection.user.user_id:
        raise ForbiddenError("notifications are for people: use the token of a user, not an API key")


@get(
    "/stream",
    opt=READERS,
    tags=["notifications"],
    summary="Be told at once",
    description=(
        "Server-sent events of type `notification`, each with one notification as its data. After a broken connection, "
        "send the last `id` as `Last-Event-ID`: what came meanwhile comes first, nothing twice. A comment comes every "
        "15 seconds when nothing else does. The stream ends within 5 seconds when its token is revoked. Browsers that "
        "are signed in need no token."
    ),
    operation_class=described(
        answers=f"id: 558\nevent: notification\ndata: {msgspec.json.encode(examples.NOTIFICATION).decode()}\n\n",
        problems=(HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.TOO_MANY_REQUESTS),
    ),
    responses={200: ResponseSpec(data_container=str, media_type=EVENT_STREAM, description="Events, until you leave")},
)
async def stream_notifications(
    request: ApiRequest, services: Services, *, last_event_id: LastEventId = None, after: After = None
) -> EventStream:
    """See `OpenStreams.reader`."""
    told_until = _number("Last-Event-ID", last_event_id)
    if told_until is None:
        told_until = _number("after", after)
    streams = services.streams
    return EventStream(streams, streams.reader(request.user, audience_of(request.user), told_until))


def _number(name: str, text: str | None) -> int | None:
    if not text:
        return None
    if not NUMBER.fullmatch(text):
        raise InvalidRequestError(name, "is no id of an event of this stream: leave it out to be told what is new")
    return int(text)


def stream_routes() -> Router:
    """Give the route, with guards of its own."""
    return Router(
        "/api/v1/notifications", guards=[admit_reader, refuse_unstorable_text], route_handlers=[stream_notifications]
    )

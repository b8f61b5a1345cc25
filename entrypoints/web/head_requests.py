"""HEAD: what GET would answer, without the body (RFC 9110, 9.3.2), for monitors, load balancers and link checkers."""

import asyncio
from copy import copy
from typing import Any, Final

from litestar import Router
from litestar.enums import HttpMethod, ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.routes import BaseRoute, HTTPRoute
from litestar.types import ASGIApp, HTTPDisconnectEvent, HTTPReceiveMessage, Message, Receive, Scope, Send

_NO_BODY: Final[Message] = {"type": "http.response.body", "body": b"", "more_body": False}
_GONE: Final[HTTPDisconnectEvent] = {"type": "http.disconnect"}


class ReadingRouter(Router):
    """A router whose GET routes take HEAD too: by the same guards and handlers, and named by ``Allow``.

    Whatever must not be asked that way, such as an answer without an end, belongs to a plain router.
    """

    def register(self, value: Any) -> list[BaseRoute]:
        """Register a handler, and its twin for HEAD if it is for GET alone; only the former is in `/schema`."""
        routes = super().register(value)
        if isinstance(value, HTTPRouteHandler) and value.http_methods == {HttpMethod.GET}:
            routes = super().register(_for_head(value))
        return [self._with_all_its_options(route) if isinstance(route, HTTPRoute) else route for route in routes]

    def _with_all_its_options(self, route: HTTPRoute) -> HTTPRoute:
        """Make the route anew: Litestar's answer to OPTIONS names the methods of a path's first handler only."""
        handlers = [handler for handler in route.route_handlers if HttpMethod.OPTIONS not in handler.http_methods]
        whole = HTTPRoute(path=route.path, route_handlers=handlers)
        self.routes[self.routes.index(route)] = whole
        return whole


class BodylessHead:
    """Wraps the application: an answer to HEAD ends with its headers, and what would make its body is told to stop.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] != HttpMethod.HEAD:
            await self._app(scope, receive, send)
            return
        is_answered = False

        async def send_head(message: Message) -> None:
            nonlocal is_answered
            if message["type"] == "http.response.start":
                is_answered = True
                await send(message)
                await send(_NO_BODY)
            else:
                await asyncio.sleep(0)  # lets whoever waits for the client's leaving stop what makes the body

        async def receive_until_answered() -> HTTPReceiveMessage:
            return _GONE if is_answered else await receive()  # type: ignore[return-value]  # no websocket's message

        await self._app(scope, receive_until_answered, send_head)


def _for_head(handler: HTTPRouteHandler) -> HTTPRouteHandler:
    twin = copy(handler)
    twin.http_methods = {HttpMethod.HEAD.value}
    twin.include_in_schema = False
    return twin

"""Ids and addresses that hold a slash: one that is sent as ``%2F`` belongs to its segment and ends none."""

from typing import Any, Final
from urllib.parse import unquote

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

_STAND_IN: Final = "\ufdd0"
"""No character, by Unicode's own word, but for use within programs. UTF-8 has it: a page can link to its own path."""


class EncodedSlashesKept:
    """Wraps the application: its router sees a path that is decoded already, and would cut an address in two.

    Args:
        app: What answers; its handlers need the guard `restore_slashes`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            raw_path = scope["raw_path"].partition(b"?")[0]
            if b"%2f" in raw_path.lower():
                segments = raw_path.decode("ascii", errors="replace").split("/")
                scope["path"] = "/".join(unquote(segment).replace("/", _STAND_IN) for segment in segments)
        await self._app(scope, receive, send)


def restore_slashes(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Give handlers the parameters of the path as they were meant."""
    parameters = connection.path_params
    if any(isinstance(value, str) and _STAND_IN in value for value in parameters.values()):
        # A new one: the router keeps the old one for the next request.
        connection.scope["path_params"] = {
            name: value.replace(_STAND_IN, "/") if isinstance(value, str) else value
            for name, value in parameters.items()
        }

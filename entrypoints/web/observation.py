"""What every request leaves behind: a request id, an access log line, a measurement; and what every answer carries."""

import logging
import time
from http import HTTPStatus
from typing import Any, Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Histogram

from entrypoints.web.correlation import correlation_id
from entrypoints.web.unread_bodies import WatchedReceive

logger = logging.getLogger(__name__)

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ENDLESS: Final = frozenset({"/api/v1/notifications/stream"})
"""Routes whose answers last as long as somebody listens: that is no measure of anything."""
ROUTINE: Final = ("/webhooks/", "/t/", "/health/", "/metrics")
"""Routes whose successes are too many and too dull for the log."""
BUCKETS_S: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
DEFAULT_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
"""Given where the answer has no such header of its own."""


class Observed:
    """Wraps the whole application, so that what no route matches is observed too.

    Args:
        app: What answers.
        registry: Takes the measurements.
    """

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._durations = Histogram(
            "mailpulse_http_request_duration_seconds",
            "Time until the last byte of the answer, by route template",
            ("method", "route", "status"),
            buckets=BUCKETS_S,
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request_id = correlation_id(scope["headers"])
        scope["state"]["request_id"] = request_id
        started = time.perf_counter()
        status = 0
        body = WatchedReceive(scope, receive)

        async def observed_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                # Who was too slow has been waited for.
                if status >= HTTPStatus.BAD_REQUEST and status != HTTPStatus.REQUEST_TIMEOUT:
                    await body.discard()
                message["headers"] = _completed(message["headers"], request_id)
            await send(message)

        try:
            await self._app(scope, body, observed_send)
        finally:
            self._record(scope, status, time.perf_counter() - started)

    def _record(self, scope: HTTPScope, status: int, duration_s: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        # The template, never the path: paths hold ids and tokens. Status 0: the answer never began.
        route = scope.get("path_template") or "unmatched"
        if route not in ENDLESS or status >= HTTPStatus.BAD_REQUEST:
            self._durations.labels(method, route, str(status)).observe(duration_s)
        level = logging.DEBUG if 0 < status < 400 and route.startswith(ROUTINE) else logging.INFO  # noqa: PLR2004  errors begin at 400
        if not logger.isEnabledFor(level):
            return
        logger.log(
            level,
            "request",
            extra={
                "event": "request",
                "method": method,
                "route": route,
                "status": status,
                "duration_ms": round(duration_s * 1000, 2),
                "request_id": scope["state"]["request_id"],
            },
        )


def _completed(headers: Any, request_id: str) -> list[tuple[bytes, bytes]]:
    present = {name.lower() for name, _ in headers}
    missing = ((b"x-request-id", request_id.encode()), *DEFAULT_HEADERS)
    return [*headers, *(header for header in missing if header[0] not in present)]

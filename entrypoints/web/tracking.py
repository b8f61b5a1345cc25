"""``/t/o``, ``/t/c``, ``/t/u``: our own pixel, links and unsubscribe page, for readers who know nothing of us.

Whatever is away or broken, a reader gets an image, a page, or where the link leads; never an error of ours.
"""

import math
from base64 import b64decode
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from litestar import Request, post, route
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive

from application.ports.report_spool import ReportLostError
from application.ports.tracking_tokens import BrokenTokenError
from application.receive_engagement import ReceiveEngagement, Visit
from application.receive_webhook import BodyTooLargeError
from domain.ip import IpNetwork
from entrypoints.web.answers import Answer
from entrypoints.web.broken_tokens import BrokenTokens
from entrypoints.web.client_address import client_of
from entrypoints.web.problems import RETRY_AFTER_S
from entrypoints.web.tracking_metrics import TrackingMetrics
from entrypoints.web.tracking_openapi import (
    ASK_OPERATION,
    CLICK_OPERATION,
    OPEN_OPERATION,
    PIXEL_AS_BASE64,
    UNSUBSCRIBE_OPERATION,
)
from entrypoints.web.tracking_pages import ASK, DONE, NO_SUCH_LINK, NOT_NOW, TOO_MANY, page
from entrypoints.web.webhook_bodies import (
    BodyBudget,
    BodyTooSlowError,
    ClientGoneError,
    RequestBody,
    TooManyBodiesError,
)

GIF: Final = b64decode(PIXEL_AS_BASE64)
"""One transparent pixel."""
LONGEST_SESSION: Final = 200
MOST_FORM_BYTES: Final = 64 * 1024
_BARE: Final = ((b"cache-control", b"no-store"), (b"referrer-policy", b"no-referrer"))
_PIXEL: Final = ((b"content-type", b"image/gif"), *_BARE)
_OPEN: Final = {"exclude_from_auth": True}
_READING: Final = [HttpMethod.GET, HttpMethod.HEAD]


def tracking_handlers(
    reception: ReceiveEngagement,
    *,
    metrics: TrackingMetrics,
    broken: BrokenTokens,
    trusted_proxies: Sequence[IpNetwork] = (),
    session_cookie: str = "",
) -> list[HTTPRouteHandler]:
    """Give the handlers of readers' requests.

    Args:
        reception: The use case.
        metrics: Counts what it did.
        broken: Counts broken tokens by network.
        trusted_proxies: Peers whose X-Forwarded-For is believed.
        session_cookie: Name of the cookie of those who are signed in here: what they look at, no recipient did.
    """
    desk = _Desk(reception, metrics, broken, trusted_proxies, session_cookie)

    @route("/t/o/{token:path}", http_method=_READING, operation_class=OPEN_OPERATION, opt=_OPEN)
    async def show_pixel(request: Request[Any, Any, Any]) -> ASGIApp:
        return desk.pixel(_token_of(request), desk.visit_of(request))

    @route("/t/c/{token:path}", http_method=_READING, operation_class=CLICK_OPERATION, opt=_OPEN)
    async def follow_link(request: Request[Any, Any, Any]) -> ASGIApp:
        return desk.redirect(_token_of(request), desk.visit_of(request))

    @route("/t/u/{token:path}", http_method=_READING, operation_class=ASK_OPERATION, opt=_OPEN)
    async def ask_to_unsubscribe(request: Request[Any, Any, Any]) -> ASGIApp:
        return desk.question(_token_of(request), desk.visit_of(request))

    @post("/t/u/{token:path}", status_code=HTTPStatus.OK, operation_class=UNSUBSCRIBE_OPERATION, opt=_OPEN)
    async def unsubscribe(request: Request[Any, Any, Any]) -> ASGIApp:
        return await desk.unsubscription(_token_of(request), desk.visit_of(request), request.receive)

    @route("/t/o", http_method=_READING, opt=_OPEN, include_in_schema=False)
    async def show_pixel_of_nothing(request: Request[Any, Any, Any]) -> ASGIApp:
        return desk.pixel("", desk.visit_of(request))

    @route(["/t/c", "/t/u"], http_method=[*_READING, HttpMethod.POST], opt=_OPEN, include_in_schema=False)
    async def follow_nothing(request: Request[Any, Any, Any]) -> ASGIApp:
        return desk.redirect("", desk.visit_of(request))

    # The last two: where a mail program cut the token off.
    return [show_pixel, follow_link, ask_to_unsubscribe, unsubscribe, show_pixel_of_nothing, follow_nothing]


class _Desk:
    """Answers readers."""

    def __init__(
        self,
        reception: ReceiveEngagement,
        metrics: TrackingMetrics,
        broken: BrokenTokens,
        trusted_proxies: Sequence[IpNetwork],
        session_cookie: str,
    ) -> None:
        self._reception = reception
        self._count = metrics.count
        self._broken = broken
        self._trusted_proxies = trusted_proxies
        self._session_cookie = session_cookie
        self._budget = BodyBudget()

    def visit_of(self, request: Request[Any, Any, Any]) -> Visit:
        scope = request.scope
        return Visit(
            method=scope["method"],
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            client=client_of(scope, self._trusted_proxies),
            correlation_id=scope["state"]["request_id"],
            session=request.cookies.get(self._session_cookie, "")[:LONGEST_SESSION],
        )

    def pixel(self, token: str, visit: Visit) -> Answer:
        try:
            self._reception.open(token, visit)
            self._count("open", "kept")
        except BrokenTokenError:
            self._count("open", "limited" if self._broken.wait_s(visit.client) else "broken")
        except ReportLostError:
            self._count("open", "lost")
        return Answer(HTTPStatus.OK, _PIXEL, GIF)

    def redirect(self, token: str, visit: Visit) -> Answer:
        try:
            email, link = self._reception.target_of(token)
        except BrokenTokenError:
            return self._no_such_link("click", visit)
        try:
            self._reception.click(email, link, visit)
            self._count("click", "kept")
        except ReportLostError:
            self._count("click", "lost")
        return Answer(HTTPStatus.FOUND, [(b"location", link.url.encode("ascii")), *_BARE])

    def question(self, token: str, visit: Visit) -> Answer:
        try:
            self._reception.recipient_of(token)
        except BrokenTokenError:
            return self._no_such_link("unsubscribe", visit)
        return page(HTTPStatus.OK, ASK)

    async def unsubscription(self, token: str, visit: Visit, receive: Receive) -> Answer:
        try:
            # A form's and a mail program's words say the same: whoever has the token and posts means it.
            await RequestBody(receive, self._budget).read(MOST_FORM_BYTES)
            await self._reception.unsubscribe(token, visit)
        except BrokenTokenError:
            return self._no_such_link("unsubscribe", visit)
        except BodyTooLargeError:
            return page(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, NOT_NOW)
        except (BodyTooSlowError, ClientGoneError):
            return page(HTTPStatus.REQUEST_TIMEOUT, NOT_NOW)
        except (ReportLostError, TooManyBodiesError):
            self._count("unsubscribe", "lost")
            return page(HTTPStatus.SERVICE_UNAVAILABLE, NOT_NOW, (b"retry-after", b"%d" % RETRY_AFTER_S))
        self._count("unsubscribe", "kept")
        return page(HTTPStatus.OK, DONE)

    def _no_such_link(self, kind: str, visit: Visit) -> Answer:
        wait_s = self._broken.wait_s(visit.client)
        self._count(kind, "limited" if wait_s else "broken")
        if wait_s:
            return page(HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY, (b"retry-after", b"%d" % math.ceil(wait_s)))
        return page(HTTPStatus.NOT_FOUND, NO_SUCH_LINK)


def _token_of(request: Request[Any, Any, Any]) -> str:
    # A path, so that an escaped slash in a broken token still finds us.
    return str(request.scope["path_params"]["token"]).removeprefix("/")

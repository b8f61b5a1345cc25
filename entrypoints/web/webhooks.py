"""``POST /webhooks/{provider}/{endpoint_id}``: where mail providers report.

Any content type is taken: what is signed are the bytes, and SNS sends its JSON as ``text/plain``.
"""

import math
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Request, post, route
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from application.ports.endpoints import EndpointsUnavailableError
from application.ports.inbox_intake import DeliveryNotKeptError
from application.ports.provider import SignatureRefusedError, VerificationUnavailableError
from application.receive_webhook import (
    AddressNotAllowedError,
    BodyTooLargeError,
    IncomingWebhook,
    RateLimitedError,
    ReceiveWebhook,
    UnknownEndpointError,
)
from domain.errors import MailpulseError
from domain.ip import IpNetwork
from entrypoints.web.answers import Answer
from entrypoints.web.client_address import client_of
from entrypoints.web.problems import INSIDE, MEDIA_TYPE, RETRY_AFTER_S, STATUSES, Problem
from entrypoints.web.webhook_bodies import (
    BodyBudget,
    BodyTooSlowError,
    ClientGoneError,
    RequestBody,
    TooManyBodiesError,
)
from entrypoints.web.webhook_metrics import WebhookMetrics
from entrypoints.web.webhook_openapi import WebhookOperation

PATH: Final = "/webhooks/{provider:str}/{endpoint_id:str}"


_EXPECTED: Final = (
    AddressNotAllowedError,
    BodyTooLargeError,
    BodyTooSlowError,
    ClientGoneError,
    DeliveryNotKeptError,
    EndpointsUnavailableError,
    RateLimitedError,
    SignatureRefusedError,
    TooManyBodiesError,
    UnknownEndpointError,
    VerificationUnavailableError,
)


def webhook_handlers(
    reception: ReceiveWebhook,
    *,
    metrics: WebhookMetrics,
    trusted_proxies: Sequence[IpNetwork] = (),
    budget: BodyBudget | None = None,
) -> list[HTTPRouteHandler]:
    """Give the handlers of the webhook route.

    Args:
        reception: The use case.
        metrics: Counts what it did.
        trusted_proxies: Peers whose X-Forwarded-For is believed.
        budget: Memory for unfinished bodies; ``None``: the default.
    """
    shared_budget = budget or BodyBudget()

    @post(
        PATH,
        status_code=HTTPStatus.OK,
        summary="Receive a mail provider's reports",
        description=(
            "The 200 means that the delivery is durable, never less. The signature scheme is the provider's own; "
            "the generic provider (`email`) signs per Standard Webhooks."
        ),
        tags=["webhooks"],
        operation_id="receive_webhook",
        operation_class=WebhookOperation,
        opt={"exclude_from_auth": True},
    )
    async def receive_webhook(request: Request[Any, Any, Any]) -> ASGIApp:
        started = time.perf_counter()
        scope = request.scope
        provider = scope["path_params"]["provider"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = RequestBody(request.receive, shared_budget)
        webhook = IncomingWebhook(
            provider=provider,
            endpoint_id=scope["path_params"]["endpoint_id"],
            headers=headers,
            declared_bytes=_declared_bytes(headers),
            client=lambda: client_of(scope, trusted_proxies),
            read_body=body.read,
            correlation_id=scope["state"]["request_id"],
        )
        try:
            size = await reception.receive(webhook)
        except _EXPECTED as error:
            metrics.refused(provider, _reason(error))
            return _refusal(error, webhook.correlation_id)
        metrics.accepted(provider, size=size, took_s=time.perf_counter() - started)
        return Answer(HTTPStatus.OK)

    @route(
        PATH,
        http_method=[HttpMethod.GET, HttpMethod.HEAD, HttpMethod.PUT, HttpMethod.PATCH, HttpMethod.DELETE],
        status_code=HTTPStatus.METHOD_NOT_ALLOWED,
        include_in_schema=False,
        opt={"exclude_from_auth": True},
    )
    async def refuse_other_methods(request: Request[Any, Any, Any]) -> ASGIApp:
        metrics.refused(request.path_params["provider"], "method_not_allowed")
        return _problem(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "providers report by POST",
            request.scope["state"]["request_id"],
            (b"allow", b"POST"),
        )

    return [receive_webhook, refuse_other_methods]


def _refusal(error: MailpulseError, request_id: str) -> Answer:
    status = next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    headers = []
    if isinstance(error, RateLimitedError):
        headers.append((b"retry-after", b"%d" % math.ceil(error.retry_after_s)))
    elif status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", b"%d" % RETRY_AFTER_S))
    return _problem(status, error.code, INSIDE.get(status, str(error)), request_id, *headers)


def _problem(status: HTTPStatus, code: str, detail: str, request_id: str, *headers: tuple[bytes, bytes]) -> Answer:
    problem = Problem(
        type=f"urn:mailpulse:problem:{code}",
        title=status.phrase,
        status=status.value,
        code=code,
        detail=detail,
        request_id=request_id,
    )
    return Answer(status, [(b"content-type", MEDIA_TYPE.encode()), *headers], msgspec.json.encode(problem))


def _reason(error: MailpulseError) -> str:
    return f"signature_{error.reason}" if isinstance(error, SignatureRefusedError) else error.code


def _declared_bytes(headers: dict[str, str]) -> int | None:
    declared = headers.get("content-length", "")
    return int(declared) if declared.isdecimal() and declared.isascii() else None

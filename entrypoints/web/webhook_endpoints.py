"""Administer the addresses that mail providers report to."""

from asyncio import to_thread
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath

from application.webhook_endpoints import DEFAULT_REQUESTS_PER_MINUTE, EndpointView
from entrypoints.web import examples
from entrypoints.web.administration import BODY_PROBLEMS
from entrypoints.web.auth import ADMINS, ApiRequest
from entrypoints.web.json_bodies import read_body
from entrypoints.web.operations import described, reference_to
from entrypoints.web.services import Services
from read_models.paging import Page

TAGS: Final = ["webhook endpoints"]


class NewWebhookEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint to open; keys in the form the provider shows them, networks as CIDR."""

    provider: str
    keys: list[str] = []
    allowed_networks: list[str] = []
    requests_per_minute: int = DEFAULT_REQUESTS_PER_MINUTE
    tolerance_s: int | None = None


@get(
    "/webhook-endpoints",
    opt=ADMINS,
    tags=TAGS,
    summary="List webhook endpoints, disabled ones included",
    operation_class=described(answers=examples.a_list_of(examples.WEBHOOK_ENDPOINT)),
)
async def list_webhook_endpoints(request: ApiRequest, services: Services) -> Page[EndpointView]:
    """See `WebhookEndpoints.of_organization`."""
    endpoints = await to_thread(services.webhook_endpoints.of_organization, request.user.organization_id)
    return Page(items=endpoints)


@post(
    "/webhook-endpoints",
    opt=ADMINS,
    tags=TAGS,
    summary="Open a webhook endpoint",
    description="The provider is told to post to `path`, below the service's public address.",
    operation_class=described(
        body=reference_to(NewWebhookEndpoint),
        sends={"provider": "email", "keys": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]},
        answers=examples.WEBHOOK_ENDPOINT,
        problems=BODY_PROBLEMS,
    ),
)
async def open_webhook_endpoint(request: ApiRequest, services: Services) -> EndpointView:
    """See `WebhookEndpoints.add`."""
    asked = await read_body(request, NewWebhookEndpoint)
    return await to_thread(
        services.webhook_endpoints.add,
        request.user.organization_id,
        asked.provider,
        keys=asked.keys,
        allowed_networks=asked.allowed_networks,
        requests_per_minute=asked.requests_per_minute,
        tolerance_s=asked.tolerance_s,
    )


@delete(
    "/webhook-endpoints/{endpoint_id:uuid}",
    opt=ADMINS,
    tags=TAGS,
    summary="Close a webhook endpoint for good",
    description="It receives nothing more after 5 seconds at most; what it received stays.",
    operation_class=described(problems=(HTTPStatus.NOT_FOUND,)),
)
async def close_webhook_endpoint(request: ApiRequest, services: Services, endpoint_id: FromPath[UUID]) -> None:
    """See `WebhookEndpoints.disable`."""
    await to_thread(services.webhook_endpoints.disable, request.user.organization_id, endpoint_id)


WEBHOOK_ENDPOINT_HANDLERS: Final[list[Any]] = [
    list_webhook_endpoints,
    open_webhook_endpoint,
    close_webhook_endpoint,
]

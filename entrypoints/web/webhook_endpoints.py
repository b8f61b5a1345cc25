"""Administer the addresses that mail providers report to."""

from asyncio import to_thread
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath

from application.fingerprints import fingerprint_of
from application.ports.provider import InvalidVerificationKeyError
from application.webhook_endpoints import DEFAULT_REQUESTS_PER_MINUTE, EndpointView
from entrypoints.web import examples
from entrypoints.web.auth import ADMINS, ApiRequest
from entrypoints.web.json_bodies import BODY_PROBLEMS, read_body
from entrypoints.web.operations import described, reference_to
from entrypoints.web.problems import RefusedKeyError
from entrypoints.web.services import Services
from read_models.paging import Page

TAGS: Final = ["webhook endpoints"]
KEY: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class NewWebhookEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint to open; keys in the form the provider shows them, networks as CIDR."""

    provider: str
    keys: list[str] = []
    allowed_networks: list[str] = []
    requests_per_minute: int = DEFAULT_REQUESTS_PER_MINUTE
    tolerance_s: int | None = None


class NewVerificationKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key to accept beside the others, in the form the provider shows it."""

    key: str


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
        sends={"provider": "email", "keys": [KEY]},
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


@post(
    "/webhook-endpoints/{endpoint_id:uuid}/keys",
    opt=ADMINS,
    tags=TAGS,
    summary="Accept one more verification key",
    description=(
        "Beside the others, which stay good until they are removed, so that a key is replaced without a gap: add the "
        "new one, have the provider sign with it, remove the old one. It is good after 5 seconds at most. Adding a key "
        "again changes nothing. An endpoint that was closed takes none (409 `endpoint_closed`): open another one. No "
        "answer shows a key, only fingerprints, the oldest key's first."
    ),
    operation_class=described(
        body=reference_to(NewVerificationKey),
        sends={"key": KEY},
        answers=examples.WEBHOOK_ENDPOINT
        | {
            "path": f"/webhooks/email/{examples.ENDPOINT_ID}",
            "provider": "email",
            "key_fingerprints": ["5f0c9b1a7d3e2468", fingerprint_of(KEY)],
        },
        problems=(*BODY_PROBLEMS, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
)
async def add_verification_key(request: ApiRequest, services: Services, endpoint_id: FromPath[UUID]) -> EndpointView:
    """See `WebhookEndpoints.add_key`."""
    asked = await read_body(request, NewVerificationKey)
    try:
        return await to_thread(services.webhook_endpoints.add_key, request.user.organization_id, endpoint_id, asked.key)
    except InvalidVerificationKeyError as error:
        raise RefusedKeyError(str(error)) from error


@delete(
    "/webhook-endpoints/{endpoint_id:uuid}/keys/{fingerprint:str}",
    opt=ADMINS,
    tags=TAGS,
    summary="Stop accepting a verification key",
    description=(
        "What is signed with it is refused after 5 seconds at most. An endpoint whose last key is removed refuses "
        "everything until it gets another one."
    ),
    operation_class=described(problems=(HTTPStatus.NOT_FOUND,)),
)
async def remove_verification_key(
    request: ApiRequest, services: Services, endpoint_id: FromPath[UUID], fingerprint: FromPath[str]
) -> None:
    """See `WebhookEndpoints.remove_key`."""
    await to_thread(services.webhook_endpoints.remove_key, request.user.organization_id, endpoint_id, fingerprint)


WEBHOOK_ENDPOINT_HANDLERS: Final[list[Any]] = [
    list_webhook_endpoints,
    open_webhook_endpoint,
    close_webhook_endpoint,
    add_verification_key,
    remove_verification_key,
]

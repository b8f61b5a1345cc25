"""Webhook endpoints, by form, with the steps that connect each provider."""

from asyncio import to_thread
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from application.webhook_endpoints import DEFAULT_REQUESTS_PER_MINUTE, EndpointView
from entrypoints.web.auth import ADMINS
from entrypoints.web.pages.forms import ask_first, fields_of, lines_of, then_show
from entrypoints.web.pages.frame import framed
from entrypoints.web.pages.visitors import PageRequest
from entrypoints.web.problems import InvalidRequestError, UnknownThingError
from entrypoints.web.services import Services

PATH: Final = "/settings/webhooks"
PROVIDERS: Final = {
    "sendgrid": "SendGrid",
    "sendgrid-inbound": "SendGrid, replies",
    "ses": "Amazon SES",
    "email": "Any other system",
}
KEYS: Final = {
    "sendgrid": "the verification key",
    "sendgrid-inbound": "the public key of the security policy",
    "ses": "the ARN of the SNS topic",
    "email": "a secret that begins with whsec_",
}


@get(PATH, opt=ADMINS, include_in_schema=False)
async def show_webhook_endpoints(request: PageRequest, services: Services) -> Response[str]:
    """List the endpoints with what each provider is to be told."""
    endpoints = await to_thread(services.webhook_endpoints.of_organization, request.user.access.organization_id)
    return framed(
        "webhook_settings",
        request,
        now=services.clock(),
        endpoints=[one for one in endpoints if one.disabled_at is None],
        closed=[one for one in endpoints if one.disabled_at is not None],
        providers=PROVIDERS,
        key_words=KEYS,
        public_url=services.public_url.rstrip("/"),
        last_received=await services.deliveries.last_received(request.user.access.organization_id),
    )


@post(PATH, opt=ADMINS, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
async def add_webhook_endpoint(request: PageRequest, services: Services) -> Redirect:
    """Open an endpoint."""
    fields = await fields_of(request)
    endpoint = await to_thread(
        services.webhook_endpoints.add,
        request.user.access.organization_id,
        fields.get("provider", ""),
        keys=lines_of(fields.get("keys", "")),
        allowed_networks=lines_of(fields.get("allowed_networks", "")),
        requests_per_minute=_number(fields.get("requests_per_minute", "")),
    )
    return then_show(f"{PATH}#endpoint-{endpoint.endpoint_id}")


@post(f"{PATH}/{{endpoint_id:uuid}}/keys", opt=ADMINS, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
async def add_verification_key(request: PageRequest, services: Services, endpoint_id: FromPath[UUID]) -> Redirect:
    """Accept one more key, so that keys can be changed without a gap."""
    key = (await fields_of(request)).get("key", "")
    await to_thread(services.webhook_endpoints.add_key, request.user.access.organization_id, endpoint_id, key)
    return then_show(f"{PATH}#endpoint-{endpoint_id}")


@get(f"{PATH}/{{endpoint_id:uuid}}/keys/{{fingerprint:str}}/remove", opt=ADMINS, include_in_schema=False)
async def ask_to_remove_key(
    request: PageRequest, services: Services, endpoint_id: FromPath[UUID], fingerprint: FromPath[str]
) -> Response[str]:
    """Say what removing a key ends, and ask."""
    endpoint = await _endpoint(request, services, endpoint_id)
    if fingerprint not in endpoint.key_fingerprints:
        raise UnknownThingError("the endpoint has no such key")
    others = len(endpoint.key_fingerprints) - 1
    left = "The other key stays good." if others == 1 else f"The other {others} keys stay good."
    return ask_first(
        request,
        services,
        title=f"Remove the key {fingerprint} of the endpoint for {_name_of(endpoint)}?",
        gone="Reports that are signed with it are refused after 5 seconds at most. What was received stays. "
        + (left if others else "It is the only key: without it the endpoint refuses everything until you add another."),
        action=f"{PATH}/{endpoint_id}/keys/{fingerprint}/remove",
        button="Remove this key",
        back=f"{PATH}#endpoint-{endpoint_id}",
    )


@post(
    f"{PATH}/{{endpoint_id:uuid}}/keys/{{fingerprint:str}}/remove",
    opt=ADMINS,
    include_in_schema=False,
    status_code=HTTPStatus.SEE_OTHER,
)
async def remove_verification_key(
    request: PageRequest, services: Services, endpoint_id: FromPath[UUID], fingerprint: FromPath[str]
) -> Redirect:
    """Stop accepting a key."""
    organization_id = request.user.access.organization_id
    await to_thread(services.webhook_endpoints.remove_key, organization_id, endpoint_id, fingerprint)
    return then_show(f"{PATH}#endpoint-{endpoint_id}")


@get(f"{PATH}/{{endpoint_id:uuid}}/close", opt=ADMINS, include_in_schema=False)
async def ask_to_close(request: PageRequest, services: Services, endpoint_id: FromPath[UUID]) -> Response[str]:
    """Say what closing an endpoint ends, and ask."""
    endpoint = await _endpoint(request, services, endpoint_id)
    return ask_first(
        request,
        services,
        title=f"Close the endpoint for {_name_of(endpoint)}?",
        gone="It receives nothing more after 5 seconds, for good: what the provider still reports to it is lost. What"
        " it received stays.",
        action=f"{PATH}/{endpoint_id}/close",
        button="Close this endpoint",
        back=PATH,
    )


@post(f"{PATH}/{{endpoint_id:uuid}}/close", opt=ADMINS, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
async def close_endpoint(request: PageRequest, services: Services, endpoint_id: FromPath[UUID]) -> Redirect:
    """Close an endpoint for good."""
    await to_thread(services.webhook_endpoints.disable, request.user.access.organization_id, endpoint_id)
    return then_show(PATH)


async def _endpoint(request: PageRequest, services: Services, endpoint_id: UUID) -> EndpointView:
    endpoints = await to_thread(services.webhook_endpoints.of_organization, request.user.access.organization_id)
    endpoint = next((one for one in endpoints if one.endpoint_id == endpoint_id), None)
    if endpoint is None:
        raise UnknownThingError("there is no such webhook endpoint")
    return endpoint


def _name_of(endpoint: EndpointView) -> str:
    return PROVIDERS.get(endpoint.provider, endpoint.provider)


def _number(text: str) -> int:
    if not text:
        return DEFAULT_REQUESTS_PER_MINUTE
    if not (text.isascii() and text.isdigit()) or len(text) > len("2147483647"):
        raise InvalidRequestError("requests_per_minute", "is no whole number")
    return int(text)


WEBHOOK_SETTINGS_PAGES: Final[list[Any]] = [
    show_webhook_endpoints,
    add_webhook_endpoint,
    add_verification_key,
    ask_to_remove_key,
    remove_verification_key,
    ask_to_close,
    close_endpoint,
]

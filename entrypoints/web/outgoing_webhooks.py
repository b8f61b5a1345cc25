"""Administer where notifications are sent to, and see what became of each delivery."""

from asyncio import to_thread
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import delete, get, patch, post
from litestar.params import FromPath, PathParameter, QueryParameter

from application.outgoing_webhooks import TESTS_PER_MINUTE, USUAL_OVERLAP_HOURS, NewSecret, OutgoingWebhookView
from domain.notification_kinds import EVERY_KIND, NotificationKind
from entrypoints.web import examples
from entrypoints.web.auth import ADMINS, ApiRequest
from entrypoints.web.json_bodies import BODY_PROBLEMS, read_body
from entrypoints.web.operations import described, reference_to
from entrypoints.web.paging import USUAL_PAGE, Cursor, Limit, page
from entrypoints.web.services import Services
from read_models.outgoing.queries import DeliveryStatus, OutgoingDelivery
from read_models.paging import LARGEST_KEY_NUMBER, Page

TAGS: Final = ["outgoing webhooks"]
MISSING: Final = (HTTPStatus.NOT_FOUND,)

DeliveryId = Annotated[int, PathParameter(ge=1, le=LARGEST_KEY_NUMBER)]


class NewOutgoingWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """Where notifications of some or all kinds are to be sent to."""

    url: str
    kinds: tuple[NotificationKind, ...] = EVERY_KIND


class OutgoingWebhookChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be different; a field that is left out stays as it is."""

    url: str | None = None
    kinds: tuple[NotificationKind, ...] | None = None


class SecretRenewal(msgspec.Struct, frozen=True, kw_only=True):
    """For how long older secrets go on signing beside the new one, in hours; 0: they end at once."""

    overlap_hours: int = USUAL_OVERLAP_HOURS


class RequestedDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that is attempted within seconds; the log says what came of it."""

    delivery_id: int


@get(
    "/outgoing-webhooks",
    opt=ADMINS,
    tags=TAGS,
    summary="List outgoing webhooks",
    operation_class=described(answers=examples.a_list_of(examples.OUTGOING_WEBHOOK)),
)
async def list_outgoing_webhooks(request: ApiRequest, services: Services) -> Page[OutgoingWebhookView]:
    """See `OutgoingWebhooks.of_organization`."""
    return Page(items=await to_thread(services.outgoing_webhooks.of_organization, request.user.organization_id))


@post(
    "/outgoing-webhooks",
    opt=ADMINS,
    tags=TAGS,
    summary="Have notifications sent to an address",
    description=(
        "What anybody in the organisation is told from now on is posted there when it rings, signed as Standard "
        "Webhooks says; what waits silently in somebody's list (quiet hours, digest, bursts) is not. The secret is "
        "shown this once. Only public addresses are sent to, over https."
    ),
    operation_class=described(
        body=reference_to(NewOutgoingWebhook),
        sends={"url": examples.OUTGOING_WEBHOOK["url"], "kinds": examples.OUTGOING_WEBHOOK["kinds"]},
        answers=examples.NEW_SECRET,
        problems=(*BODY_PROBLEMS, HTTPStatus.CONFLICT),
    ),
)
async def add_outgoing_webhook(request: ApiRequest, services: Services) -> NewSecret:
    """See `OutgoingWebhooks.add`."""
    asked = await read_body(request, NewOutgoingWebhook)
    return await to_thread(services.outgoing_webhooks.add, request.user.organization_id, asked.url, asked.kinds)


@get(
    "/outgoing-webhooks/{webhook_id:uuid}",
    opt=ADMINS,
    tags=TAGS,
    summary="Show an outgoing webhook",
    operation_class=described(answers=examples.OUTGOING_WEBHOOK, problems=MISSING),
)
async def show_outgoing_webhook(
    request: ApiRequest, services: Services, webhook_id: FromPath[UUID]
) -> OutgoingWebhookView:
    """See `OutgoingWebhooks.show`."""
    return await to_thread(services.outgoing_webhooks.show, request.user.organization_id, webhook_id)


@patch(
    "/outgoing-webhooks/{webhook_id:uuid}",
    opt=ADMINS,
    tags=TAGS,
    summary="Send to another address, or other kinds",
    description=(
        "Id, secrets and log stay. What waits is sent to the new address; another choice of kinds holds for what is "
        "told from now on."
    ),
    operation_class=described(
        body=reference_to(OutgoingWebhookChange),
        sends={"url": examples.OUTGOING_WEBHOOK["url"]},
        answers=examples.OUTGOING_WEBHOOK,
        problems=(*BODY_PROBLEMS, *MISSING),
    ),
)
async def change_outgoing_webhook(
    request: ApiRequest, services: Services, webhook_id: FromPath[UUID]
) -> OutgoingWebhookView:
    """See `OutgoingWebhooks.change`."""
    asked = await read_body(request, OutgoingWebhookChange)
    return await to_thread(
        services.outgoing_webhooks.change,
        request.user.organization_id,
        webhook_id,
        url=asked.url,
        kinds=asked.kinds,
    )


@delete(
    "/outgoing-webhooks/{webhook_id:uuid}",
    opt=ADMINS,
    tags=TAGS,
    summary="Remove an outgoing webhook",
    description="What waits for it is not sent any more; its log goes along.",
    operation_class=described(problems=MISSING),
)
async def remove_outgoing_webhook(request: ApiRequest, services: Services, webhook_id: FromPath[UUID]) -> None:
    """See `OutgoingWebhooks.remove`."""
    await to_thread(services.outgoing_webhooks.remove, request.user.organization_id, webhook_id)


@post(
    "/outgoing-webhooks/{webhook_id:uuid}/secrets",
    opt=ADMINS,
    tags=TAGS,
    summary="Renew the secret",
    description=(
        "The new secret is shown this once. Until `overlap_hours` are over, deliveries carry a signature of the new "
        "and one of each older secret, so that the receiver changes over without a gap."
    ),
    operation_class=described(
        body=reference_to(SecretRenewal),
        sends={"overlap_hours": 24},
        answers=examples.NEW_SECRET,
        problems=(*BODY_PROBLEMS, *MISSING),
    ),
)
async def renew_outgoing_secret(request: ApiRequest, services: Services, webhook_id: FromPath[UUID]) -> NewSecret:
    """See `OutgoingWebhooks.renew_secret`."""
    asked = await read_body(request, SecretRenewal)
    return await to_thread(
        services.outgoing_webhooks.renew_secret,
        request.user.organization_id,
        webhook_id,
        overlap_hours=asked.overlap_hours,
    )


@post(
    "/outgoing-webhooks/{webhook_id:uuid}/switch-on",
    opt=ADMINS,
    tags=TAGS,
    status_code=HTTPStatus.OK,
    summary="Send to it again",
    description="Beginning with what was not sent while it was off. What failed before is forgotten.",
    operation_class=described(answers=examples.OUTGOING_WEBHOOK, problems=MISSING),
)
async def switch_on_outgoing_webhook(
    request: ApiRequest, services: Services, webhook_id: FromPath[UUID]
) -> OutgoingWebhookView:
    """See `OutgoingWebhooks.switch_on`."""
    return await to_thread(services.outgoing_webhooks.switch_on, request.user.organization_id, webhook_id)


@post(
    "/outgoing-webhooks/{webhook_id:uuid}/switch-off",
    opt=ADMINS,
    tags=TAGS,
    status_code=HTTPStatus.OK,
    summary="Send nothing to it for now",
    operation_class=described(
        answers=examples.OUTGOING_WEBHOOK
        | {"state": "off", "switched_off_at": examples.OPENED_AT, "switched_off_because": "by_admin"},
        problems=MISSING,
    ),
)
async def switch_off_outgoing_webhook(
    request: ApiRequest, services: Services, webhook_id: FromPath[UUID]
) -> OutgoingWebhookView:
    """See `OutgoingWebhooks.switch_off`."""
    return await to_thread(services.outgoing_webhooks.switch_off, request.user.organization_id, webhook_id)


@post(
    "/outgoing-webhooks/{webhook_id:uuid}/test",
    opt=ADMINS,
    tags=TAGS,
    status_code=HTTPStatus.ACCEPTED,
    summary="Send a test",
    description=f"A delivery of type `test`, by the same way as all others; at most {TESTS_PER_MINUTE} a minute.",
    operation_class=described(
        answers={"delivery_id": 4711}, problems=(*MISSING, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS)
    ),
)
async def test_outgoing_webhook(
    request: ApiRequest, services: Services, webhook_id: FromPath[UUID]
) -> RequestedDelivery:
    """See `OutgoingWebhooks.test`."""
    delivery_id = await to_thread(services.outgoing_webhooks.test, request.user.organization_id, webhook_id)
    return RequestedDelivery(delivery_id=delivery_id)


@get(
    "/outgoing-webhooks/{webhook_id:uuid}/deliveries",
    opt=ADMINS,
    tags=TAGS,
    summary="List deliveries with their attempts, the latest first",
    description="For 90 days. What a delivery told is not kept.",
    operation_class=described(
        answers=examples.a_list_of(examples.OUTGOING_DELIVERY),
        problems=(*MISSING, HTTPStatus.UNPROCESSABLE_ENTITY),
    ),
)
async def list_outgoing_deliveries(
    request: ApiRequest,
    services: Services,
    webhook_id: FromPath[UUID],
    *,
    status: Annotated[DeliveryStatus | None, QueryParameter(description="All by default.")] = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Page[OutgoingDelivery]:
    """See `OutgoingDeliveryQueries.deliveries`."""
    organization_id = request.user.organization_id
    await to_thread(services.outgoing_webhooks.show, organization_id, webhook_id)
    return await services.outgoing_deliveries.deliveries(organization_id, webhook_id, status, page(limit, cursor))


@post(
    "/outgoing-webhooks/{webhook_id:uuid}/deliveries/{delivery_id:int}/retry",
    opt=ADMINS,
    tags=TAGS,
    status_code=HTTPStatus.ACCEPTED,
    summary="Send a delivery once more",
    description="At once, under the same `webhook-id`; if it fails, as often as a new one.",
    operation_class=described(answers={"delivery_id": 4711}, problems=(*MISSING, HTTPStatus.CONFLICT)),
)
async def retry_outgoing_delivery(
    request: ApiRequest, services: Services, webhook_id: FromPath[UUID], delivery_id: DeliveryId
) -> RequestedDelivery:
    """See `OutgoingWebhooks.retry`."""
    await to_thread(services.outgoing_webhooks.retry, request.user.organization_id, webhook_id, delivery_id)
    return RequestedDelivery(delivery_id=delivery_id)


OUTGOING_WEBHOOK_HANDLERS: Final[list[Any]] = [
    list_outgoing_webhooks,
    add_outgoing_webhook,
    show_outgoing_webhook,
    change_outgoing_webhook,
    remove_outgoing_webhook,
    renew_outgoing_secret,
    switch_on_outgoing_webhook,
    switch_off_outgoing_webhook,
    test_outgoing_webhook,
    list_outgoing_deliveries,
    retry_outgoing_delivery,
]

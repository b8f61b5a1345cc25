"""Outgoing webhooks, by form: where notifications are sent to, and what came of it."""

from asyncio import to_thread
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, PathParameter, QueryParameter
from litestar.response import Redirect

from application.outgoing_webhooks import (
    TESTS_PER_MINUTE,
    USUAL_OVERLAP_HOURS,
    InvalidOutgoingWebhookError,
    NewSecret,
    NothingToSendError,
    OutgoingDeliveryNotFoundError,
    WebhookOffError,
)
from application.ports.outgoing import TooManyTestsError
from domain.counted import counted
from domain.notification_kinds import EVERY_KIND, NotificationKind
from domain.policies.delivering import Outcome
from entrypoints.web.auth import ADMINS
from entrypoints.web.pages.forms import ask_first, fields_of, then_show
from entrypoints.web.pages.frame import framed
from entrypoints.web.pages.tables import TableFormat, table_file
from entrypoints.web.pages.visitors import PageRequest
from entrypoints.web.paging import Cursor, page
from entrypoints.web.services import Services
from read_models.outgoing.queries import DeliveryStatus, OutgoingDelivery
from read_models.paging import LARGEST_KEY_NUMBER

PATH: Final = "/settings/outgoing"
ONE: Final = f"{PATH}/{{webhook_id:uuid}}"
ROWS: Final = 50
COLUMNS: Final = ("webhook_id", "url", "state", "waiting", "last_delivered_at")
DELIVERY_COLUMNS: Final = (
    "id", "kind", "message_id", "status", "reason", "attempts", "last_outcome", "last_http_status", "created_at",
)  # fmt: skip
KINDS: Final = {
    NotificationKind.OPEN: "somebody opens an email",
    NotificationKind.CLICK: "somebody follows a link",
    NotificationKind.REPLY: "somebody answers",
    NotificationKind.BOUNCE: "an email comes back",
    NotificationKind.DIGEST: "a daily summary is due",
}
LABELS: Final = {"url": "The address", "kinds": "What is sent"}
OUTCOMES: Final = {
    Outcome.DELIVERED: "Delivered",
    Outcome.GONE: "The receiver answered that it is gone",
    Outcome.REDIRECTED: "The receiver redirects, and redirects are not followed: register the address it leads to",
    Outcome.REFUSED: "The receiver refused it",
    Outcome.TIMED_OUT: "No answer within 10 seconds",
    Outcome.UNREACHABLE: "Nobody answers at this address",
    Outcome.UNRESOLVABLE: "The host’s name leads nowhere",
    Outcome.FORBIDDEN_ADDRESS: "The host’s name leads to an address that is not public",
    Outcome.NOT_ENCRYPTED: "http:// leads out of the networks that the operator opened: register https://",
    Outcome.TLS_UNTRUSTED: "The receiver’s certificate is of an authority that is not trusted here: have it send the"
    " whole chain, or ask the operator to trust its authority",
    Outcome.TLS_EXPIRED: "The receiver’s certificate is expired, or not valid yet: renew it",
    Outcome.TLS_WRONG_HOST: "The receiver’s certificate is of another host: register the name that it is made for",
    Outcome.TLS_FAILED: "The receiver speaks no TLS here, or none that is still safe: check port and settings",
    Outcome.BROKEN_ANSWER: "The answer is no HTTP",
    Outcome.UNREADABLE_SECRET: "The secret cannot be opened: ask the operator about MAILPULSE_SECRET_KEYS",
}
STATUSES: Final = {
    DeliveryStatus.WAITING: "Waiting",
    DeliveryStatus.DELIVERED: "Delivered",
    DeliveryStatus.FAILED: "Failed",
    DeliveryStatus.DROPPED: "Dropped",
}
NOTICES: Final = {
    "changed": "Saved. What waits is sent to this address.",
    "enough": f"There were {TESTS_PER_MINUTE} tests within a minute: wait a little, then send another.",
    "asked": "It is on its way: load this page again to see what came of it.",
    "nothing": "There is nothing to send: what it told is gone, or was told anew.",
    "off": "This webhook is off: switch it on first.",
    "on": "It is on. What was not sent while it was off is sent now.",
    "stopped": "It is off. Nothing is sent until you switch it on.",
}


@get(PATH, opt=ADMINS, include_in_schema=False)
async def show_outgoing_webhooks(
    request: PageRequest, services: Services, *, as_file: TableFormat = None
) -> Response[Any]:
    """List them."""
    if as_file:
        webhooks = await to_thread(services.outgoing_webhooks.of_organization, request.user.access.organization_id)
        return table_file("outgoing-webhooks", COLUMNS, [[getattr(one, name) for name in COLUMNS] for one in webhooks])
    return await _all_shown(request, services, fields=_fields_of("", EVERY_KIND))


@post(PATH, opt=ADMINS, include_in_schema=False, status_code=HTTPStatus.OK)
async def add_outgoing_webhook(request: PageRequest, services: Services) -> Response[str]:
    """Register an address and show its secret, this once; what cannot be comes back as it was filled in."""
    fields = await fields_of(request)
    organization_id = request.user.access.organization_id
    try:
        made = await to_thread(
            services.outgoing_webhooks.add, organization_id, fields.get("url", ""), _kinds_in(fields)
        )
    except InvalidOutgoingWebhookError as error:
        return await _all_shown(request, services, fields=fields, wrong=_words_of(error))
    return await _shown(request, services, made.webhook.webhook_id, made=made)


@get(ONE, opt=ADMINS, include_in_schema=False)
async def show_outgoing_webhook(
    request: PageRequest,
    services: Services,
    webhook_id: FromPath[UUID],
    *,
    status: Annotated[DeliveryStatus | None, QueryParameter()] = None,
    notice: Annotated[str | None, QueryParameter()] = None,
    as_file: TableFormat = None,
    cursor: Cursor = None,
) -> Response[Any]:
    """Say how one does, with the log of its deliveries."""
    if as_file:
        return await _log_file(request, services, webhook_id, status, cursor)
    return await _shown(request, services, webhook_id, status=status, notice=notice, cursor=cursor)


@post(ONE, opt=ADMINS, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
async def change_outgoing_webhook(
    request: PageRequest, services: Services, webhook_id: FromPath[UUID]
) -> Response[Any] | Redirect:
    """Send to another address, or other kinds; what cannot be comes back as it was filled in."""
    fields = await fields_of(request)
    try:
        await to_thread(
            services.outgoing_webhooks.change,
            request.user.access.organization_id,
            webhook_id,
            url=fields.get("url", ""),
            kinds=_kinds_in(fields),
        )
    except InvalidOutgoingWebhookError as error:
        return await _shown(request, services, webhook_id, fields=fields, wrong=_words_of(error))
    return _then_show(webhook_id, "changed")


@post(f"{ONE}/secrets", opt=ADMINS, include_in_schema=False, status_code=HTTPStatus.OK)
async def renew_secret(request: PageRequest, services: Services, webhook_id: FromPath[UUID]) -> Response[str]:
    """Make a new secret and show it, this once."""
    made = await to_thread(
        services.outgoing_webhooks.renew_secret,
        request.user.access.organization_id,
        webhook_id,
        overlap_hours=USUAL_OVERLAP_HOURS,
    )
    return await _shown(request, services, webhook_id, made=made)


@post(f"{ONE}/test", opt=ADMINS, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
async def send_test(request: PageRequest, services: Services, webhook_id: FromPath[UUID]) -> Redirect:
    """Send a test."""
    try:
        await to_thread(services.outgoing_webhooks.test, request.user.access.organization_id, webhook_id)
    except WebhookOffError:
        return _then_show(webhook_id, "off")
    except TooManyTestsError:
        return _then_show(webhook_id, "enough")
    return _then_show(webhook_id, "asked")


@post(
    f"{ONE}/deliveries/{{delivery_id:int}}/retry", opt=ADMINS, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER
)
async def retry_delivery(
    request: PageRequest,
    services: Services,
    webhook_id: FromPath[UUID],
    delivery_id: Annotated[int, PathParameter(ge=1, le=LARGEST_KEY_NUMBER)],
) -> Redirect:
    """Send a delivery once more."""
    try:
        await to_thread(services.outgoing_webhooks.retry, request.user.access.organization_id, webhook_id, delivery_id)
    except WebhookOffError:
        return _then_show(webhook_id, "off")
    except (NothingToSendError, OutgoingDeliveryNotFoundError):
        return _then_show(webhook_id, "nothing")
    return _then_show(webhook_id, "asked")


@post(f"{ONE}/switch-on", opt=ADMINS, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
async def switch_on(request: PageRequest, services: Services, webhook_id: FromPath[UUID]) -> Redirect:
    """Send to it again."""
    await to_thread(services.outgoing_webhooks.switch_on, request.user.access.organization_id, webhook_id)
    return _then_show(webhook_id, "on")


@post(f"{ONE}/switch-off", opt=ADMINS, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
async def switch_off(request: PageRequest, services: Services, webhook_id: FromPath[UUID]) -> Redirect:
    """Send nothing to it for now."""
    await to_thread(services.outgoing_webhooks.switch_off, request.user.access.organization_id, webhook_id)
    return _then_show(webhook_id, "stopped")


@get(f"{ONE}/remove", opt=ADMINS, include_in_schema=False)
async def ask_to_remove(request: PageRequest, services: Services, webhook_id: FromPath[UUID]) -> Response[str]:
    """Say what removing a webhook ends, and ask."""
    webhook = await to_thread(services.outgoing_webhooks.show, request.user.access.organization_id, webhook_id)
    waiting = counted(webhook.waiting, "waiting delivery", "waiting deliveries")
    return ask_first(
        request,
        services,
        title="Remove this webhook?",
        gone=f"Nothing is sent to {webhook.url} any more, {waiting} included. Its secrets and the log of its deliveries"
        " are deleted. Notifications stay.",
        action=f"{PATH}/{webhook_id}/remove",
        button="Remove this webhook",
        back=f"{PATH}/{webhook_id}",
    )


@post(f"{ONE}/remove", opt=ADMINS, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
async def remove(request: PageRequest, services: Services, webhook_id: FromPath[UUID]) -> Redirect:
    """Remove a webhook for good."""
    await to_thread(services.outgoing_webhooks.remove, request.user.access.organization_id, webhook_id)
    return then_show(PATH)


async def _all_shown(
    request: PageRequest, services: Services, *, fields: Mapping[str, str], wrong: Sequence[str] = ()
) -> Response[str]:
    webhooks = await to_thread(services.outgoing_webhooks.of_organization, request.user.access.organization_id)
    return framed(
        "outgoing_settings",
        request,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        now=services.clock(),
        webhooks=webhooks,
        kinds=KINDS,
        fields=fields,
        wrong=wrong,
    )


async def _shown(
    request: PageRequest,
    services: Services,
    webhook_id: UUID,
    *,
    made: NewSecret | None = None,
    fields: Mapping[str, str] | None = None,
    wrong: Sequence[str] = (),
    status: DeliveryStatus | None = None,
    notice: str | None = None,
    cursor: str | None = None,
) -> Response[str]:
    organization_id = request.user.access.organization_id
    webhook = await to_thread(services.outgoing_webhooks.show, organization_id, webhook_id)
    deliveries = await services.outgoing_deliveries.deliveries(organization_id, webhook_id, status, page(ROWS, cursor))
    own_place = {"place": f"{PATH}/{webhook_id}"} if made else {}
    return framed(
        "outgoing_webhook",
        request,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        now=services.clock(),
        webhook=webhook,
        made=made,
        kinds=KINDS,
        fields=fields or _fields_of(webhook.url, webhook.kinds),
        wrong=wrong,
        deliveries=deliveries.items,
        statuses=[(None, "All"), *STATUSES.items()],
        wanted=status,
        outcomes={outcome.value: words for outcome, words in OUTCOMES.items()},
        notice=NOTICES.get(notice or ""),
        is_first=cursor is None,
        file_path=_log_path(webhook_id, status=status, cursor=cursor, format="csv"),
        next_path=_log_path(webhook_id, status=status, cursor=older) if (older := deliveries.next_cursor) else None,
        **own_place,
    )


async def _log_file(
    request: PageRequest, services: Services, webhook_id: UUID, status: DeliveryStatus | None, cursor: str | None
) -> Response[Any]:
    organization_id = request.user.access.organization_id
    await to_thread(services.outgoing_webhooks.show, organization_id, webhook_id)
    deliveries = await services.outgoing_deliveries.deliveries(organization_id, webhook_id, status, page(ROWS, cursor))
    return table_file(f"deliveries-{webhook_id}", DELIVERY_COLUMNS, [_logged(one) for one in deliveries.items])


def _logged(delivery: OutgoingDelivery) -> list[object]:
    """Give a delivery as a row: of its attempts, how many there were and what came of the last."""
    last = delivery.attempts[-1] if delivery.attempts else None
    known = msgspec.structs.asdict(delivery) | {
        "attempts": len(delivery.attempts),
        "last_outcome": last and last.outcome,
        "last_http_status": last and last.http_status,
    }
    return [known[name] for name in DELIVERY_COLUMNS]


def _fields_of(url: str, kinds: Iterable[NotificationKind]) -> dict[str, str]:
    """Give what a browser would send: a box that is not ticked is not sent."""
    return {"url": url, **{f"kind_{kind.value}": "yes" for kind in kinds}}


def _kinds_in(fields: Mapping[str, str]) -> list[NotificationKind]:
    return [kind for kind in KINDS if f"kind_{kind.value}" in fields]


def _words_of(error: InvalidOutgoingWebhookError) -> list[str]:
    return [f"{LABELS[flaw.field]} {flaw.detail}." for flaw in error.flaws]


def _log_path(webhook_id: UUID, **asked: str | None) -> str:
    return f"{PATH}/{webhook_id}?{urlencode({name: value for name, value in asked.items() if value})}"


def _then_show(webhook_id: UUID, notice: str) -> Redirect:
    return then_show(f"{PATH}/{webhook_id}?notice={notice}")


OUTGOING_SETTINGS_PAGES: Final[list[Any]] = [
    show_outgoing_webhooks,
    add_outgoing_webhook,
    show_outgoing_webhook,
    change_outgoing_webhook,
    renew_secret,
    send_test,
    retry_delivery,
    switch_on,
    switch_off,
    ask_to_remove,
    remove,
]

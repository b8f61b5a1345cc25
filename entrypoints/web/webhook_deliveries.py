"""Webhook reports that could not be used: see them, try them again."""

from asyncio import to_thread
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from litestar import get, post
from litestar.params import PathParameter, QueryParameter

from application.retry_parked import RetryOutcome
from entrypoints.web import examples
from entrypoints.web.auth import ADMINS, ApiRequest
from entrypoints.web.operations import described
from entrypoints.web.paging import USUAL_PAGE, Cursor, Limit, page
from entrypoints.web.services import Services
from read_models.deliveries.queries import ParkedDelivery, ParkedStatus
from read_models.paging import LARGEST_KEY_NUMBER, Page

TAGS: Final = ["webhook deliveries"]


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a report that was tried again; unless processed, it waits under a new id."""

    id: int
    outcome: RetryOutcome


@get(
    "/webhook-deliveries",
    opt=ADMINS,
    tags=TAGS,
    summary="List reports that could not be used, and why",
    operation_class=described(answers=examples.a_list_of(examples.PARKED), problems=(HTTPStatus.UNPROCESSABLE_ENTITY,)),
)
async def list_webhook_deliveries(
    request: ApiRequest,
    services: Services,
    status: Annotated[ParkedStatus | None, QueryParameter(description="Whom they wait for; both by default.")] = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Page[ParkedDelivery]:
    """See `DeliveryQueries.parked`."""
    return await services.deliveries.parked(request.user.organization_id, status, page(limit, cursor))


@post(
    "/webhook-deliveries/{report_id:int}/retry",
    opt=ADMINS,
    tags=TAGS,
    status_code=HTTPStatus.OK,
    summary="Try a report again",
    operation_class=described(
        answers={"id": 12, "outcome": "processed"}, problems=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
    ),
)
async def retry_webhook_delivery(
    request: ApiRequest,
    services: Services,
    report_id: Annotated[int, PathParameter(ge=1, le=LARGEST_KEY_NUMBER)],
) -> Retried:
    """See `application.retry_parked`."""
    outcome = await to_thread(services.retry_parked, request.user.organization_id, report_id)
    return Retried(id=report_id, outcome=outcome)


DELIVERY_HANDLERS: Final[list[Any]] = [list_webhook_deliveries, retry_webhook_delivery]

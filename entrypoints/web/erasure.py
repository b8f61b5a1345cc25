"""Erase somebody on their request."""

from asyncio import sleep, to_thread
from http import HTTPStatus
from typing import Final

import msgspec
from litestar import Response, delete
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath

from domain.errors import InvalidAddressError
from entrypoints.web.auth import ADMINS, ApiRequest
from entrypoints.web.operations import described
from entrypoints.web.problems import InvalidRequestError
from entrypoints.web.services import Services

LOOKS: Final = 100
SECONDS_BETWEEN_LOOKS: Final = 0.05


class ErasureUnderWay(msgspec.Struct, frozen=True, kw_only=True):
    """The events tell no more who it was; the rows that were made from them, and what was waiting, will follow."""

    status: str = "under_way"
    detail: str = (
        "no event tells any more who it was; read models that are behind will forget within their backlog, and"
        " webhooks that came before are still to be processed: ask again to learn when nothing is left"
    )


@delete(
    "/recipients/{email:str}",
    opt=ADMINS,
    tags=["recipients"],
    summary="Erase a recipient",
    description=(
        "For an API key or an admin. Destroys the key under which everything personal about the recipient is kept: "
        "address, name, subjects, IP addresses, user agents, what senders attached. Counts, rates and scores stay. "
        "204 when nothing is left, also if nothing was ever known; 202 when the answer would take longer than five "
        "seconds: ask again. Reports that arrive later for emails of before are counted without details. Whoever "
        "writes to the address again begins anew."
    ),
    status_code=HTTPStatus.ACCEPTED,
    responses={HTTPStatus.NO_CONTENT: ResponseSpec(None, description="Nothing is left that tells who it was")},
    operation_class=described(
        answers=msgspec.to_builtins(ErasureUnderWay()), problems=(HTTPStatus.UNPROCESSABLE_ENTITY,)
    ),
)
async def erase_recipient(
    request: ApiRequest, services: Services, email: FromPath[str]
) -> Response[ErasureUnderWay | None]:
    """See `application.erase_recipient`."""
    caller = request.user
    try:
        erasure = await to_thread(
            services.erase_recipient, caller.organization_id, email, erased_by=caller.user_id or str(caller.id)
        )
    except InvalidAddressError as error:
        raise InvalidRequestError("email", str(error)) from error
    for _ in range(LOOKS):
        if await to_thread(services.erase_recipient.is_finished, erasure):
            return Response(None, status_code=HTTPStatus.NO_CONTENT)
        await sleep(SECONDS_BETWEEN_LOOKS)
    return Response(ErasureUnderWay(), status_code=HTTPStatus.ACCEPTED)

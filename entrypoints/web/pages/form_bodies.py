"""Read the forms that people send: never big ones, and never for ever."""

import asyncio
from typing import Any, Final

from litestar import Request
from litestar.datastructures import FormMultiDict
from litestar.exceptions import InternalServerException

from entrypoints.web.webhook_bodies import PATIENCE_S, BodyTooSlowError, ClientGoneError

MOST_FORM_BYTES: Final = 64 * 1024
"""Anybody may send the form for signing in; our longest ones are a few kilobytes."""


async def form_of(request: Request[Any, Any, Any], *, patience_s: float = PATIENCE_S) -> FormMultiDict:
    """Give the fields of a form.

    Raises:
        BodyTooSlowError: Not complete in time.
        ClientGoneError: The client left.
    """
    try:
        async with asyncio.timeout(patience_s):
            return await request.form()
    except InternalServerException as error:  # Litestar's word for it; an alarm would be raised for each of them
        raise ClientGoneError("the client left before its form was complete") from error
    except TimeoutError as error:
        raise BodyTooSlowError(f"the form did not arrive within {patience_s:g} s") from error

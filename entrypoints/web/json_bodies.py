"""Read request bodies: JSON only, and a mistake names its field."""

import asyncio
import re
from http import HTTPStatus
from typing import Any, Final, TypeVar

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException

from entrypoints.web.problems import (
    FieldProblem,
    InvalidRequestError,
    MalformedBodyError,
    UnsupportedMediaTypeError,
)
from entrypoints.web.webhook_bodies import PATIENCE_S, BodyTooSlowError, ClientGoneError

HALF_PAIRS: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)
"""Escapes; group 1 is half a surrogate pair, which programs write where they cut a text within a character."""
PLACE: Final = re.compile(r"(?P<detail>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
MISSING: Final = re.compile(r"Object missing required field `(?P<name>[^`]*)`")

BODY_PROBLEMS: Final = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
"""What an operation that takes a body may answer, for its description."""

Body = TypeVar("Body")


async def read_body(request: Request[Any, Any, Any], body_type: type[Body], *, patience_s: float = PATIENCE_S) -> Body:
    """Give a request's JSON body; fields that nobody knows are ignored.

    Raises:
        UnsupportedMediaTypeError: The body says that it is something else.
        BodyTooSlowError: Not complete in time.
        ClientGoneError: The client left.
        MalformedBodyError: It is no JSON.
        InvalidRequestError: It is JSON of another shape; names the field.
    """
    content_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if content_type != "application/json" and not content_type.endswith("+json"):
        raise UnsupportedMediaTypeError(f"the body is {content_type[:100]!r}; send application/json")
    try:
        async with asyncio.timeout(patience_s):
            body = await request.body()
    except InternalServerException as error:  # Litestar's word for it; an alarm would be raised for each of them
        raise ClientGoneError("the client left before its body was complete") from error
    except TimeoutError as error:
        raise BodyTooSlowError(f"the body did not arrive within {patience_s:g} s") from error
    return decoded(body, body_type)


def decoded(body: bytes | msgspec.Raw, body_type: type[Body]) -> Body:
    """Give JSON as what it stands for; half a surrogate pair becomes U+FFFD.

    Raises:
        MalformedBodyError: It is no JSON.
        InvalidRequestError: It is JSON of another shape; names the field.
    """
    try:
        return msgspec.json.decode(_with_whole_characters(body), type=body_type)
    except msgspec.ValidationError as error:
        problem = named(error)
        raise InvalidRequestError(problem.field, problem.detail) from error
    except UnicodeDecodeError as error:
        raise MalformedBodyError("the body is not UTF-8") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedBodyError(f"the body is not JSON: {error}") from error


def _with_whole_characters(body: bytes | msgspec.Raw) -> bytes | msgspec.Raw:
    if isinstance(body, msgspec.Raw) or (b"\\ud" not in body and b"\\uD" not in body):
        return body  # a part of a body that was made whole
    return HALF_PAIRS.sub(lambda escape: b"\\ufffd" if escape[1] else escape[0], body)


def named(error: msgspec.ValidationError) -> FieldProblem:
    """Tell which field an error of msgspec speaks of, ``recipient.email`` for a nested one."""
    match = PLACE.fullmatch(str(error))
    detail, path = (match["detail"], match["path"] or "") if match else (str(error), "")
    if missing := MISSING.fullmatch(detail):
        return FieldProblem(field=f"{path}.{missing['name']}".removeprefix("."), detail="is missing")
    return FieldProblem(field=path.removeprefix("."), detail=detail[:1].lower() + detail[1:])

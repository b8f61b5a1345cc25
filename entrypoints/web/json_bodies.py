"""Read request bodies: JSON only, and a mistake names its field."""

import re
from typing import Any, Final, TypeVar

import msgspec
from litestar import Request

from entrypoints.web.problems import (
    FieldProblem,
    InvalidRequestError,
    MalformedBodyError,
    UnsupportedMediaTypeError,
)

PLACE: Final = re.compile(r"(?P<detail>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
MISSING: Final = re.compile(r"Object missing required field `(?P<name>[^`]*)`")

Body = TypeVar("Body")


async def read_body(request: Request[Any, Any, Any], body_type: type[Body]) -> Body:
    """Give a request's JSON body; fields that nobody knows are ignored.

    Raises:
        UnsupportedMediaTypeError: The body says that it is something else.
        MalformedBodyError: It is no JSON.
        InvalidRequestError: It is JSON of another shape; names the field.
    """
    content_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if content_type != "application/json" and not content_type.endswith("+json"):
        raise UnsupportedMediaTypeError(f"the body is {content_type[:100]!r}; send application/json")
    return decoded(await request.body(), body_type)


def decoded(body: bytes | msgspec.Raw, body_type: type[Body]) -> Body:
    """Give JSON as what it stands for.

    Raises:
        MalformedBodyError: It is no JSON.
        InvalidRequestError: It is JSON of another shape; names the field.
    """
    try:
        return msgspec.json.decode(body, type=body_type)
    except msgspec.ValidationError as error:
        problem = named(error)
        raise InvalidRequestError(problem.field, problem.detail) from error
    except UnicodeDecodeError as error:
        raise MalformedBodyError("the body is not UTF-8") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedBodyError(f"the body is not JSON: {error}") from error


def named(error: msgspec.ValidationError) -> FieldProblem:
    """Tell which field an error of msgspec speaks of, ``recipient.email`` for a nested one."""
    match = PLACE.fullmatch(str(error))
    detail, path = (match["detail"], match["path"] or "") if match else (str(error), "")
    if missing := MISSING.fullmatch(detail):
        return FieldProblem(field=f"{path}.{missing['name']}".removeprefix("."), detail="is missing")
    return FieldProblem(field=path.removeprefix("."), detail=detail[:1].lower() + detail[1:])

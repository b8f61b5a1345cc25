"""What the OpenAPI document says about an operation beyond its types: bodies, examples, problems."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar.openapi.spec import (
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Reference,
    RequestBody,
    Schema,
)

from entrypoints.web.problems import CODES, MEDIA_TYPE, Problem

ALWAYS: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE)
"""What every operation of the API may answer."""
JSON: Final = "application/json"
CSV: Final = "text/csv"


def reference_to(body_type: type[Any]) -> Reference:
    """Point to a type of `entrypoints.web.openapi.SHARED_TYPES`."""
    return Reference(ref=f"#/components/schemas/{body_type.__name__}")


def described(
    *,
    answers: object = None,
    gives: Schema | None = None,
    body: Schema | Reference | None = None,
    sends: object = None,
    csv: str = "",
    problems: tuple[HTTPStatus, ...] = (),
) -> type[Operation]:
    """Describe an operation of the API.

    Args:
        answers: Example of what it answers.
        gives: What it answers, where the handler's types cannot say it.
        body: What it takes.
        sends: Example of what it takes.
        csv: Example of what it answers to who asks for CSV; "" if it does not.
        problems: What it may answer beside `ALWAYS`.
    """

    @dataclass
    class Described(Operation):
        def __post_init__(self) -> None:
            self.security = [{"bearer": []}]
            if body is not None:
                self.request_body = RequestBody(
                    required=True, content={JSON: OpenAPIMediaType(schema=body, example=_whole(sends))}
                )
            responses = {status: response for status, response in (self.responses or {}).items() if status[0] == "2"}
            for response in responses.values():
                _show(response, answers, gives)
                _show_csv(response, csv)
            self.responses = {**responses, **{str(status.value): _problem(status) for status in (*problems, *ALWAYS)}}

    return Described


def open_to_all(*, answers: object, unavailable: object = None) -> type[Operation]:
    """Describe an operation outside of the API, which asks for no token.

    Args:
        answers: Example of what it answers.
        unavailable: Example of what it answers with 503; ``None`` if it never does.
    """

    @dataclass
    class Described(Operation):
        def __post_init__(self) -> None:
            responses = dict(self.responses or {})
            usual = responses[str(HTTPStatus.OK.value)]
            _show(usual, answers, None)
            if unavailable is not None:
                responses[str(HTTPStatus.SERVICE_UNAVAILABLE.value)] = _unavailable(usual, unavailable)
            self.responses = responses

    return Described


def _unavailable(usual: OpenAPIResponse | Reference, example: object) -> OpenAPIResponse:
    content = usual.content if isinstance(usual, OpenAPIResponse) else None
    schemas = {name: media_type.schema for name, media_type in (content or {}).items()}
    return OpenAPIResponse(
        description=HTTPStatus.SERVICE_UNAVAILABLE.phrase,
        headers={"Retry-After": OpenAPIHeader(description="Seconds.", schema=Schema(type=OpenAPIType.INTEGER))},
        content={name: OpenAPIMediaType(schema=schema, example=_whole(example)) for name, schema in schemas.items()},
    )


def _show(response: OpenAPIResponse | Reference, example: object, schema: Schema | None) -> None:
    if isinstance(response, OpenAPIResponse) and response.content and example is not None:
        for media_type in response.content.values():
            if isinstance(media_type, OpenAPIMediaType):
                media_type.example = _whole(example)
                media_type.schema = schema or media_type.schema


def _show_csv(response: OpenAPIResponse | Reference, example: str) -> None:
    if isinstance(response, OpenAPIResponse) and response.content and example:
        text = Schema(type=OpenAPIType.STRING)
        response.content = {**response.content, CSV: OpenAPIMediaType(schema=text, example=example)}


def _problem(status: HTTPStatus) -> OpenAPIResponse:
    code = CODES.get(status, status.phrase.lower().replace(" ", "_"))
    example: dict[str, object] = {
        "type": f"urn:mailpulse:problem:{code}",
        "title": status.phrase,
        "status": status.value,
        "code": code,
        "detail": "A sentence for people.",
        "request_id": "0f3c1e6a9d2b4c58a7e1f0d3b6c9e2a4",
        "errors": [],
    }
    return OpenAPIResponse(
        description=status.phrase,
        content={MEDIA_TYPE: OpenAPIMediaType(schema=reference_to(Problem), example=example)},
    )


def _whole(example: object) -> msgspec.Raw:
    # Ready JSON: Litestar would leave out every null of a plain dictionary.
    return msgspec.Raw(msgspec.json.encode(example))

"""How the OpenAPI document describes what readers of emails ask for; their handlers see only tokens."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from litestar.openapi.spec import (
    Example,
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    RequestBody,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

TAGS: Final = ["links in emails"]
PIXEL_AS_BASE64: Final = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
_HTML: Final = {
    "text/html": OpenAPIMediaType(
        schema=Schema(type=OpenAPIType.STRING),
        example='<!DOCTYPE html><html lang="en"><title>Unsubscribe</title>…</html>',
    )
}
_GIF: Final = {
    "image/gif": OpenAPIMediaType(
        schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY),
        examples={"pixel": Example(summary="The whole answer, written in base64", value=PIXEL_AS_BASE64)},
    )
}
_BROKEN: Final = {
    str(HTTPStatus.NOT_FOUND.value): OpenAPIResponse(
        description="A plain page: this is no link of ours.", content=_HTML
    ),
    str(HTTPStatus.TOO_MANY_REQUESTS.value): OpenAPIResponse(
        description="The same, after many broken tokens from one network within a minute.",
        content=_HTML,
        headers={"Retry-After": OpenAPIHeader(description="Seconds.", schema=Schema(type=OpenAPIType.INTEGER))},
    ),
}


def _described(
    summary: str,
    description: str,
    responses: dict[str, OpenAPIResponse],
    body: RequestBody | None = None,
) -> type[Operation]:
    @dataclass
    class Described(Operation):
        def __post_init__(self) -> None:
            self.tags = TAGS
            self.summary = summary
            self.description = description
            self.request_body = body
            self.responses = {**responses}

    return Described


OPEN_OPERATION: Final = _described(
    "Show an email's pixel",
    "Always one transparent pixel, for a broken token too. HEAD and prefetching are recorded as what they are.",
    {"200": OpenAPIResponse(description="A GIF of 1×1 pixels.", content=_GIF)},
)
CLICK_OPERATION: Final = _described(
    "Follow an email's link",
    "The address is sealed in the token, so that a link leads only where its author meant, whatever is away.",
    {
        "302": OpenAPIResponse(
            description="Where the author's link leads.",
            headers={
                "Location": OpenAPIHeader(
                    schema=Schema(
                        type=OpenAPIType.STRING,
                        format=OpenAPIFormat.URI,
                        examples=["https://example.com/interviews/42"],
                    )
                )
            },
        ),
        **_BROKEN,
    },
)
ASK_OPERATION: Final = _described(
    "Ask whether to unsubscribe",
    "A page with a button; asking changes nothing, for scanners follow every link.",
    {"200": OpenAPIResponse(description="The page.", content=_HTML), **_BROKEN},
)
UNSUBSCRIBE_OPERATION: Final = _described(
    "Unsubscribe",
    "By the page's button, or by the mail program with one click (RFC 8058). Answered once it is durable.",
    {
        "200": OpenAPIResponse(description="A page that says so.", content=_HTML),
        **_BROKEN,
        "408": OpenAPIResponse(description="The body did not arrive in time.", content=_HTML),
        "413": OpenAPIResponse(description="A body of more than 64 KiB.", content=_HTML),
        "503": OpenAPIResponse(description="It could not be kept: try again.", content=_HTML),
    },
    RequestBody(
        description="`List-Unsubscribe=One-Click`; any other body, or none, means the same.",
        required=False,
        content={
            "application/x-www-form-urlencoded": OpenAPIMediaType(
                schema=Schema(
                    type=OpenAPIType.OBJECT, properties={"List-Unsubscribe": Schema(type=OpenAPIType.STRING)}
                ),
                example="List-Unsubscribe=One-Click",
            )
        },
    ),
)

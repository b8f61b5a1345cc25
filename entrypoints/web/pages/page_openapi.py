"""How the OpenAPI document describes the pages that other software links to; what they say is for people."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from litestar.openapi.spec import OpenAPIHeader, OpenAPIMediaType, OpenAPIResponse, Operation, Schema
from litestar.openapi.spec.enums import OpenAPIType

TAGS: Final = ["pages"]
SESSION: Final = "session"
"""Name of the security scheme: the cookie of who signed in."""
_TEXT: Final = Schema(type=OpenAPIType.STRING)


def page_operation(summary: str, *, title: str, is_of_one: bool = True) -> type[Operation]:
    """Describe a page.

    Args:
        summary: What it shows.
        title: Example of its title.
        is_of_one: Whether its path names something, which may not be there.
    """

    @dataclass
    class Described(Operation):
        def __post_init__(self) -> None:
            self.tags = TAGS
            self.summary = summary
            self.description = (
                "For people who are signed in: link to it. Nothing about its words or markup is promised."
            )
            self.security = [{SESSION: []}]
            self.responses = {
                "200": OpenAPIResponse(description="The page.", content={"text/html": _page(title)}),
                "303": OpenAPIResponse(
                    description="Nobody is signed in: leads to where one does, and back again.",
                    headers={"Location": OpenAPIHeader(schema=_TEXT)},
                ),
            }
            if is_of_one:
                page = _page(HTTPStatus.NOT_FOUND.phrase)
                self.responses["404"] = OpenAPIResponse(
                    description="There is no such thing, as far as the visitor may know.", content={"text/html": page}
                )

    return Described


def _page(title: str) -> OpenAPIMediaType:
    return OpenAPIMediaType(
        schema=_TEXT, example=f'<!doctype html><html lang="en"><title>{title} · Mailpulse</title>…</html>'
    )

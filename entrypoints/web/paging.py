"""How lists are asked for, a page at a time."""

from datetime import datetime
from typing import Annotated, Final, TypeAlias

from litestar.params import QueryParameter

from entrypoints.web.problems import InvalidRequestError
from read_models.paging import PageRequest

LONGEST_PAGE: Final = 1_000
USUAL_PAGE: Final = 50

Limit: TypeAlias = Annotated[int, QueryParameter(ge=1, le=LONGEST_PAGE, description="Items on the page.")]
Cursor: TypeAlias = Annotated[str | None, QueryParameter(description="The `next_cursor` of the page before.")]


def page(limit: int, cursor: str | None) -> PageRequest:
    """Give the part of the list that a request asks for; an empty cursor is the first page."""
    return PageRequest(limit=limit, cursor=cursor or None)


def check_period(start: datetime | None, end: datetime | None, *, names: tuple[str, str]) -> None:
    """Make sure that a period is one.

    Args:
        start: First instant in it.
        end: First instant after it.
        names: Of the two query parameters.

    Raises:
        InvalidRequestError: An instant has no offset from UTC, or the period ends before it starts.
    """
    for name, instant in zip(names, (start, end), strict=True):
        if instant is not None and instant.tzinfo is None:
            raise InvalidRequestError(name, "has no offset from UTC, such as Z or %2B01:00")
    if start is not None and end is not None and start >= end:
        raise InvalidRequestError(names[1], f"is not later than {names[0]}")

"""Lists as CSV (RFC 4180): streamed page by page, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeAlias, TypeVar

import msgspec
from litestar import Request, Response
from litestar.params import QueryParameter
from litestar.response import Stream

from entrypoints.web.operations import CSV, JSON
from entrypoints.web.problems import InvalidRequestError
from read_models.paging import Page, PageRequest

CSV_MEDIA_TYPE: Final = "text/csv; header=present"
ROWS_AT_ONCE: Final = 5_000
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Also the wide ones, which some spreadsheets take for the others."""


FORMATS: Final = ("json", "csv")
Format: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        name="format",
        description="`csv` gives the whole list, whatever `limit` says; so does `Accept: text/csv`. Else `json`.",
        schema_extra={"enum": list(FORMATS)},
    ),
]

Item = TypeVar("Item", bound=msgspec.Struct)


def wants_csv(request: Request[Any, Any, Any], asked: str | None) -> bool:
    """Whether a list is to be answered as CSV; the parameter counts more than the header.

    Raises:
        InvalidRequestError: The parameter asks for anything else.
    """
    if asked is None:
        return bool(request.accept.best_match([JSON, CSV]) == CSV)
    if asked not in FORMATS:
        raise InvalidRequestError("format", f"is not one of {', '.join(FORMATS)}")
    return asked == "csv"


async def list_answer(
    request: Request[Any, Any, Any],
    asked: str | None,
    columns: type[Item],
    ask: Callable[[PageRequest], Awaitable[Page[Item]]],
    part: PageRequest,
    *,
    name: str,
    rows_at_once: int = ROWS_AT_ONCE,
) -> Response[Any]:
    """Answer a page of a list as JSON, or the whole list as CSV.

    Args:
        request: Says by its header what is wanted.
        asked: What its parameter asks for.
        columns: Whose fields, in their order, are the columns.
        ask: Gives a page.
        part: The page of a JSON answer; a CSV answer begins at its cursor.
        name: Of the file, without its ending.
        rows_at_once: Rows of a CSV answer that are in memory.
    """
    if not wants_csv(request, asked):
        return Response(await ask(part))
    # Before the answer begins: what goes wrong here is still answered as a problem.
    first = await ask(PageRequest(limit=rows_at_once, cursor=part.cursor))
    return csv_response(_pages(columns, ask, first, rows_at_once), name=name)


def csv_response(content: AsyncIterator[bytes], *, name: str) -> Response[Any]:
    """Answer with CSV that comes bit by bit."""
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return Stream(content, media_type=CSV_MEDIA_TYPE, headers=headers)


async def _pages(
    columns: type[Item], ask: Callable[[PageRequest], Awaitable[Page[Item]]], page: Page[Item], rows_at_once: int
) -> AsyncIterator[bytes]:
    names = columns.__struct_fields__
    yield csv_lines([names])
    while True:
        yield csv_lines([getattr(item, name) for name in names] for item in page.items)
        if page.next_cursor is None:
            return
        page = await ask(PageRequest(limit=rows_at_once, cursor=page.next_cursor))


def csv_lines(rows: Iterable[Iterable[object]]) -> bytes:
    """Write rows; no cell begins like a formula, whatever a candidate is called."""
    lines = io.StringIO(newline="")
    csv.writer(lines, lineterminator="\r\n").writerows([_cell(value) for value in row] for row in rows)
    return lines.getvalue().encode()


def csv_example(item: Mapping[str, object]) -> str:
    """Show the CSV of a list that holds one item."""
    return csv_lines([item, item.values()]).decode()


def _cell(value: object) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text

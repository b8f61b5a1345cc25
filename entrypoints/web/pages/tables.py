"""Tables to take along: CSV of just what a page shows."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from litestar import Response
from litestar.params import QueryParameter

from entrypoints.web.csv_answers import CSV_MEDIA_TYPE, csv_lines

TableFormat = Annotated[Literal["csv"] | None, QueryParameter(name="format")]
"""``csv`` on a page's own address gives its table instead of the page."""


def table_file(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Response[Any]:
    """Give a table as a file.

    Args:
        name: Of the file, without its ending.
        columns: Their names.
        rows: In the order of the page; times are written in UTC, whatever zone the page shows.
    """
    headers = {"content-disposition": f'attachment; filename="{name}.csv"', "cache-control": "no-store"}
    return Response(csv_lines([columns, *rows]), media_type=CSV_MEDIA_TYPE, headers=headers)

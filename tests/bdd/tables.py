"""Tables of a scenario: read them, and compare them with answers so that a difference can be read as well."""

from datetime import UTC, datetime, timedelta


def rows_of(datatable):
    """Give one dictionary per row below the heading."""
    heading, *rows = datatable
    return [dict(zip(heading, row, strict=True)) for row in rows]


def pairs_of(datatable):
    """Give a table of names and values, which has no heading, as a dictionary."""
    return dict(datatable)


class Columns:
    """Which field of an answer each column of a scenario's table speaks of, and how its cells are written.

    Args:
        fields: By column: the name of the field, dots for fields within fields, and one of the writers below.
        moments: Of the scenario.
    """

    def __init__(self, fields, moments):
        self._fields = fields
        self._moments = moments

    def assert_row(self, what, expected, found):
        """Compare one answer with one row; columns that the row leaves out do not matter."""
        self.assert_rows(what, [expected], [found])

    def assert_rows(self, what, expected, found):
        """Compare answers with rows, in this order and number."""
        names = list(expected[0]) if expected else []
        unknown = set(names) - set(self._fields)
        assert not unknown, f"{what}: no column is called {sorted(unknown)}; known are {sorted(self._fields)}"
        written = [{name: self._write(name, item) for name in names} for item in found]
        wanted = [{name: self._same_way(name, text) for name, text in row.items()} for row in expected]
        assert written == wanted, _difference(what, wanted, written if names else found)

    def _write(self, name, item):
        path, writer = self._fields[name]
        for part in path.split("."):
            item = None if item is None else item[part]
        return writer(item)

    def _same_way(self, name, text):
        if self._fields[name][1] is moment:
            return moment(self._moments.at(text))
        return text


def _difference(what, expected, found):
    lines = [f"{what}:", "  expected"]
    lines += [f"    {row}" for row in expected] or ["    nothing"]
    lines += ["  found"]
    return "\n".join(lines + ([f"    {row}" for row in found] or ["    nothing"]))


def text(value):
    return "" if value is None else str(value)


def number(value):
    """Write a number without needless zeros."""
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def percent(value):
    return "not measured" if value is None else f"{value:g} %"


def points(value):
    return "not measured" if value is None else str(value)


def moment(value):
    """Write a moment, which an answer gives as text."""
    if value is None:
        return ""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def duration(seconds):
    """Write seconds in the largest unit of which they are a whole number."""
    if seconds is None:
        return "not measured"
    for unit in ("days", "hours", "minutes", "seconds"):
        count = timedelta(seconds=seconds) / timedelta(**{unit: 1})
        if count == int(count) and count:
            return f"{int(count)} {unit if count > 1 else unit[:-1]}"
    return f"{seconds:g} seconds"

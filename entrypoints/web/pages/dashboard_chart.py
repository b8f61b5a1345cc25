"""The chart of a dashboard: what is drawn, and as Vega-Lite wants to be told it."""

import json
from functools import cache
from typing import Any, Final, Literal

import msgspec

from entrypoints.web.pages.rendering import asset
from read_models.dashboard.dashboard import Basis, Dashboard, Step
from read_models.metrics.metrics import percent

Charted = Literal["open_rate", "click_rate", "click_to_open_rate", "reply_rate", "bounce_rate"]
COUNTS: Final[dict[Charted, tuple[str, str]]] = {
    "open_rate": ("opens", "sent"),
    "click_rate": ("clicks", "sent"),
    "click_to_open_rate": ("clicks", "opens"),
    "reply_rate": ("replies", "sent"),
    "bounce_rate": ("bounces", "sent"),
}
"""Fields of a point that a rate is told from: how many, of how many."""
DID: Final = {"opens": "Opened", "clicks": "Clicked", "replies": "Replied", "bounces": "Bounced"}


class PointWords(msgspec.Struct, frozen=True, kw_only=True):
    """What the points of a series are called.

    Attributes:
        column: Over their dates in a table, and before one date in a chart.
        written: Format of their dates.
        axis: Format of their dates below a chart.
    """

    one: str
    many: str
    column: str
    written: str
    axis: str


POINTS: Final = {
    Step.DAY: PointWords(one="on a day", many="days", column="Day", written="%-d %b %Y", axis="%-d %b"),
    Step.WEEK: PointWords(one="in a week", many="weeks", column="Week from", written="%-d %b %Y", axis="%-d %b"),
    Step.MONTH: PointWords(one="in a month", many="months", column="Month", written="%b %Y", axis="%b %Y"),
    Step.QUARTER: PointWords(one="in a quarter", many="quarters", column="Quarter from", written="%b %Y", axis="%b %Y"),
}


def drawn(tile: Charted | None) -> dict[str, str]:
    """Give what a chart counts: fields of points, and their words."""
    fields = [COUNTS[tile][0]] if tile else ["opens", "clicks"]
    return {field: DID[field] for field in fields}


def chart(dashboard: Dashboard, tile: Charted | None) -> str:
    """Give the chart's specification with its data, as JSON that is safe inside HTML."""
    of = COUNTS[tile][1] if tile else "sent"
    # On days on which nothing is sent emails are opened too: as activity emails are shown, not percentages of the sent.
    is_rate = dashboard.basis is Basis.COHORT or of == "opens"
    points = [
        {
            "date": point.date.isoformat(),
            "what": what,
            "count": getattr(point, field),
            **({"sent": whole, "rate": percent(getattr(point, field), whole)} if is_rate else {}),
        }
        for point in dashboard.series
        if (whole := getattr(point, of)) or not is_rate
        for field, what in drawn(tile).items()
    ]
    skeleton = _skeleton() if is_rate else _skeleton_of_counts()
    if tile:
        skeleton = _of_one(skeleton, *drawn(tile).values())
    specification = {**_dated(skeleton, dashboard), "datasets": {"series": points}}
    return (
        json.dumps(specification, separators=(",", ":"))
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
    )


def _dated(skeleton: dict[str, Any], dashboard: Dashboard) -> dict[str, Any]:
    """Have a chart write the dates of its points as these need it."""
    words, encoding = POINTS[dashboard.step], skeleton["encoding"]
    day, *others = encoding["tooltip"]
    of_sending = "Sent" if dashboard.step is Step.DAY else f"Sent in the {words.column.lower()}"
    title = words.column if dashboard.basis is Basis.ACTIVITY else of_sending
    tooltip = [{**day, "title": title, "format": words.written}, *others]
    x = {**encoding["x"], "axis": {**encoding["x"]["axis"], "format": words.axis}}
    return {**skeleton, "encoding": {**encoding, "x": x, "tooltip": tooltip}}


def _of_one(skeleton: dict[str, Any], what: str) -> dict[str, Any]:
    """Give the chart of one thing that happened: its colour and its points are those of the first."""
    encoding = dict(skeleton["encoding"])
    for channel in ("color", "shape"):
        first, *_ = encoding[channel]["scale"]["range"]
        encoding[channel] = {**encoding[channel], "scale": {"domain": [what], "range": [first]}}
    encoding["strokeDash"] = {**encoding["strokeDash"], "sort": [what]}
    return {**skeleton, "encoding": encoding}


@cache
def _skeleton_of_counts() -> dict[str, Any]:
    """Give the chart that shows emails, not percentages."""
    skeleton = _skeleton()
    encoding = skeleton["encoding"]
    shown = [one for one in encoding["tooltip"] if one["field"] not in {"rate", "sent"}]
    # Half an email is none: a tick between two numbers has no label.
    axis = {"format": "d", "tickCount": 4, "labelExpr": "datum.value % 1 === 0 ? datum.label : ''"}
    counts = {"field": "count", "type": "quantitative", "title": None, "axis": axis}
    return {**skeleton, "encoding": {**encoding, "y": counts, "tooltip": shown}}


@cache
def _skeleton() -> dict[str, Any]:
    skeleton: dict[str, Any] = json.loads(asset("generated/engagement_over_time.json"))
    return skeleton

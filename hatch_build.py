"""Puts the charts into the package: their specifications, made with Altair, and the program that draws them.

Neither Altair nor the converter is needed at run time, no Node is needed at all, and browsers ask no other host.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

GENERATED = Path("entrypoints/web/pages/assets/generated")
VEGA_LITE = "6.4"
# One global function is all that a page needs; the styles are those of the page, whose policy allows no others.
SNIPPET = """window.drawChart = (element, spec) => vegaEmbed(element, spec, {
  ast: true, actions: false, renderer: 'svg', defaultStyle: false, tooltip: {disableDefaultStyle: true},
});"""


def engagement_over_time() -> dict[str, Any]:
    """Opens and clicks by day or week, as percentages of the emails sent; the data are filled in for each page."""
    days = alt.DataFormat(type="json", parse={"date": "utc:'%Y-%m-%d'"})
    # Not by colour alone: each has its dashes and its points, and the legend shows the points.
    what = ["Opened", "Clicked"]
    # Vega knows UTC and the browser's own zone only: days of the chosen zone are told as days of UTC.
    chart = (
        alt.Chart(alt.Data(values=[], format=days, name="series"))
        .encode(
            x=alt.X("utcyearmonthdate(date):T", title=None, axis=alt.Axis(format="%-d %b", grid=False, tickCount=6)),
            y=alt.Y("rate:Q", title=None, axis=alt.Axis(format="d", labelExpr="datum.label + ' %'", tickCount=4)),
            color=alt.Color("what:N", title="", scale=alt.Scale(domain=what, range=["#2f6fd6", "#b26a00"])),
            shape=alt.Shape("what:N", title="", scale=alt.Scale(domain=what, range=["circle", "square"])),
            strokeDash=alt.StrokeDash("what:N", sort=what, legend=None),
            tooltip=[
                alt.Tooltip("utcyearmonthdate(date):T", title="Sent", format="%-d %B %Y"),
                alt.Tooltip("what:N", title="What"),
                alt.Tooltip("rate:Q", title="Percent", format=".1f"),
                alt.Tooltip("count:Q", title="Emails"),
                alt.Tooltip("sent:Q", title="Of"),
            ],
        )
        .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=36))
        .properties(width="container", height=240, background="transparent")
        .configure(font="system-ui, sans-serif")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor="currentColor", tickColor="currentColor", domainColor="currentColor", labelFontSize=12
        )
        .configure_axisY(gridColor="currentColor", gridOpacity=0.12, domain=False)
        .configure_legend(labelColor="currentColor", labelFontSize=12, orient="top")
    )
    specification: dict[str, Any] = chart.to_dict()
    return specification


CHARTS = {"engagement_over_time.json": engagement_over_time}


class ChartsHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's plugin interface needs no configuration here
    """Called by hatchling for every wheel, editable ones included."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Write what is missing or was made by other versions, and name it as part of the package."""
        folder = Path(self.root) / GENERATED
        made_by = f"vl-convert {vl_convert.__version__}, altair {alt.__version__}, {hash_of_this_file()}\n"
        stamp = folder / "made_by.txt"
        if not stamp.is_file() or stamp.read_text() != made_by:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "charts.js").write_text(vl_convert.javascript_bundle(SNIPPET, vl_version=VEGA_LITE))
            for name, specification in CHARTS.items():
                (folder / name).write_text(json.dumps(specification()))
            stamp.write_text(made_by)
        build_data["artifacts"].append(f"{GENERATED}/*")


def hash_of_this_file() -> str:
    """Tell whether the charts were made as they would be made now."""
    return sha256(Path(__file__).read_bytes()).hexdigest()[:16]

"""The dashboard in a browser that has never been here: until it has loaded, and until its charts are drawn."""

import statistics
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.figures import BenchmarkFailedError, Figures, Target, say
from tests.support.chromium import PROGRAM, Chromium

VISITS = 5
ONE_SECOND = Target(at_most=1_000)
CHARTS = "[...document.querySelectorAll('figure[data-chart]')]"
HAS_CHARTS = f"{CHARTS}.length > 0"
# Seen from the page, whose clock starts when it is asked for; drawing is looked for at every frame.
LOADED_AT = "performance.getEntriesByType('navigation')[0].loadEventEnd"
DRAWN_AT = f"""new Promise(tell => {{
    const look = () => {CHARTS}.every(one => one.matches('.is-drawn')) ? tell(performance.now())
        : requestAnimationFrame(look);
    look();
}})"""


class Waited(NamedTuple):
    """Milliseconds from asking for a page until its load event was over, and until its charts were seen drawn."""

    loaded_ms: float
    drawn_ms: float


def visit_cold(benchmark: str, url: str, cookie: str, figures: Figures, *, label: str) -> None:
    """Open a page several times, each time in a new browser, and put down the medians.

    Args:
        benchmark: What the figures belong to.
        url: Of a page with charts.
        cookie: Name and value of the session to be in, as a browser sends them.
        figures: To add to.
        label: What the page shows.

    Raises:
        BenchmarkFailedError: The page shows no chart.
    """
    if PROGRAM is None:
        say(f"{benchmark}: no Chromium here, the cold browser is left out")
        return
    visits = [_visit(url, cookie) for _ in range(VISITS)]
    for name, times in (
        ("until loaded", [one.loaded_ms for one in visits]),
        ("until drawn", [one.drawn_ms for one in visits]),
    ):
        figures.add(
            benchmark,
            f"{label} in a cold browser, {name}, median",
            statistics.median(times),
            "ms",
            target=ONE_SECOND,
            note=f"{VISITS} new profiles; start of the browser not included",
        )


def _visit(url: str, cookie: str) -> Waited:
    name, _, value = cookie.partition("=")
    with tempfile.TemporaryDirectory() as profile, Chromium(Path(profile)) as browser:
        browser.look_like(width=1280)
        browser.set_cookie(url, name, value)
        browser.go(url)
        drawn_ms = browser.run(DRAWN_AT)
        if not browser.run(HAS_CHARTS):
            raise BenchmarkFailedError(f"{url} shows no chart")
        return Waited(browser.run(LOADED_AT), drawn_ms)

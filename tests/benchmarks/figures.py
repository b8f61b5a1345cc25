"""What was measured, beside what was promised, for people and for programs."""

import platform
import statistics
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec
import psutil


class BenchmarkFailedError(Exception):
    """A benchmark that did not do its work; its time means nothing."""


class Target(msgspec.Struct, frozen=True):
    """What a figure should be.

    Attributes:
        at_least: Or ``at_most``; inclusive.
    """

    at_least: float | None = None
    at_most: float | None = None

    def holds(self, value: float) -> bool:
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

    def __str__(self) -> str:
        return f"≥ {_number(self.at_least)}" if self.at_least is not None else f"≤ {_number(self.at_most or 0)}"


class Figure(msgspec.Struct, kw_only=True):
    """One thing that was measured several times.

    Attributes:
        runs: The value of each run; what is reported is their median.
        note: How it was measured, where the name does not say it.
    """

    benchmark: str
    name: str
    unit: str
    runs: list[float] = msgspec.field(default_factory=list)
    target: Target | None = None
    note: str = ""

    @property
    def value(self) -> float:
        return statistics.median(self.runs)


class Figures:
    """All figures of one run, in the order in which they came up."""

    def __init__(self):
        self._figures: dict[tuple[str, str], Figure] = {}

    def add(
        self, benchmark: str, name: str, value: float, unit: str, *, target: Target | None = None, note: str = ""
    ) -> None:
        """Add the value of one run."""
        figure = self._figures.setdefault(
            (benchmark, name), Figure(benchmark=benchmark, name=name, unit=unit, target=target, note=note)
        )
        figure.runs.append(value)
        say(f"{benchmark}: {name} {_number(value)} {unit}")

    def median(self, benchmark: str, name: str) -> float | None:
        figure = self._figures.get((benchmark, name))
        return figure.value if figure else None

    def missed(self) -> list[Figure]:
        return [figure for figure in self._figures.values() if figure.target and not figure.target.holds(figure.value)]

    def table(self) -> str:
        """Give all figures as a Markdown table."""
        rows = [("benchmark", "figure", "median", "runs", "target", ""), ("---", "---", "---:", "---", "---", "---")]
        for figure in self._figures.values():
            met = "" if figure.target is None else ("met" if figure.target.holds(figure.value) else "**missed**")
            spread = "" if len(figure.runs) == 1 else " ".join(_number(run) for run in figure.runs)
            rows.append(
                (
                    figure.benchmark,
                    figure.name,
                    f"{_number(figure.value)} {figure.unit}",
                    spread,
                    str(figure.target or ""),
                    met,
                )
            )
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        return "\n".join(
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
        )

    def as_json(self, machine: dict[str, str]) -> bytes:
        figures = [
            {"benchmark": f.benchmark, "figure": f.name, "median": f.value, "unit": f.unit, "runs": f.runs}
            | ({"target": str(f.target), "met": f.target.holds(f.value)} if f.target else {})
            | ({"note": f.note} if f.note else {})
            for f in self._figures.values()
        ]
        return msgspec.json.format(msgspec.json.encode({"machine": machine, "figures": figures}), indent=2)


def say(words: str) -> None:
    """Show progress on stderr."""
    print(f"{datetime.now(UTC):%H:%M:%S} {words}", file=sys.stderr, flush=True)


def machine(database: str) -> dict[str, str]:
    """Tell what the figures were measured on."""
    load_1min, _, _ = psutil.getloadavg()
    return {
        "measured_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M}Z",
        "processor": f"{psutil.cpu_count()} × {_processor()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "database": database,
        "libraries": ", ".join(
            f"{name} {version(name)}" for name in ("granian", "litestar", "psycopg", "eventsourcing")
        ),
        "load_before": f"{load_1min:.2f} (who else was at work)",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}".rstrip("0").rstrip(".")

"""Measure Mailpulse beside the limits of the machine that it runs on: ``python -m tests.benchmarks``."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from tests.benchmarks import (
    baseline,
    dashboard,
    drain,
    end_to_end,
    limits,
    notifications,
    projection,
    readers,
    reception,
    retention,
)
from tests.benchmarks.figures import Figures, Target, machine, say
from tests.benchmarks.plan import Plan
from tests.benchmarks.stores import SECRET_KEY, durable_server, server_version
from tests.support.servers import fresh_database

# The machine's limits first, then what is compared with them.
BENCHMARKS: dict[str, Callable[[Plan, Figures], None]] = {
    "limits": limits.run,
    "baseline": baseline.run,
    "reception": reception.run,
    "readers": readers.run,
    "end-to-end": end_to_end.run,
    "drain": drain.run,
    "projection": projection.run,
    "rebuild": projection.run_rebuild,
    "retention": retention.run,
    "dashboard": dashboard.run,
    "notifications": notifications.run,
}
RUN_ONCE = {"rebuild", "retention", "dashboard"}
BARE_P99 = "bare one-row INSERT + COMMIT at 300/s, p99"


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(BENCHMARKS)), help="Measure this one; may be repeated.")
@click.option("--seconds", type=click.FloatRange(1), default=10.0, show_default=True, help="Length of a timed load.")
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True, help="The median is reported.")
@click.option(
    "--quick", is_flag=True, help="One short run of everything, to see that it works; its figures say little."
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures here too."
)
@click.option(
    "--dashboard-events",
    type=click.IntRange(1_000),
    default=10_000_000,
    show_default=True,
    help="Behind the pages that are looked at; --quick takes a hundredth.",
)
@click.option("--database-url", default="", help="Measure on this PostgreSQL; else on an embedded one.")
@click.option("--redis-url", default="", help="Ring through this Redis; else through an embedded one.")
def main(
    *,
    only: tuple[str, ...],
    seconds: float,
    runs: int,
    quick: bool,
    json_file: Path | None,
    dashboard_events: int,
    database_url: str,
    redis_url: str,
) -> None:
    """Print a table of what was measured, beside what was promised."""
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="mailpulse-bench-") as name:
        directory = Path(name)
        directory.chmod(0o755)  # the embedded PostgreSQL runs as another account
        with durable_server(directory / "bare", database_url) as server_url, fresh_database(server_url) as service_url:
            external = {"MAILPULSE_DATABASE_URL": service_url, "MAILPULSE_SECRET_KEYS": SECRET_KEY}
            settings = (external if database_url else {}) | ({"MAILPULSE_REDIS_URL": redis_url} if redis_url else {})
            plan = Plan(
                directory=directory,
                server_url=server_url,
                service_settings=settings,
                seconds=seconds,
                runs=runs,
                dashboard_events=dashboard_events,
            )
            measured_on = machine(server_version(server_url))
            try:
                measure(only or tuple(BENCHMARKS), smaller(plan) if quick else plan, figures)
            finally:  # what is measured is not lost because something after it failed
                report(figures, measured_on, json_file)
    missed = figures.missed()
    if missed and not quick:
        say(f"{len(missed)} targets are missed: {', '.join(f'{figure.benchmark}, {figure.name}' for figure in missed)}")
        sys.exit(1)


def measure(benchmarks: tuple[str, ...], plan: Plan, figures: Figures) -> None:
    """Run benchmarks in rounds, so that each meets the machine at several times."""
    for number in range(plan.runs):
        for benchmark in benchmarks:
            if benchmark not in RUN_ONCE or number == 0:
                say(f"{benchmark}, run {number + 1} of {plan.runs}")
                BENCHMARKS[benchmark](plan, figures)
    compare(figures)


def report(figures: Figures, measured_on: dict[str, str], json_file: Path | None) -> None:
    """Print the machine and the table, and write them where they are wanted."""
    if json_file:
        json_file.write_bytes(figures.as_json(measured_on))
    print("\n".join(f"{name}: {value}" for name, value in measured_on.items()), "", figures.table(), sep="\n")


def smaller(plan: Plan) -> Plan:
    """Give a plan that takes a minute or two."""
    return Plan(
        directory=plan.directory,
        server_url=plan.server_url,
        service_settings=plan.service_settings,
        seconds=min(plan.seconds, 2.0),
        runs=1,
        drain_events=10_000,
        catch_up_events=20_000,
        rebuild_events=50_000,
        purge_events=20_000,
        dashboard_events=plan.dashboard_events // 100,
    )


def compare(figures: Figures) -> None:
    """Add what is promised relative to the machine: medians of the same run."""
    baseline_rate = figures.median(baseline.NAME, baseline.FIGURE)
    for name, figure, times in ((end_to_end.NAME, end_to_end.FIGURE, 4), (reception.NAME, reception.FIGURE, 5)):
        rate = figures.median(name, figure)
        if rate and baseline_rate:
            figures.add(name, f"{figure}, × baseline", rate / baseline_rate, "×", target=Target(at_least=times))
    acknowledged, bare = (
        figures.median(reception.NAME, reception.ACKNOWLEDGED_P99),
        figures.median(limits.NAME, BARE_P99),
    )
    if acknowledged is not None and bare is not None:
        figures.add(
            reception.NAME,
            f"{reception.ACKNOWLEDGED_P99}, beyond the bare commit",
            acknowledged - bare,
            "ms",
            target=Target(at_most=25),
        )


if __name__ == "__main__":
    main()

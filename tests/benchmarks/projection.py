"""From stored events to rows that answer: a projector that has to catch up, and a rebuild beside the serving rows."""

import gc
import subprocess
import sys
import time

import psutil
import psycopg

from read_models.runner import catch_up
from tests.benchmarks.event_store import fill_event_store
from tests.benchmarks.figures import BenchmarkFailedError, Figures, Target, say
from tests.benchmarks.own_process import in_own_process
from tests.benchmarks.plan import Plan
from tests.benchmarks.stores import SECRET_KEY, backend_of, migrated_database, settle
from tests.support.processes import environment
from tests.support.running_service import peak_memory_mb

NAME, REBUILD = "projection", "rebuild"


def run(plan: Plan, figures: Figures) -> None:
    """Catch up from nothing once, in one process: first each read model alone, in the order of the projector."""
    with migrated_database(plan.server_url) as url:
        events = plan.catch_up_events
        fill_event_store(url, events)
        settle(url)
        spent = in_own_process(catch_up_each, url)
        for name, seconds, cpu_s in spent.answer:
            figures.add(NAME, f"catch-up of {name} alone", events / seconds, "events/s")
            figures.add(NAME, f"catch-up of {name} alone, Python CPU", 1e6 * cpu_s / events, "µs/event")
        total_s = sum(seconds for _, seconds, _ in spent.answer)
        _check_caught_up(url, events)
        figures.add(
            NAME,
            "catch-up of all read models, one process",
            events / total_s,
            "events/s",
            target=Target(at_least=25_000),
        )
        figures.add(NAME, "peak memory", spent.peak_mb, "MB", target=Target(at_most=400))


def run_rebuild(plan: Plan, figures: Figures) -> None:
    """Rebuild all read models by command, as many times as there are runs, from the same events."""
    with migrated_database(plan.server_url) as url:
        say(f"{REBUILD}: {plan.rebuild_events:,} events are put into the store")
        fill_event_store(url, plan.rebuild_events)
        settle(url)
        in_minutes = plan.rebuild_events / 1_000_000 * 120
        for _ in range(plan.runs):
            seconds, peak_mb = rebuild_by_command(url)
            _check_caught_up(url, plan.rebuild_events)
            figures.add(
                REBUILD,
                f"{plan.rebuild_events:,} events, all read models",
                seconds,
                "s",
                target=Target(at_most=in_minutes),
                note="mailpulse projections rebuild, start of Python included",
            )
            figures.add(REBUILD, "events/s", plan.rebuild_events / seconds, "events/s")
            figures.add(REBUILD, "peak memory", peak_mb, "MB", target=Target(at_most=400))


def catch_up_each(database_url: str) -> list[tuple[str, float, float]]:
    """Catch up and give name, seconds and CPU seconds of each read model."""
    backend = backend_of(database_url)
    backend.operations.has_due_delivery()  # the connection is open, as a projector's is
    gc.freeze()
    spent = []
    for model in backend.read_models():
        started, used = time.perf_counter(), time.process_time()
        catch_up([model])
        spent.append((model.name, time.perf_counter() - started, time.process_time() - used))
    backend.close()
    return spent


def rebuild_by_command(database_url: str) -> tuple[float, float]:
    """Run ``mailpulse projections rebuild``; give seconds and peak memory in MB."""
    settings = {"MAILPULSE_DATABASE_URL": database_url, "MAILPULSE_SECRET_KEYS": SECRET_KEY}
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "entrypoints.cli", "projections", "rebuild"],
        env=environment() | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as command:
        watched, peak_mb = psutil.Process(command.pid), 0.0
        while command.poll() is None:
            peak_mb = max(peak_mb, peak_memory_mb(watched))
            time.sleep(0.05)
        seconds = time.perf_counter() - started
        if command.returncode:
            raise BenchmarkFailedError(f"projections rebuild: {command.stderr.read().decode()[-500:]}")
    return seconds, peak_mb


def _check_caught_up(database_url: str, events: int) -> None:
    with psycopg.connect(database_url) as connection:
        (last,) = connection.execute("SELECT max(notification_id) FROM events.stored_events").fetchone()
        positions = dict(connection.execute("SELECT name, position FROM ops.read_models").fetchall())
        (poison,) = connection.execute("SELECT count(*) FROM ops.poison_events").fetchone()
        (shown,) = connection.execute(
            "SELECT (SELECT count(*) FROM email_engagement_events WHERE id > 0)"
            " + (SELECT count(*) FROM automated_engagement) + (SELECT count(*) FROM email_logs)"
        ).fetchone()
    if set(positions.values()) != {last} or poison or shown != events:
        raise BenchmarkFailedError(f"of {events} events {shown} are shown, {poison} are poison; positions {positions}")

"""From stored events to rows that answer: a projector that has to catch up, and a rebuild beside the serving rows."""

import subprocess
import sys
import time
from collections.abc import Collection

import psutil
import psycopg

from entrypoints.bootstrap import rebuildable_read_models
from entrypoints.interpreter import tune_interpreter
from entrypoints.projector import Turns
from read_models.runner import ReadModel
from tests.benchmarks.event_store import fill_event_store
from tests.benchmarks.figures import BenchmarkFailedError, Figures, Target, say
from tests.benchmarks.own_process import in_own_process
from tests.benchmarks.plan import Plan
from tests.benchmarks.stores import SECRET_KEY, backend_of, migrated_database, server_cpu_seconds, settle
from tests.support.batches import catch_up
from tests.support.processes import environment
from tests.support.running_service import peak_memory_mb

NAME, REBUILD = "projection", "rebuild"


def run(plan: Plan, figures: Figures) -> None:
    """Catch up from nothing once, as the projector does: the read models take turns, in one process."""
    with migrated_database(plan.server_url) as url:
        events = plan.catch_up_events
        fill_event_store(url, events)
        settle(url)
        before_cpu_s = server_cpu_seconds(url)
        spent = in_own_process(catch_up_all, url)
        server_cpu_s = server_cpu_seconds(url) - before_cpu_s
        seconds, cpu_s, shares = spent.answer
        _check_caught_up(url, events, shares)
        figures.add(
            NAME,
            "catch-up of all read models, one process",
            events / seconds,
            "events/s",
            target=Target(at_least=25_000),
        )
        for name, share_s in shares.items():
            figures.add(NAME, f"of this {name}", 1e6 * share_s / events, "µs/event", note="wall time")
        figures.add(NAME, "Python CPU", 1e6 * cpu_s / events, "µs/event")
        figures.add(NAME, "PostgreSQL CPU", 1e6 * server_cpu_s / events, "µs/event")
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
            _check_caught_up(url, plan.rebuild_events, rebuildable_read_models())
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


class _Timed:
    """A read model that tells how long it took."""

    def __init__(self, model: ReadModel):
        self.name, self.most_events = model.name, model.most_events
        self.seconds = 0.0
        self._model = model

    def advance(self) -> int:
        started = time.perf_counter()
        taken = self._model.advance()
        self.seconds += time.perf_counter() - started
        return taken


def catch_up_all(database_url: str) -> tuple[float, float, dict[str, float]]:
    """Catch up and give seconds, CPU seconds, and the seconds of each read model."""
    backend = backend_of(database_url)
    backend.operations.has_due_delivery()  # the connection is open, as a projector's is
    models = [_Timed(model) for model in backend.read_models()]
    turns = Turns(models)
    tune_interpreter()  # as the process itself does
    started, used = time.perf_counter(), time.process_time()
    while turns.wait_s() == 0.0:
        turns.take()
    catch_up(models)  # what only its pace puts off
    spent = time.perf_counter() - started, time.process_time() - used
    backend.close()
    return *spent, {model.name: model.seconds for model in models}


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


def _check_caught_up(database_url: str, events: int, read_models: Collection[str]) -> None:
    with psycopg.connect(database_url) as connection:
        (last,) = connection.execute("SELECT max(notification_id) FROM events.stored_events").fetchone()
        positions = dict(
            connection.execute(
                "SELECT name, position FROM ops.read_models WHERE name = ANY(%s)", (list(read_models),)
            ).fetchall()
        )
        (poison,) = connection.execute("SELECT count(*) FROM ops.poison_events").fetchone()
        (shown,) = connection.execute(
            "SELECT (SELECT count(*) FROM email_engagement_events WHERE id > 0)"
            " + (SELECT count(*) FROM automated_engagement) + (SELECT count(*) FROM email_logs)"
        ).fetchone()
    if positions != dict.fromkeys(read_models, last) or poison or shown != events:
        raise BenchmarkFailedError(f"of {events} events {shown} are shown, {poison} are poison; positions {positions}")

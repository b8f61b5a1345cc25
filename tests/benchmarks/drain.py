"""From a full inbox to stored events: one worker process, nothing else at work."""

import time
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import psycopg

from adapters.postgres.unit_of_work import BODIES_PURPOSE
from adapters.secrets import SecretBox
from entrypoints.interpreter import tune_interpreter
from tests.benchmarks.figures import BenchmarkFailedError, Figures, Target
from tests.benchmarks.own_process import in_own_process
from tests.benchmarks.plan import Plan
from tests.benchmarks.stores import SECRET_KEY, backend_of, migrated_database, register, server_cpu_seconds, settle
from tests.benchmarks.traffic import EVENTS_PER_EMAIL, Traffic

NAME = "drain"
EVENTS_PER_DELIVERY = 100


def run(plan: Plan, figures: Figures) -> None:
    """Fill an inbox and drain it once."""
    with migrated_database(plan.server_url) as url:
        traffic = Traffic(plan.drain_events // EVENTS_PER_EMAIL)
        organization_id = register(url, traffic.registrations())
        deliveries = plan.drain_events // EVENTS_PER_DELIVERY
        events = deliveries * EVENTS_PER_DELIVERY
        fill_inbox(url, organization_id, traffic, deliveries)
        settle(url)
        before_cpu_s = server_cpu_seconds(url)
        spent = in_own_process(drain_all, url)
        server_cpu_s = server_cpu_seconds(url) - before_cpu_s
        taken, seconds, cpu_s = spent.answer
        recorded = reports_recorded(url)
        if (taken, recorded) != (deliveries, events):
            raise BenchmarkFailedError(f"{taken} of {deliveries} deliveries drained, {recorded} of {events} recorded")
        figures.add(NAME, "full inbox, one process", events / seconds, "events/s", target=Target(at_least=25_000))
        figures.add(NAME, "Python CPU", 1e6 * cpu_s / events, "µs/event")
        figures.add(NAME, "PostgreSQL CPU", 1e6 * server_cpu_s / events, "µs/event")
        figures.add(NAME, "peak memory", spent.peak_mb, "MB", target=Target(at_most=400))


def fill_inbox(database_url: str, organization_id: UUID, traffic: Traffic, deliveries: int) -> None:
    """Put deliveries where the edge keeps them."""
    endpoint_id, headers = uuid4(), msgspec.msgpack.encode({})
    bodies = SecretBox([SECRET_KEY], purpose=BODIES_PURPOSE)
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ops.webhook_inbox"
            " (endpoint_id, organization_id, provider, correlation_id, received_at, headers, body, sealed)"
            " VALUES (%s, %s, 'sendgrid', 'benchmark', %s, %s, %s, true)",
            [
                (endpoint_id, organization_id, datetime.now(UTC), headers, bodies.seal(body))
                for body in traffic.bodies(deliveries, EVENTS_PER_DELIVERY)
            ],
        )


def drain_all(database_url: str) -> tuple[int, float, float]:
    """Drain as the worker does; give deliveries, seconds and CPU seconds."""
    backend = backend_of(database_url)
    drain = backend.drain
    backend.operations.has_due_delivery()  # the connection is open, as a worker's is
    drain.detection()  # and its rules are read
    tune_interpreter()  # as the process itself does
    started, used = time.perf_counter(), time.process_time()
    taken = drain.drain_all()
    spent = time.perf_counter() - started, time.process_time() - used
    backend.close()
    return taken, *spent


def reports_recorded(database_url: str) -> int:
    """Give the number of reports that became events."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT reports FROM ops.report_outcomes WHERE outcome = 'recorded'").fetchone()
        return int(row[0]) if row else 0

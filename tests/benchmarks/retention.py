"""A purge of old emails while reports about young ones of the same organisation come in at a fixed rate."""

import json
import subprocess
import sys
import time
from datetime import timedelta
from uuid import UUID

import psycopg

from entrypoints.secret_keys import kept_secret_keys, parse_secret_keys
from tests.benchmarks.event_store import fill_event_store
from tests.benchmarks.figures import BenchmarkFailedError, Figures, Target, say
from tests.benchmarks.load import finish_load, read_record, start_load
from tests.benchmarks.plan import Plan
from tests.benchmarks.service import Subject, running_subject
from tests.benchmarks.traffic import Traffic

NAME = "retention"
POSTS_PER_SECOND = 100
CONNECTIONS = 32
AGE = timedelta(days=800)
EXPECTED_EVENTS_PER_SECOND = 6_000
"""The load lasts as long as a purge at this rate does; a slower one is measured as far as the load goes."""
QUIET_S = 5.0
"""Of the load, before the purge begins: what it is compared with."""
PROJECTED_EVENTS_PER_SECOND = 2_000
"""At least this much, or the wait for the projector is given up."""


def run(plan: Plan, figures: Figures) -> None:
    """Purge once."""
    with running_subject(plan) as subject:
        events = plan.purge_events
        say(f"{NAME}: {events:,} old events are put into the store and projected")
        organization_id = UUID(subject.organization_id)
        configured = subject.service.environment.get("MAILPULSE_SECRET_KEYS")
        keys = parse_secret_keys(configured) if configured else kept_secret_keys(subject.service.data_dir)
        secret_keys = [key.reveal() for key in keys]
        fill_event_store(
            subject.service.database_url, events, organization_id=organization_id, age=AGE, secret_keys=secret_keys
        )
        # Whoever appends tells the projector; COPY does not, but its look-out every second does.
        subject.wait_until_quiet(within_s=60 + events / PROJECTED_EVENTS_PER_SECOND)
        totals = _totals(subject)
        seconds, purged, waits = _purge_under_load(plan, subject, QUIET_S + 5 + events / EXPECTED_EVENTS_PER_SECOND)
        _check(subject, totals, events, purged)
        figures.add(NAME, f"{events:,} old events, purged", events / seconds, "events/s", note="with rests between")
        quiet, busy = waits
        figures.add(
            NAME,
            f"webhook at {POSTS_PER_SECOND}/s during the purge, p99",
            _percentile(busy, 99),
            "ms",
            target=Target(at_most=500),
            note=f"{len(busy)} posts",
        )
        figures.add(NAME, "the same, p50", _percentile(busy, 50), "ms")
        figures.add(NAME, "the same, worst", max(busy), "ms")
        figures.add(NAME, f"webhook at {POSTS_PER_SECOND}/s before it, p99", _percentile(quiet, 99), "ms")


def _purge_under_load(
    plan: Plan, subject: Subject, load_s: float
) -> tuple[float, dict, tuple[list[float], list[float]]]:
    posts = int(POSTS_PER_SECOND * load_s)
    traffic = Traffic(posts // 2, name="retention")
    subject.service.register(traffic.registrations(), subject.api_key)
    requests, record = plan.directory / "retention.requests", plan.directory / "retention.record"
    subject.write_posts(requests, traffic.bodies(posts, 1))
    subject.settle()
    load = start_load(requests, subject.service.port, connections=CONNECTIONS, rate=POSTS_PER_SECOND, record=record)
    time.sleep(QUIET_S)
    began = time.monotonic()
    purged = _retention(subject)
    ended = time.monotonic()
    finish_load(load)
    times = read_record(record)
    requests.unlink()
    record.unlink()
    quiet = [1_000 * (answered - due) for due, answered in times if due < began]
    busy = [1_000 * (answered - due) for due, answered in times if began <= due < ended]
    return ended - began, purged, (quiet, busy)


def _retention(subject: Subject) -> dict:
    """Run ``mailpulse retention`` to its end, as often as it says that there is more."""
    total = {"emails": 0, "events": 0}
    while True:
        command = [sys.executable, "-m", "entrypoints.cli", "retention", "--org", subject.organization_id, "--json"]
        done = subprocess.run(
            command, env=subject.service.environment, cwd=subject.service.data_dir, capture_output=True, check=False
        )
        if not done.stdout:
            raise BenchmarkFailedError(f"retention: {done.stderr.decode()[-500:]}")
        [answer] = json.loads(done.stdout)["items"]
        total = {name: total[name] + answer[name] for name in total}
        if not answer["unfinished"]:
            return total
        if not answer["emails"]:
            raise BenchmarkFailedError(f"retention does not get on: {answer['unfinished']}")


def _totals(subject: Subject) -> int:
    with psycopg.connect(subject.service.database_url) as connection:
        [row] = connection.execute("SELECT sum(sent) FROM email_totals").fetchall()
        return int(row[0])


def _check(subject: Subject, totals: int, events: int, purged: dict) -> None:
    subject.wait_until_quiet()
    with psycopg.connect(subject.service.database_url) as connection:
        [(left, streams, sums)] = connection.execute(
            "SELECT (SELECT count(*) FROM email_logs WHERE sent_at < now() - interval '730 days'),"
            " (SELECT count(*) FROM events.stored_events s WHERE NOT EXISTS (SELECT FROM email_logs e"
            " WHERE e.email_id = s.originator_id) AND topic LIKE 'EmailMessage.%'),"
            " (SELECT sum(sent) FROM email_totals WHERE sent_quarter < now() - interval '730 days')"
        ).fetchall()
    if purged["events"] != events or left or streams or sums != totals:
        raise BenchmarkFailedError(f"{purged} of {events} went, {left} rows and {streams} facts left, totals {sums}")


def _percentile(values: list[float], percent: int) -> float:
    return sorted(values)[len(values) * percent // 100]

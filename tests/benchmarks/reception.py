"""Posts of one event: how many are acknowledged, how soon, and how soon they can be asked for."""

import time

import msgspec
import psycopg

from tests.benchmarks import limits
from tests.benchmarks.figures import BenchmarkFailedError, Figures, Target
from tests.benchmarks.load import finish_load, read_record, start_load
from tests.benchmarks.plan import Plan
from tests.benchmarks.service import Subject, running_subject
from tests.benchmarks.traffic import Traffic

NAME = "reception"
FIGURE = "posts of one event, acknowledged"
ACKNOWLEDGED_P99 = "one event at 300/s, acknowledged, p99"
EMAILS = 5_000
MOST_POSTS_PER_SECOND = 8_000
CONNECTIONS = 64
POLL_S = 0.01


def run(plan: Plan, figures: Figures) -> None:
    """Measure a closed and an open loop once."""
    with running_subject(plan) as subject:
        _open_loop(plan, figures, subject)
        _closed_loop(plan, figures, subject)


def _closed_loop(plan: Plan, figures: Figures, subject: Subject) -> None:
    traffic = Traffic(EMAILS, name="closed")
    subject.service.register(traffic.registrations(), subject.api_key)
    requests = plan.directory / "reception.requests"
    subject.write_posts(requests, traffic.bodies(int(MOST_POSTS_PER_SECOND * plan.seconds), 1))
    subject.settle()
    before_cpu_s = subject.cpu_seconds()
    loaded = finish_load(start_load(requests, subject.service.port, connections=CONNECTIONS, seconds=plan.seconds))
    after_cpu_s = subject.cpu_seconds() | {"load generator": loaded.cpu_s}
    figures.add(NAME, FIGURE, loaded.sent / loaded.seconds, "posts/s", target=Target(at_least=2_000))
    figures.add(NAME, f"the same, p99 with {CONNECTIONS} connections", loaded.p99_ms, "ms")
    for kind, spent_s in sorted(after_cpu_s.items()):
        cpu_us = 1e6 * (spent_s - before_cpu_s.get(kind, 0.0)) / loaded.sent
        figures.add(NAME, f"the same, CPU of {kind}", cpu_us, "µs/post")
    requests.unlink()


def _open_loop(plan: Plan, figures: Figures, subject: Subject) -> None:
    posts = int(limits.OPEN_LOOP_RATE * plan.seconds * 2)
    traffic = Traffic(posts, name="open")
    registered = subject.service.register(traffic.registrations(), subject.api_key)
    place_of = {answer["email_log_id"]: place for place, answer in enumerate(registered)}
    requests, record = plan.directory / "paced.requests", plan.directory / "paced.record"
    subject.write_posts(requests, (b"[%b]" % body for body in _bodies_of_opens(traffic)))
    subject.settle()
    load = start_load(
        requests,
        subject.service.port,
        connections=limits.CONNECTIONS,
        rate=limits.OPEN_LOOP_RATE,
        record=record,
    )
    visible_at = _watch(subject.service.database_url, place_of, posts)
    loaded = finish_load(load)
    due_at = [due for due, _ in read_record(record)]
    waits = sorted(visible_at[place] - due for place, due in enumerate(due_at))
    figures.add(NAME, "one event at 300/s, acknowledged, p50", loaded.p50_ms, "ms")
    figures.add(NAME, ACKNOWLEDGED_P99, loaded.p99_ms, "ms")
    figures.add(NAME, "one event at 300/s, visible in a query, p50", 1_000 * waits[len(waits) // 2], "ms")
    figures.add(
        NAME,
        "one event at 300/s, visible in a query, p99",
        1_000 * waits[len(waits) * 99 // 100],
        "ms",
        target=Target(at_most=300),
        note="seen by a query for new rows of email_engagement_events every 10 ms, so up to 10 ms too late",
    )
    _check_by_api(subject, [answer["email_id"] for answer in registered[:: max(1, posts // 20)]])
    requests.unlink()
    record.unlink()


def _bodies_of_opens(traffic: Traffic):
    return (msgspec.json.encode(event) for event in traffic.opens_of(range(traffic.emails)))


def _watch(database_url: str, place_of: dict[int, int], posts: int) -> dict[int, float]:
    """Look for new rows until there is one for each post; give when each was first seen.

    The rows commit together with the email's own row, and their id follows the order of commits, so that a walk along
    the primary key sees each once and disturbs nobody.
    """
    seen: dict[int, float] = {}
    after, deadline = 0, time.monotonic() + posts / limits.OPEN_LOOP_RATE + 60
    with psycopg.connect(database_url, autocommit=True, prepare_threshold=0) as connection:
        while len(seen) < posts:
            rows = connection.execute(
                "SELECT id, email_log_id FROM email_engagement_events WHERE id > %s ORDER BY id", (after,), binary=True
            ).fetchall()
            now = time.monotonic()
            for after, email_log_id in rows:  # noqa: B007 - the next query goes on from the last
                seen[place_of[email_log_id]] = now
            if now > deadline:
                raise BenchmarkFailedError(f"{posts - len(seen)} of {posts} events were never visible")
            time.sleep(POLL_S)
    return seen


def _check_by_api(subject: Subject, email_ids: list[str]) -> None:
    for email_id in email_ids:
        _, email = subject.service.get(f"/api/v1/emails/{email_id}", subject.api_key)
        if email.get("open_count") != 1:
            raise BenchmarkFailedError(f"the API does not show the open of {email_id}: {email}")

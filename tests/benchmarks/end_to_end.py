"""From the first post to the last event that a query shows: everything at once, load generator included.

A first, short load tells about what the service takes. The measured one offers clearly more than that all the time, so
that no part of the way is ever idle, and the clock runs until nothing of it is missing in the API.
"""

import time
from typing import NamedTuple

from tests.benchmarks.figures import BenchmarkFailedError, Figures, Target
from tests.benchmarks.load import finish_load, start_load
from tests.benchmarks.plan import Plan
from tests.benchmarks.service import Subject, running_subject
from tests.benchmarks.traffic import EVENTS_PER_EMAIL, Traffic

NAME = "end to end"
FIGURE = "posts of 100 events until the last is visible"
EVENTS_PER_POST = 100
SUSTAINED = 3
WARM_UP_POSTS_PER_SECOND = 100
OVERLOAD = 1.4
CONNECTIONS = 16


class Measured(NamedTuple):
    """What one load showed.

    Attributes:
        rate: Events/s until all are visible.
        lag_s: From the last acknowledgement to then.
        cpu_us: Per event, by kind of process.
    """

    rate: float
    lag_s: float
    cpu_us: dict[str, float]


def run(plan: Plan, figures: Figures) -> None:
    """Measure a sustained load once."""
    with running_subject(plan) as subject:
        first = Traffic(int(WARM_UP_POSTS_PER_SECOND * plan.seconds) * EVENTS_PER_POST // EVENTS_PER_EMAIL, name="w")
        rate = _measure(plan, subject, first, rate=None, posts=int(WARM_UP_POSTS_PER_SECOND * plan.seconds)).rate
        offered = rate * OVERLOAD / EVENTS_PER_POST
        posts = int(offered * plan.seconds * SUSTAINED)
        traffic = Traffic(posts * EVENTS_PER_POST // EVENTS_PER_EMAIL, name="s")
        measured = _measure(plan, subject, traffic, rate=offered, posts=posts)
        figures.add(NAME, "taken by the short load before", rate, "events/s")
        figures.add(
            NAME,
            FIGURE,
            measured.rate,
            "events/s",
            target=Target(at_least=10_000),
            note=f"offered {offered * EVENTS_PER_POST:,.0f} events/s for {plan.seconds * SUSTAINED:g} s",
        )
        figures.add(NAME, "last acknowledgement until the last event is visible", measured.lag_s, "s")
        for kind, cpu_us in sorted(measured.cpu_us.items()):
            figures.add(NAME, f"CPU of {kind}", cpu_us, "µs/event")
        peak_mb, whose = subject.peak_memory()
        figures.add(NAME, "largest process", peak_mb, "MB", target=Target(at_most=400), note=whose)


def _measure(plan: Plan, subject: Subject, traffic: Traffic, *, rate: float | None, posts: int) -> Measured:
    subject.service.register(traffic.registrations(), subject.api_key)
    before = subject.events_shown()
    requests = plan.directory / "end-to-end.requests"
    subject.write_posts(requests, traffic.bodies(posts, EVENTS_PER_POST))
    subject.settle()
    before_cpu_s = subject.cpu_seconds()
    loaded = finish_load(start_load(requests, subject.service.port, connections=CONNECTIONS, rate=rate))
    subject.wait_until_quiet()
    shown = subject.shown_by_api(traffic)
    visible_at = time.monotonic()
    after_cpu_s = subject.cpu_seconds() | {"load generator": loaded.cpu_s}
    requests.unlink()
    expected = {name: traffic.expected[name] for name in shown}
    counted = subject.events_shown() - before
    if loaded.sent != posts or shown != expected or counted != posts * EVENTS_PER_POST:
        raise BenchmarkFailedError(f"of {posts} posts: {shown} instead of {expected}, {counted} events")
    events = posts * EVENTS_PER_POST
    return Measured(
        rate=events / (visible_at - loaded.started_at),
        lag_s=visible_at - loaded.ended_at,
        cpu_us={kind: 1e6 * (spent - before_cpu_s.get(kind, 0.0)) / events for kind, spent in after_cpu_s.items()},
    )

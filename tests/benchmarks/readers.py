"""Readers of instrumented emails: how soon a pixel is there, also without the database; what instrumenting costs."""

import os
import re
import signal
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

from adapters.tracking_tokens import SealedTokens
from application.html_anatomy import anatomy_of
from application.instrument_email import _Marker
from application.ports.tracking_tokens import EmailReference
from domain.email_facts import Personal
from entrypoints.client import instrument
from tests.benchmarks import limits
from tests.benchmarks.figures import BenchmarkFailedError, Figures, Target
from tests.benchmarks.load import finish_load, start_load, write_requests
from tests.benchmarks.plan import Plan
from tests.benchmarks.service import Subject, running_subject
from tests.support.running_service import POSTGRES

NAME = "readers"
EMAILS = 50
HTML_BYTES = 100_000
AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
_ROW = (
    '<tr><td align="center" style="padding:10px 0;font-family:Arial,sans-serif;font-size:14px;color:#333333">Dear John,'
    ' would you like to <b>meet</b> us &amp; the team? <a href="https://example.com/jobs/{0}?utm_source=mail&amp;id={0}"'
    ' style="color:#0066cc;text-decoration:underline" target="_blank">Choose a <span>time</span></a><br></td></tr>\n'
)


def run(plan: Plan, figures: Figures) -> None:
    """Measure pixels and instrumenting once."""
    _instrumenting(figures)
    with running_subject(plan) as subject:
        _pixels(plan, figures, subject)


def newsletter(size: int = HTML_BYTES) -> str:
    """Give an ordinary newsletter of this many characters, with a link in each row of its table."""
    rows = ""
    while len(rows) < size:
        rows += _ROW.format(len(rows))
    return f"<!DOCTYPE html><html><body><table>{rows}"[: size - 14] + "</body></html>"


def _instrumenting(figures: Figures) -> None:
    html = newsletter()
    tokens = SealedTokens(["the secret key of the benchmarks"])
    email = EmailReference(UUID(int=1), UUID(int=2))
    john = Personal(address="john@example.com", name="John Smith")
    times = []
    for _ in range(20):
        before = time.process_time()
        _Marker(tokens, email, john, own="https://pulse.example.com/t/").html(html, anatomy_of(html))
        times.append(1_000 * (time.process_time() - before))
    figures.add(
        NAME,
        "100 kB of HTML, instrumented, CPU",
        sorted(times)[len(times) // 2],
        "ms",
        target=Target(at_most=20),
        note=f"{len(anatomy_of(html).links)} links",
    )


def _pixels(plan: Plan, figures: Figures, subject: Subject) -> None:
    service = subject.service
    answers = [
        instrument(
            _registration(number), html="x", service_url=f"http://127.0.0.1:{service.port}", api_key=subject.api_key
        )
        for number in range(EMAILS)
    ]
    paths = [re.findall(r"/t/o/[\w-]+", answer.html or "")[0] for answer in answers]
    posts = int(limits.OPEN_LOOP_RATE * plan.seconds)
    requests = plan.directory / "pixels.requests"
    write_requests(requests, (_get(paths[number % EMAILS]) for number in range(posts)))
    subject.settle()
    nothing = plan.directory / "nothing.requests"
    write_requests(nothing, (_get("/health/live") for _ in range(posts)))
    bare = finish_load(start_load(nothing, service.port, connections=limits.CONNECTIONS, rate=limits.OPEN_LOOP_RATE))
    figures.add(NAME, "an answer that does nothing, at 300/s, p99", bare.p99_ms, "ms")
    before_cpu_s = subject.cpu_seconds()
    loaded = finish_load(start_load(requests, service.port, connections=limits.CONNECTIONS, rate=limits.OPEN_LOOP_RATE))
    cpu_s = subject.cpu_seconds()
    figures.add(NAME, "a pixel at 300/s, p50", loaded.p50_ms, "ms")
    figures.add(NAME, "a pixel at 300/s, p99", loaded.p99_ms, "ms", target=Target(at_most=5))
    for kind in sorted(cpu_s):
        figures.add(
            NAME, f"the same, CPU of {kind}", 1e6 * (cpu_s[kind] - before_cpu_s.get(kind, 0.0)) / posts, "µs/pixel"
        )
    silenced = [process for process in service.all_processes() if POSTGRES in " ".join(process.cmdline())]
    for process in silenced:
        os.kill(process.pid, signal.SIGSTOP)
    try:
        loaded = finish_load(
            start_load(requests, service.port, connections=limits.CONNECTIONS, rate=limits.OPEN_LOOP_RATE)
        )
    finally:
        for process in silenced:
            os.kill(process.pid, signal.SIGCONT)
    if silenced:
        figures.add(
            NAME, "a pixel at 300/s while PostgreSQL is silent, p99", loaded.p99_ms, "ms", target=Target(at_most=5)
        )
    _check_by_api(subject, [answer.email_id for answer in answers], 2 * posts)
    requests.unlink()
    nothing.unlink()


def _check_by_api(subject: Subject, email_ids: list[str], opens: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        counted = sum(
            subject.service.get(f"/api/v1/emails/{email_id}", subject.api_key)[1]["open_count"]
            for email_id in email_ids
        )
        if counted == opens:
            return
        time.sleep(0.5)
    raise BenchmarkFailedError(f"{counted} of {opens} opens were counted")


def _registration(number: int) -> dict[str, object]:
    return {
        "provider": "email",
        "message_id": f"{number}@readers.example",
        "sent_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
        "subject": "Invitation",
        "recipient": {"id": f"c-{number}", "email": f"reader-{number}@example.com"},
        "sender": {"id": "r-7"},
    }


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: {AGENT}\r\n\r\n".encode()

"""From a provider's post to the streams of the people who wait for it, and to a host application: NFR-4.

Every report is the first open of an email, so each is told to its sender: first to all streams of that person, then to
a receiver of outgoing webhooks on this machine. The clock runs from before the request is sent until the event has been
read from the socket, in one process for both ends.
"""

import asyncio
import contextlib
import json
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tests.benchmarks.figures import BenchmarkFailedError, Figures, Target
from tests.benchmarks.host_application import HostApplication, listening
from tests.benchmarks.plan import Plan
from tests.benchmarks.service import Subject, running_subject
from tests.support.event_streams import close_all, open_stream

NAME = "notifications"
STREAMS = 50
PEOPLE = 10
EVENTS_PER_SECOND = 100
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:124.0) Gecko/20100101 Firefox/124.0"
PATIENCE_S = 30.0


def run(plan: Plan, figures: Figures) -> None:
    """Measure a steady trickle once for streams, then once for a host application."""
    count = int(EVENTS_PER_SECOND * plan.seconds)
    with running_subject(plan, MAILPULSE_OUTGOING_NETWORKS="127.0.0.1/32") as subject:
        subject.service.register([_email(number) for number in range(2 * count)], subject.api_key)
        subject.settle()
        read = sorted(asyncio.run(_measure(subject, range(count))))
        subject.settle()
        received = sorted(asyncio.run(_measure_application(subject, range(count, 2 * count))))
    _expect("events over the streams", read, count * STREAMS // PEOPLE)
    _expect("deliveries to the host application", received, count)
    note = f"{EVENTS_PER_SECOND} opens/s, one a post"
    streams = f"{note}, {STREAMS} streams of {PEOPLE} people"
    _add(figures, "post until it was read from a stream", read, streams, p99=Target(at_most=300))
    _add(figures, "post until a host application has it", received, f"{note}, one outgoing webhook")


def _expect(what: str, latencies: list[float], count: int) -> None:
    if len(latencies) != count:
        raise BenchmarkFailedError(f"there were {len(latencies)} {what} instead of {count}")


def _add(figures: Figures, what: str, latencies: list[float], note: str, *, p99: Target | None = None) -> None:
    for share, target in ((0.5, None), (0.99, p99), (1.0, None)):
        value = latencies[min(int(len(latencies) * share), len(latencies) - 1)] * 1000
        name = f"{what}, " + (f"p{share * 100:g}" if share < 1 else "longest")
        figures.add(NAME, name, value, "ms", target=target, note=note)


async def _measure(subject: Subject, numbers: range) -> list[float]:
    posted: dict[str, float] = {}
    try:
        tokens = [await asyncio.to_thread(_token, subject, person) for person in range(PEOPLE)]
        streams = [await open_stream(subject.service.port, tokens[number % PEOPLE]) for number in range(STREAMS)]
        async with asyncio.TaskGroup() as group:
            listening = [group.create_task(_listen(stream, posted, len(numbers) // PEOPLE)) for stream in streams]
            await _post(subject, posted, numbers)
        return [latency for task in listening for latency in task.result()]
    finally:
        await close_all()


async def _measure_application(subject: Subject, numbers: range) -> list[float]:
    posted: dict[str, float] = {}
    application = HostApplication(expected=len(numbers))
    async with listening(application) as url:
        await asyncio.to_thread(subject.service.post, "/api/v1/outgoing-webhooks", {"url": url}, subject.api_key)
        await _post(subject, posted, numbers)
        with contextlib.suppress(TimeoutError):  # what is missing fails the benchmark, with its number
            async with asyncio.timeout(PATIENCE_S):
                await application.is_complete.wait()
    return [at - posted[about] for about, at in application.arrived.items()]


async def _listen(stream, posted: dict[str, float], count: int) -> list[float]:
    latencies = []
    try:
        async with asyncio.timeout(PATIENCE_S + count * PEOPLE / EVENTS_PER_SECOND):
            while len(latencies) < count and (event := await stream.next()):
                latencies.append(time.perf_counter() - posted[event.data["subject"]])
    except TimeoutError:
        pass  # what is missing fails the benchmark, with its number
    return latencies


async def _post(subject: Subject, posted: dict[str, float], numbers: range) -> None:
    started = time.perf_counter()
    connections = [await asyncio.open_connection("127.0.0.1", subject.service.port) for _ in range(8)]
    free = asyncio.Queue()
    for connection in connections:
        free.put_nowait(connection)
    async with asyncio.TaskGroup() as group:
        for place, number in enumerate(numbers):
            await asyncio.sleep(max(0.0, started + place / EVENTS_PER_SECOND - time.perf_counter()))
            group.create_task(_post_one(subject, free, posted, number))
    for _, outgoing in connections:
        outgoing.close()
        await outgoing.wait_closed()


async def _post_one(subject: Subject, free: asyncio.Queue, posted: dict[str, float], number: int) -> None:
    body = json.dumps([_open(number)]).encode()
    request = subject.signed_post(body)
    posted[_subject(number)] = time.perf_counter()
    incoming, outgoing = await free.get()
    outgoing.write(request)
    head = await incoming.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise BenchmarkFailedError(f"a post was answered with {head[:30]!r}")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    await incoming.readexactly(length)
    free.put_nowait((incoming, outgoing))


def _token(subject: Subject, person: int) -> str:
    answer = subject.service.post(
        "/api/v1/user-sessions", {"user_id": f"r-{person}", "role": "recruiter"}, subject.api_key
    )
    return answer[1]["token"]


def _email(number: int) -> dict:
    return {
        "provider": "sendgrid",
        "message_id": f"notified-{number}",
        "sent_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
        "subject": _subject(number),
        "recipient": {
            "type": "Candidate",
            "id": f"c-{number}",
            "email": f"c{number}@example.com",
            "name": f"C {number}",
        },
        "sender": {"id": f"r-{number % PEOPLE}", "name": "Ada Recruiter"},
    }


def _open(number: int) -> dict:
    return {
        "event": "open",
        "email": f"c{number}@example.com",
        "timestamp": int(time.time()),
        "sg_message_id": f"notified-{number}.filter0001",
        "sg_event_id": uuid4().hex,
        "useragent": AGENT,
        "ip": f"198.51.{number // 250 % 250}.{number % 250 + 1}",
    }


def _subject(number: int) -> str:
    return f"Subject {number}"

"""The load generator: a process of its own that posts requests made beforehand, and spends next to nothing on each.

Raw asyncio connections with HTTP/1.1 keep-alive; no HTTP library, no JSON, no signing once the clock runs. Latencies of
an open loop count from the moment a request was due, so that a stall is paid for by every request behind it.

    python -m tests.benchmarks.load FILE PORT [--rate R] [--seconds S] [--connections N] [--record FILE]
"""

import asyncio
import mmap
import struct
import subprocess
import sys
import time
from array import array
from collections import Counter, deque
from collections.abc import Iterable
from pathlib import Path

import click
import msgspec

HEADER_END = b"\r\n\r\n"
CHUNKS_END = b"0\r\n\r\n"
LONGEST_WAIT_S = 120.0


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What the load generator saw.

    Attributes:
        started_at: Like ``ended_at`` on the machine's monotonic clock; the first request was due then.
        ended_at: When the last answer came.
        p50_ms: Of the time to the answer.
        cpu_s: That the generator itself used.
    """

    sent: int
    statuses: dict[int, int]
    started_at: float
    ended_at: float
    p50_ms: float
    p99_ms: float
    cpu_s: float

    @property
    def seconds(self) -> float:
        return self.ended_at - self.started_at


class RequestFile:
    """Requests as they go over the wire, each behind its length."""

    def __init__(self, path: Path):
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._bounds: list[tuple[int, int]] = []
        place = 0
        while place < len(self._map):
            (size,) = struct.unpack_from("<I", self._map, place)
            self._bounds.append((place + 4, place + 4 + size))
            place += 4 + size

    def __len__(self):
        return len(self._bounds)

    def __getitem__(self, number: int) -> bytes:
        start, end = self._bounds[number]
        return self._map[start:end]


def write_requests(path: Path, requests: Iterable[bytes]) -> int:
    """Write a request file and give the number of requests."""
    count = 0
    with path.open("wb") as file:
        for request in requests:
            file.write(struct.pack("<I", len(request)) + request)
            count += 1
    return count


def http_post(path: str, headers: dict[str, str], body: bytes) -> bytes:
    """Give one request as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json"]
    lines += [f"content-length: {len(body)}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def start_load(
    requests: Path,
    port: int,
    *,
    connections: int,
    rate: float | None = None,
    seconds: float | None = None,
    record: Path | None = None,
) -> "subprocess.Popen[bytes]":
    """Start the generator; see the module. Without a rate each connection posts as soon as it is answered."""
    command = [sys.executable, "-m", "tests.benchmarks.load", str(requests), str(port), f"--connections={connections}"]
    command += [f"--rate={rate}"] if rate else []
    command += [f"--seconds={seconds}"] if seconds else []
    command += [f"--record={record}"] if record else []
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def finish_load(generator: "subprocess.Popen[bytes]") -> Loaded:
    """Wait for the generator; raises ChildProcessError if it failed or an answer was not a 200."""
    said, _ = generator.communicate()
    if generator.returncode:
        raise ChildProcessError(f"the load generator ended with {generator.returncode}")
    loaded = msgspec.json.decode(said, type=Loaded, strict=False)
    if set(loaded.statuses) != {200}:
        raise ChildProcessError(f"not every post was acknowledged: {loaded.statuses}")
    return loaded


def read_record(path: Path) -> list[tuple[float, float]]:
    """Give when each request was due and when it was answered, on the monotonic clock."""
    times = array("d")
    times.frombytes(path.read_bytes())
    return list(zip(times[0::2], times[1::2], strict=True))


class _Connection(asyncio.Protocol):
    """Sends one request at a time and tells when it was answered."""

    def __init__(self, run: "_Run"):
        self._run = run
        self._received = b""
        self._request = -1
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport):
        self._transport = transport

    def send(self, number: int) -> None:
        self._request = number
        self._transport.write(self._run.requests[number])

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = _answer_end(self._received)
        if end:
            status = int(self._received[9:12])
            self._received = self._received[end:]
            self._run.answered(self, self._request, status)

    def connection_lost(self, exc):
        self._run.lost(exc)


def _answer_end(received: bytes) -> int:
    """Give the length of the first answer, 0 while it is incomplete."""
    head, found, body = received.partition(HEADER_END)
    if not found:
        return 0
    names = head.lower()
    if b"transfer-encoding: chunked" in names:
        place = body.find(CHUNKS_END)
        return 0 if place < 0 else len(head) + len(found) + place + len(CHUNKS_END)
    _, declared, rest = names.partition(b"content-length:")
    size = int(rest.split(b"\r\n", 1)[0]) if declared else 0
    return len(head) + len(found) + size if len(body) >= size else 0


class _Run:
    def __init__(self, requests: RequestFile, rate: float | None, seconds: float | None):
        self.requests = requests
        self._rate = rate
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._due = array("d", bytes(8 * len(requests)))
        self._answered = array("d", bytes(8 * len(requests)))
        self._statuses: Counter[int] = Counter()
        self._idle: deque[_Connection] = deque()
        self._sent = 0
        self._released = 0
        self._all_released = False
        self._in_flight = 0
        self._until = float("inf")
        self._done = self._loop.create_future()

    async def go(self, port: int, connections: int) -> Loaded:
        for _ in range(connections):
            _, connection = await self._loop.create_connection(lambda: _Connection(self), "127.0.0.1", port)
            self._idle.append(connection)
        started = self._loop.time() + 0.05
        await asyncio.sleep(started - self._loop.time())
        if self._rate:
            await self._release_at_rate(self._rate, started)
        else:
            self._release_all(started)
        await asyncio.wait_for(self._done, (self._seconds or 0.0) + LONGEST_WAIT_S)
        times = sorted(self._answered[n] - self._due[n] for n in range(self._sent))
        return Loaded(
            sent=self._sent,
            statuses=dict(self._statuses),
            started_at=started,
            ended_at=max(self._answered[: self._sent]),
            p50_ms=1_000 * times[len(times) // 2],
            p99_ms=1_000 * times[len(times) * 99 // 100],
            cpu_s=time.process_time(),
        )

    def record(self, path: Path) -> None:
        times = array("d")
        for number in range(self._sent):
            times.append(self._due[number])
            times.append(self._answered[number])
        path.write_bytes(times.tobytes())

    def _release_all(self, started: float) -> None:
        self._until = started + self._seconds if self._seconds else float("inf")
        self._released = len(self.requests)
        self._all_released = True
        while self._idle and self._may_send():
            self._send_next(self._idle.popleft())

    async def _release_at_rate(self, rate: float, started: float) -> None:
        most = min(len(self.requests), int(rate * self._seconds) if self._seconds else len(self.requests))
        for number in range(most):
            due = started + number / rate
            if (wait_s := due - self._loop.time()) > 0:
                await asyncio.sleep(wait_s)
            self._due[number] = due
            self._released = number + 1
            if self._idle:
                self._send_next(self._idle.popleft())
        self._all_released = True
        self._finish_if_over()

    def answered(self, connection: _Connection, number: int, status: int) -> None:
        self._answered[number] = self._loop.time()
        self._statuses[status] += 1
        self._in_flight -= 1
        if self._may_send():
            self._send_next(connection)
        else:
            self._idle.append(connection)
            self._finish_if_over()

    def lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(ConnectionError(f"the server closed a connection: {error}"))

    def _may_send(self) -> bool:
        return self._sent < self._released and self._loop.time() < self._until

    def _send_next(self, connection: _Connection) -> None:
        number = self._sent
        self._sent += 1
        self._in_flight += 1
        if self._rate is None:
            self._due[number] = self._loop.time()
        connection.send(number)

    def _finish_if_over(self) -> None:
        if self._all_released and not self._in_flight and not self._may_send() and not self._done.done():
            self._done.set_result(None)


@click.command()
@click.argument("requests", type=click.Path(exists=True, path_type=Path))
@click.argument("port", type=int)
@click.option("--connections", type=int, default=16)
@click.option(
    "--rate", type=float, default=None, help="Posts a second, on time whatever the answers; else as answered."
)
@click.option("--seconds", type=float, default=None, help="Default: until every request is posted.")
@click.option("--record", type=click.Path(path_type=Path), default=None, help="Where to keep the times of each post.")
def main(
    *, requests: Path, port: int, connections: int, rate: float | None, seconds: float | None, record: Path | None
) -> None:
    """Post the requests of a file to a server on this machine."""

    async def run() -> Loaded:
        load = _Run(RequestFile(requests), rate, seconds)
        loaded = await load.go(port, connections)
        if record:
            load.record(record)
        return loaded

    print(msgspec.json.encode(asyncio.run(run())).decode())


if __name__ == "__main__":
    main()

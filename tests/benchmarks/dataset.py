"""Fill a migrated database with believable mail: ``python -m tests.benchmarks.dataset --events N --database-url URL``.

Facts go into the store by COPY, as the real codec and real keys seal them; the read models are then rebuilt by command.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import click

from tests.benchmarks.believable import Happened, happenings
from tests.benchmarks.event_store import store_happenings
from tests.benchmarks.figures import BenchmarkFailedError, say
from tests.benchmarks.stores import SECRET_KEY, settle
from tests.support.processes import environment

_EVERY = 250_000


@click.command()
@click.option("--events", type=click.IntRange(1), default=10_000_000, show_default=True, help="About how many.")
@click.option("--database-url", required=True, help="Of a PostgreSQL with Mailpulse's tables and no events.")
@click.option("--secret-key", default=SECRET_KEY, help="Of the service that will read them.")
@click.option("--seed", default=558, show_default=True, help="The same facts for the same seed and hour.")
def main(*, events: int, database_url: str, secret_key: str, seed: int) -> None:
    """Fill the event store and rebuild the read models."""
    stored = fill(database_url, events, secret_keys=[secret_key], seed=seed)
    print(f"{stored:,} events")


def fill(database_url: str, events: int, *, secret_keys: Sequence[str] = (SECRET_KEY,), seed: int = 558) -> int:
    """Fill a database; give how many events it has.

    Raises:
        BenchmarkFailedError: The read models could not be rebuilt.
    """
    started = time.monotonic()
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    happened = _with_progress(happenings(events, until=until, seed=seed))
    stored = store_happenings(database_url, happened, secret_keys=secret_keys)
    say(f"dataset: {stored:,} events stored after {time.monotonic() - started:,.0f} s; the read models are rebuilt")
    settings = {"MAILPULSE_DATABASE_URL": database_url, "MAILPULSE_SECRET_KEYS": ",".join(secret_keys)}
    done = subprocess.run(
        [sys.executable, "-m", "entrypoints.cli", "projections", "rebuild"],
        env=environment() | settings,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkFailedError(f"projections rebuild: {done.stderr.decode()[-500:]}")
    settle(database_url)
    say(f"dataset: read models rebuilt after {time.monotonic() - started:,.0f} s")
    return stored


def _with_progress(happened: Iterator[Happened]) -> Iterator[Happened]:
    for number, one in enumerate(happened, 1):
        yield one
        if number % _EVERY == 0:
            say(f"dataset: {number:,} events")


if __name__ == "__main__":
    main()

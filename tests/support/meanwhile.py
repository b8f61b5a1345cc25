"""One who asks while another changes the same."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from tests.support.processes import eventually

PATIENCE_S = 10.0
_WAITING = "SELECT FROM pg_locks WHERE NOT granted AND %s = ANY(pg_blocking_pids(pid))"


def answer_after(database_url: str, change: Callable[[psycopg.Connection[Any]], object], ask: Callable[[], Any]) -> Any:
    """Ask while another transaction has changed something, which is committed once whoever asks waits for it.

    Args:
        database_url: As a superuser has it.
        change: What the other does.
        ask: Called in a thread of its own.
    """
    with (
        ThreadPoolExecutor(1) as thread,
        psycopg.connect(database_url, autocommit=True) as watch,
        psycopg.connect(database_url) as other,
    ):
        change(other)
        pid = other.info.backend_pid
        answer = thread.submit(ask)
        waits = eventually(lambda: answer.done() or watch.execute(_WAITING, (pid,)).fetchone() is not None, PATIENCE_S)
        other.commit()
        assert waits, "it was neither answered nor did it wait for the other"
        return answer.result(PATIENCE_S)

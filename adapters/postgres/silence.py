"""Give up on a PostgreSQL that says nothing: a partition or a frozen host ends no connection by itself."""

import asyncio
import os
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import ConnStatus

SIGN_OF_LIFE_S: Final = 0.5
_LIMITS: Final = {
    "tcp_user_timeout": 10_000,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
}


def silence_limits(database_url: str) -> dict[str, Any]:
    """Give options with which the kernel ends a connection some ten seconds after the other host was lost.

    What the URL itself names is left as it is; over a Unix socket none of them has an effect. A host whose kernel goes
    on acknowledging while its PostgreSQL stands still is not noticed by them: see `severed_at` and `check_answers`.

    Args:
        database_url: As libpq takes it.
    """
    named = conninfo_to_dict(database_url)
    return {name: value for name, value in _LIMITS.items() if name not in named}


def check_answers(connection: psycopg.Connection[Any]) -> None:
    """Have a pool give only connections whose server answers now; its ``check``.

    The pool's own check waits for as long as the server is silent.

    Raises:
        psycopg.OperationalError: No answer within `SIGN_OF_LIFE_S`; the connection is of no use any more.
    """
    server = connection.pgconn
    server.send_query(b"")
    server.flush()
    readable = select.poll()
    readable.register(server.socket, select.POLLIN)
    deadline = monotonic() + SIGN_OF_LIFE_S
    while True:
        while not server.is_busy():
            if server.get_result() is None:
                if server.status != ConnStatus.OK:
                    raise psycopg.OperationalError("the server ended the connection")
                return
        left_s = deadline - monotonic()
        if left_s <= 0 or not readable.poll(left_s * 1000):
            raise psycopg.OperationalError("the server says nothing")
        server.consume_input()


@contextmanager
def severed_at(connection: psycopg.AsyncConnection[Any], deadline: float) -> Iterator[None]:
    """Have everything that waits for the server inside fail with an operational error when its time is over.

    Cancelling would make psycopg wait up to 10 s more for a server that is silent; a severed socket ends the wait at
    once. The connection is of no use afterwards.

    Args:
        connection: Of the event loop that runs.
        deadline: By that loop's clock.
    """
    severing = asyncio.get_running_loop().call_at(deadline, _sever, connection)
    try:
        yield
    finally:
        severing.cancel()


def _sever(connection: psycopg.AsyncConnection[Any]) -> None:
    with suppress(OSError, psycopg.Error):  # it ended by itself meanwhile
        descriptor = socket.socket(fileno=os.dup(connection.fileno()))
        with descriptor:
            descriptor.shutdown(socket.SHUT_RDWR)

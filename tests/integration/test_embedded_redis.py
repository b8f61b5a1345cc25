"""The embedded Redis: a bell on a private socket, with one owner and no memory."""

import errno
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis

from adapters.embedded.errors import EmbeddedServerError
from adapters.embedded.redis import EmbeddedRedis
from tests.support.processes import eventually, processes_around


@pytest.fixture
def bell(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path / "var")
    server.start()
    yield server
    server.stop()
    assert processes_around(tmp_path) == [], "a test left a process behind"


def test_its_url_is_understood_by_the_client_library(bell: EmbeddedRedis) -> None:
    with redis.Redis.from_url(bell.url) as client:
        client.set("a", "1")

        assert client.get("a") == b"1"


def test_it_never_evicts_and_never_writes_to_disk(bell: EmbeddedRedis) -> None:
    with redis.Redis.from_url(bell.url) as client:
        values = {name: client.config_get(name)[name] for name in ("maxmemory-policy", "save", "appendonly", "port")}

    assert values == {"maxmemory-policy": "noeviction", "save": "", "appendonly": "no", "port": "0"}


def test_the_socket_is_closed_to_other_users(bell: EmbeddedRedis) -> None:
    assert (bell.directory / "redis.sock").stat().st_mode & 0o077 == 0


def test_after_kill_9_it_starts_again(bell: EmbeddedRedis) -> None:
    os.kill(bell.pid or 0, signal.SIGKILL)
    assert eventually(lambda: not bell.is_running())

    bell.start()

    assert bell.is_ready()


def test_a_server_whose_starter_vanished_is_replaced(bell: EmbeddedRedis) -> None:
    left_over = psutil.Process(bell.pid)
    bell._lock.release()  # as the kernel does for a starter that died

    successor = EmbeddedRedis(bell.directory.parent)
    successor.start()
    ready = successor.is_ready()
    successor.stop()

    assert ready
    assert not bell.is_running()
    assert not left_over.is_running()


def test_one_data_dir_has_one_owner(bell: EmbeddedRedis) -> None:
    with pytest.raises(EmbeddedServerError, match=f"in use by process {os.getpid()}"):
        EmbeddedRedis(bell.directory.parent).start()

    assert bell.is_ready(), "the first is not disturbed"


def test_a_command_says_in_one_line_that_the_data_dir_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path / "redis.lock"))

    monkeypatch.setattr("adapters.embedded.data_lock.os.open", refuse)

    with (
        pytest.raises(EmbeddedServerError, match=r"MAILPULSE_DATA_DIR cannot be used: .*Read-only"),
        EmbeddedRedis(tmp_path).joined_or_started(),
    ):
        pass


def test_a_data_dir_with_spaces_and_too_long_for_a_socket_works(tmp_path: Path) -> None:
    for directory in (tmp_path / "with space & more", tmp_path / ("x" * 100)):
        server = EmbeddedRedis(directory)

        server.start()
        ready = server.is_ready()
        server.stop()

        assert ready, directory

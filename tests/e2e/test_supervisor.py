"""`mailpulse up` as a supervisor: real servers, real processes, real signals."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.redis import EmbeddedRedis
from entrypoints.programs import answers_http
from entrypoints.supervisor import PROGRAMS_STOP_WITHIN_S
from tests.support.processes import (
    CHECKOUT,
    as_ordinary_user,
    environment,
    eventually,
    processes_around,
    python,
)

SERVICE = CHECKOUT / "tests" / "support" / "supervised_service.py"


class Service:
    """One supervisor process, seen from outside."""

    def __init__(self, data_dir: Path, port: int, mode: str = "willing", *, ordinary_user: bool = False) -> None:
        command = python(SERVICE, data_dir, port, mode)
        self.data_dir = data_dir
        self.port = port
        self.process = subprocess.Popen(
            as_ordinary_user(command) if ordinary_user else command,
            env=environment(),
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        self.errors: list[str] = []
        self._readers = [
            threading.Thread(target=lambda: self.said.extend(iter(self.process.stdout.readline, "")), daemon=True),
            threading.Thread(target=lambda: self.errors.extend(iter(self.process.stderr.readline, "")), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def is_ready(self) -> bool:
        return f"ready at http://127.0.0.1:{self.port}\n" in self.said

    def end(self, within_s: float = 60) -> int:
        status = self.process.wait(within_s)
        for reader in self._readers:
            reader.join(10)
        self.process.stdout.close()
        self.process.stderr.close()
        return status

    def stop(self, sent: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(sent)
        return self.end()

    def program(self, name: str) -> psutil.Process | None:
        for process in processes_around(self.data_dir):
            with contextlib.suppress(psutil.Error):
                if name in process.cmdline():
                    return process
        return None

    def record(self) -> list[str]:
        return (self.data_dir / "record").read_text().split()

    def events(self) -> list[dict]:
        return [json.loads(line) for line in self.errors if line.startswith("{")]


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def services(tmp_path: Path) -> Iterator[list[Service]]:
    started: list[Service] = []
    yield started
    for service in started:
        if service.process.returncode is None:
            service.stop()
    assert eventually(lambda: not processes_around(tmp_path)), "a test left a process behind"


@pytest.fixture
def service(tmp_path: Path, port: int, services: list[Service]) -> Service:
    one = Service(tmp_path / "var", port)
    services.append(one)
    assert eventually(one.is_ready), one.errors
    return one


def is_new(process: psutil.Process | None, old: psutil.Process) -> bool:
    return process is not None and process.pid != old.pid


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_stops_web_then_workers_then_projector_then_servers_and_leaves_nothing(service, sent):
    assert len(processes_around(service.data_dir)) > 8, "servers, programs and the programs' children run"

    status = service.stop(sent)

    stopped = service.record()
    assert status == 0
    assert [name.split("-")[0] for name in stopped] == ["prepared", "web", "worker", "worker", "projector"]
    assert processes_around(service.data_dir) == []
    assert "database system is shut down" in (service.data_dir / "postgres" / "log").read_text()


@pytest.mark.parametrize("name", ["web", "worker-1", "projector"])
def test_a_program_that_gets_kill_9_is_replaced_together_with_its_children(service, name):
    old, old_child = service.program(name), service.program(f"child-of-{name}")
    assert old
    assert old_child

    old.kill()

    assert eventually(lambda: is_new(service.program(name), old))
    assert eventually(lambda: not old_child.is_running())
    assert eventually(answers_http("127.0.0.1", service.port, "/"))
    assert service.process.poll() is None
    assert service.stop() == 0
    died = [event for event in service.events() if event.get("event") == "process_died"]
    assert [(event["program"], event["failure"]) for event in died] == [(name, "it was ended by SIGKILL")]


def test_postgres_that_gets_kill_9_is_back_with_everything_committed(service):
    url = EmbeddedPostgres(service.data_dir).url
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE fact AS SELECT 'acknowledged' AS words")
    postmaster = int((service.data_dir / "postgres" / "18" / "postmaster.pid").read_text().split()[0])

    os.kill(postmaster, signal.SIGKILL)

    assert eventually(lambda: not psutil.pid_exists(postmaster))
    assert eventually(EmbeddedPostgres(service.data_dir).is_ready)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT words FROM fact").fetchone() == ("acknowledged",)


def test_redis_that_gets_kill_9_is_back(service):
    bell = EmbeddedRedis(service.data_dir)
    with redis.Redis.from_url(bell.url) as client:
        first = client.info("server")["run_id"]
        pid = client.info("server")["process_id"]

    os.kill(pid, signal.SIGKILL)

    assert eventually(lambda: not psutil.pid_exists(pid) and bell.is_ready())
    with redis.Redis.from_url(bell.url) as client:
        assert client.info("server")["run_id"] != first


def test_after_kill_9_of_the_supervisor_nothing_lives_on_and_the_next_start_works(service, services):
    service.process.kill()

    assert eventually(lambda: not processes_around(service.data_dir))
    service.end()
    services.append(Service(service.data_dir, service.port))
    assert eventually(services[-1].is_ready)
    assert services[-1].stop() == 0


def test_after_kill_9_of_everything_at_once_the_next_start_recovers(service, services):
    url = EmbeddedPostgres(service.data_dir).url
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE fact AS SELECT 'acknowledged' AS words")

    for process in processes_around(service.data_dir):
        with contextlib.suppress(psutil.NoSuchProcess):  # it died with the one before
            process.kill()
    service.end()
    assert eventually(lambda: not processes_around(service.data_dir))
    services.append(Service(service.data_dir, service.port))

    assert eventually(services[-1].is_ready), services[-1].errors
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT words FROM fact").fetchone() == ("acknowledged",)


def test_a_second_up_on_the_same_data_is_refused_in_one_line(service, services, port):
    second = Service(service.data_dir, port)
    services.append(second)

    status = second.end()

    assert status == 1
    assert second.said == []
    assert len(second.errors) == 1
    assert f"in use by process {service.process.pid}" in second.errors[0]
    assert answers_http("127.0.0.1", service.port, "/")(), "the first is not disturbed"


def test_a_port_in_use_is_named_and_nothing_is_started(tmp_path, port, services):
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", port))
        occupant.listen()

        service = Service(tmp_path / "var", port)
        services.append(service)
        status = service.end()

    assert status == 1
    assert service.errors == [
        f"mailpulse: port {port} of 127.0.0.1 is in use by another program: stop that one, or set MAILPULSE_PORT\n"
    ]
    assert not (tmp_path / "var" / "postgres" / "18").exists()


def test_a_program_that_cannot_start_ends_the_start_with_its_name_and_status(tmp_path, port, services):
    service = Service(tmp_path / "var", port, "broken")
    services.append(service)

    status = service.end()

    assert status == 1
    assert service.said == []
    # One of the two workers died for the third time first, the other perhaps a moment later.
    given_up = {event["program"] for event in service.events() if event["event"] == "crash_loop"}
    [why] = [line for line in service.errors if line.startswith("mailpulse: ")]
    assert why in {f"mailpulse: {program} does not start: it ended with status 3\n" for program in given_up}
    assert processes_around(tmp_path) == []


def test_a_program_that_ignores_the_request_is_killed_in_time_for_a_stop_of_ten_seconds(tmp_path, port, services):
    service = Service(tmp_path / "var", port, "stubborn")
    services.append(service)
    assert eventually(service.is_ready)

    service.process.terminate()
    status = service.end()

    assert status == 0
    assert PROGRAMS_STOP_WITHIN_S < 10
    assert service.record() == ["prepared", "web", "projector"]
    assert {e["program"] for e in service.events() if e.get("event") == "process_killed"} == {"worker-1", "worker-2"}
    assert processes_around(tmp_path) == []


def test_a_stop_while_starting_leaves_nothing(tmp_path, port, services):
    service = Service(tmp_path / "var", port)
    services.append(service)
    assert eventually((tmp_path / "var" / "postgres.lock").exists)

    status = service.stop()

    assert status == 0
    assert service.said == []
    assert processes_around(tmp_path) == []


def test_an_ordinary_user_can_run_everything(tmp_path, port, services):
    home = tmp_path / "home"
    home.mkdir()
    if os.geteuid() == 0:
        os.chown(home, 65534, 65534)
    service = Service(home / "var", port, ordinary_user=True)
    services.append(service)

    assert eventually(service.is_ready), service.errors
    assert service.stop() == 0
    assert processes_around(home) == []

"""The embedded PostgreSQL: found again, recovered, owned by one, and gone with whoever started it."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from adapters.embedded.errors import EmbeddedServerError
from adapters.embedded.leftovers import running_on
from adapters.embedded.postgres import EmbeddedPostgres
from tests.support.processes import as_ordinary_user, environment, eventually, processes_around, python

START_AND_WAIT = """
import sys, time
from pathlib import Path
from adapters.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
print(server.start(), server.pid, flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "var"
    assert processes_around(tmp_path) == [], "a test left a process behind"


@pytest.fixture
def postgres(data_dir: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(data_dir)
    server.start()
    yield server
    server.stop()


def keep_a_fact(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE fact (words text)")
        connection.execute("INSERT INTO fact VALUES ('acknowledged')")


def kept_fact(url: str) -> str:
    with psycopg.connect(url) as connection:
        return str(connection.execute("SELECT words FROM fact").fetchone()[0])


def test_a_second_start_finds_the_data_of_the_first(data_dir: Path) -> None:
    first = EmbeddedPostgres(data_dir)
    keep_a_fact(first.start())
    first.stop()

    second = EmbeddedPostgres(data_dir)
    found = kept_fact(second.start())
    second.stop()

    assert found == "acknowledged"


def test_every_durability_option_is_on(postgres: EmbeddedPostgres) -> None:
    names = ["fsync", "synchronous_commit", "full_page_writes"]

    with psycopg.connect(postgres.url) as connection:
        rows = connection.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [names]).fetchall()

    assert dict(rows) == dict.fromkeys(names, "on")


def test_the_server_listens_on_no_network_address(postgres: EmbeddedPostgres) -> None:
    listening = [c for c in psutil.Process(postgres.pid).net_connections("inet") if c.status == psutil.CONN_LISTEN]

    assert listening == []


def test_after_kill_9_of_the_server_what_was_committed_is_there(postgres: EmbeddedPostgres) -> None:
    keep_a_fact(postgres.url)

    os.kill(postgres.pid or 0, signal.SIGKILL)
    assert eventually(lambda: not postgres.is_running())
    postgres.start()

    assert kept_fact(postgres.url) == "acknowledged"


def test_after_kill_9_of_all_processes_stale_files_that_name_a_living_stranger_do_not_matter(
    postgres: EmbeddedPostgres,
) -> None:
    keep_a_fact(postgres.url)
    data = (postgres.directory / "18").resolve()
    for process in running_on(data, "postgres"):
        with contextlib.suppress(psutil.NoSuchProcess):  # it died with the one before
            process.kill()
    assert eventually(lambda: not postgres.is_running() and not running_on(data, "postgres"))
    for stale in (data / "postmaster.pid", postgres.directory / ".s.PGSQL.5432.lock"):
        lines = stale.read_text().splitlines(keepends=True)
        stale.write_text("".join([f"{os.getpid()}\n", *lines[1:]]))

    postgres.start()

    assert kept_fact(postgres.url) == "acknowledged"


def test_a_server_whose_starter_vanished_is_stopped_cleanly_by_the_next_start(postgres: EmbeddedPostgres) -> None:
    keep_a_fact(postgres.url)
    left_over = psutil.Process(postgres.pid)
    postgres._lock.release()  # as the kernel does for a starter that died

    successor = EmbeddedPostgres(postgres.directory.parent)
    found = kept_fact(successor.start())
    log = (postgres.directory / "log").read_text()
    successor.stop()

    assert found == "acknowledged"
    assert not postgres.is_running()
    assert not left_over.is_running()
    assert "received fast shutdown request" in log
    assert "automatic recovery in progress" not in log


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start stops what was left")
def test_the_server_does_not_outlive_a_starter_that_gets_kill_9(data_dir: Path) -> None:
    command = python("-c", START_AND_WAIT, data_dir)
    with subprocess.Popen(
        command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline().split()[1])

        starter.kill()

    assert eventually(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    assert eventually(lambda: not processes_around(data_dir))


def test_one_data_dir_has_one_owner_and_the_second_learns_who(postgres: EmbeddedPostgres) -> None:
    second = EmbeddedPostgres(postgres.directory.parent)

    with pytest.raises(EmbeddedServerError, match=rf"in use by process {os.getpid()}.*MAILPULSE_DATA_DIR"):
        second.start()

    second.stop()
    assert postgres.is_ready(), "the first is not disturbed"


def test_a_first_start_that_was_interrupted_is_begun_anew(data_dir: Path) -> None:
    draft = data_dir / "postgres" / "18.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")

    server = EmbeddedPostgres(data_dir)
    server.start()
    server.stop()

    assert not draft.exists()


def test_a_data_dir_too_long_for_a_socket_works(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / ("x" * 100) / "var")

    server.start()
    ready = server.is_ready()
    server.stop()

    assert ready
    assert not server._socket_directory.exists(), "the short directory is removed"


def test_a_short_socket_directory_that_somebody_else_made_is_not_used(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / ("x" * 100) / "var")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    server._socket_directory.symlink_to(elsewhere)

    try:
        with pytest.raises(EmbeddedServerError, match="belongs to user id"):
            server.start()
    finally:
        server._socket_directory.unlink()

    assert list(elsewhere.iterdir()) == []


def test_data_of_another_version_is_refused_in_one_line_and_not_touched(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    keep_a_fact(server.start())
    server.stop()
    version = data_dir / "postgres" / "18" / "PG_VERSION"
    version.write_text("17\n")

    with pytest.raises(EmbeddedServerError, match=r"stopped while starting: .*version 17") as refused:
        server.start()

    assert "\n" not in str(refused.value)
    version.write_text("18\n")
    assert kept_fact(server.start()) == "acknowledged"
    server.stop()


def test_the_url_file_leads_sql_users_to_the_running_server_only(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    url = server.start()

    while_running = (data_dir / "postgres.url").read_text().strip()
    server.stop()

    assert while_running == url
    assert not (data_dir / "postgres.url").exists()


def test_a_command_joins_the_running_server_and_leaves_it_running(postgres: EmbeddedPostgres) -> None:
    with EmbeddedPostgres(postgres.directory.parent).joined_or_started() as url:
        keep_a_fact(url)

    assert kept_fact(postgres.url) == "acknowledged"


def test_a_command_without_a_running_server_has_its_own_for_the_time_being(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir).joined_or_started() as url:
        keep_a_fact(url)

    assert processes_around(data_dir) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")
def test_started_by_root_it_runs_without_rights_even_below_a_directory_only_root_may_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "var")

    server.start()
    uids = psutil.Process(server.pid).uids()
    server.stop()

    assert 0 not in uids
    assert closed.stat().st_mode & 0o777 == 0o700, "no directory of the user is opened up"


def test_an_ordinary_user_starts_and_stops_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    command = as_ordinary_user(python("-c", START_AND_WAIT, home / "var"))
    if os.geteuid() == 0:
        os.chown(home, 65534, 65534)

    with subprocess.Popen(
        command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/"
    ) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline().split()[1])
        owner = psutil.Process(pid).uids().real
        starter.communicate()

    assert starter.returncode == 0
    assert owner == (65534 if os.geteuid() == 0 else os.geteuid())
    assert processes_around(home) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs data of another user")
def test_data_of_another_user_is_refused_with_the_reason(postgres: EmbeddedPostgres) -> None:
    postgres.stop()
    command = as_ordinary_user(python("-c", START_AND_WAIT, postgres.directory.parent))

    refused = subprocess.run(command, env=environment(), input="", capture_output=True, text=True, cwd="/", check=False)

    assert refused.returncode != 0
    assert "belongs to user id" in refused.stderr
    assert "MAILPULSE_DATA_DIR" in refused.stderr

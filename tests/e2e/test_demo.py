"""`mailpulse up --demo` as an operator starts it: what it plays, prints, and leaves when it is stopped."""

import contextlib
import json
import re
import shutil
import subprocess
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, build_opener, urlopen

import psutil
import pytest

from entrypoints.demo.connection import CONNECTION_FILE, read_connection, read_history
from entrypoints.demo.service import Service
from tests.support.processes import eventually, processes_around
from tests.support.running_service import DEMO, POSTGRES, PROGRAMS, REDIS, STOP_WITHIN_S, RunningService

BASH = shutil.which("bash") or "/bin/sh"
LAST_LINE = "Everything else that can be asked"
PLAYED_WITHIN_S = 150  # seconds are promised, on a machine that does nothing else


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with RunningService(tmp_path_factory.mktemp("demo") / "data", demo=True) as running:
        yield running


@pytest.fixture(scope="module")
def played(demo):
    """What the terminal shows when the six weeks are over."""
    assert eventually(lambda: LAST_LINE in demo.log_file.read_text(), PLAYED_WITHIN_S), demo.last_words()
    return demo.log_file.read_text()


@pytest.fixture(scope="module")
def connection(demo, played):
    return read_connection(demo.data_dir / CONNECTION_FILE)


@pytest.fixture(scope="module")
def sent(connection):
    """How many emails the dashboard knows of."""
    service = Service(connection.base_url, connection.api_key)
    yield lambda: service.ask("/api/v1/dashboard")["totals"]["sent"]
    service.close()


def test_the_simulated_provider_is_one_of_the_supervised_processes(demo, played):
    assert set(demo.processes()) == {*PROGRAMS, POSTGRES, REDIS, DEMO}


def test_the_six_weeks_are_played_and_every_number_is_exact(connection, played):
    assert re.search(r"reports come in [\d,]+ signed webhooks", played)
    assert re.search(r"Played in .* s; every number exact after", played), played
    assert read_history(Path(connection.history_file)).complete


def test_nothing_of_it_failed_or_had_to_be_started_again(played):
    assert "Mailpulse is ready at" in played
    assert not re.search(r"process_died|crash_loop|Traceback|demo: ", played), played


def test_the_link_that_is_printed_leads_to_the_pages(played):
    url = re.search(r"signs you in once\): (\S+)", played)[1]

    assert urlopen(url).status == HTTPStatus.OK  # noqa: S310 - our own service
    code = parse_qs(urlsplit(url).query)["code"][0]
    cookies = build_opener(HTTPCookieProcessor())
    home = cookies.open(url.split("?")[0], data=urlencode({"code": code}).encode())

    assert "Demo admin" in home.read().decode()


@pytest.mark.skipif(shutil.which("curl") is None, reason="the printed commands need curl")
def test_the_printed_commands_work_as_they_are_printed(played):
    printed = [line for line in played.splitlines() if line.startswith("curl ")]

    assert len(printed) == 9
    for command in printed:
        done = subprocess.run([BASH, "-c", command], capture_output=True, text=True, check=True, timeout=30)
        answer = json.loads(done.stdout)
        assert {"items", "email_id", "candidate_id", "sent"} & answer.keys(), answer


def test_the_printed_query_works_as_it_is_printed(played):
    (command,) = [line for line in played.splitlines() if "psql" in line and not line.startswith("#")]

    done = subprocess.run([BASH, "-c", command], capture_output=True, text=True, check=True, timeout=30)

    assert re.search(r"total_recipients .* total_clicks", done.stdout)


def test_it_goes_on_live(sent):
    before = sent()

    assert eventually(lambda: sent() >= before + 2, within_s=60)


def lives(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def test_asked_to_stop_it_stops_the_servers_last_and_leaves_nothing(demo, played):
    running, without_servers = demo.processes(), set()

    def has_stopped():
        if not (lives(running[POSTGRES]) and lives(running[REDIS])):
            without_servers.update(kind for kind in (DEMO, *PROGRAMS) if lives(running[kind]))
        return not lives(running[POSTGRES])

    demo.ask_to_stop()
    assert eventually(has_stopped, STOP_WITHIN_S)
    status = demo.wait_until_stopped()

    assert (status, without_servers) == (0, set()), demo.last_words()
    assert processes_around(demo.data_dir) == []
    assert "Traceback" not in demo.log_file.read_text()


def test_started_again_it_goes_on_where_it_ended(demo, connection, played, sent):
    demo.stop()
    told = len(demo.log_file.read_text())

    demo.start()
    assert eventually(lambda: LAST_LINE in demo.log_file.read_text()[told:], PLAYED_WITHIN_S), demo.last_words()
    before = sent()

    assert "played before" in demo.log_file.read_text()[told:]
    assert "signed webhooks" not in demo.log_file.read_text()[told:]
    assert read_connection(demo.data_dir / CONNECTION_FILE) == connection, "the same organisation, key and endpoints"
    assert eventually(lambda: sent() >= before + 2, within_s=60)

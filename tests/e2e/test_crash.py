"""Acknowledged is durable: whatever is killed, flushed or away, nothing is lost and nothing is counted twice.

The long form, with 20 kills, is ``python -m tests.crash``.
"""

import http.client
import time

import pytest
import redis

from tests.crash.story import SENDGRID, Post
from tests.crash.trial import Trial
from tests.support.failing_link import link_to_postgres
from tests.support.processes import eventually, processes_around
from tests.support.running_service import POSTGRES, PROGRAMS, REDIS, STOP_WITHIN_S, RunningService
from tests.support.servers import fresh_database, started_servers

NOBODY_LISTENS = "redis://127.0.0.1:1/0"
SECRET_KEY = "only the crash tests sign with this key"
HANGS_S = 20.0


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    directory = tmp_path_factory.mktemp("service")
    with RunningService(directory / "var") as running:
        yield running
    assert eventually(lambda: not processes_around(directory)), "a test left a process behind"


@pytest.fixture
def trial(service):
    service.start_if_down()
    with Trial(service) as one:
        yield one


def test_kill_9_of_each_process_in_turn_under_load_loses_nothing_and_counts_nothing_twice(trial):
    trial.under_load()

    for kind in (*PROGRAMS, POSTGRES, REDIS):
        trial.kill(kind)
        trial.go_on_for()
    trial.tell_the_rest()

    assert trial.faults() == []


def test_after_kill_9_of_everything_at_once_the_next_start_goes_on_where_it_was(trial):
    trial.under_load()

    trial.service.kill()
    trial.service.start()
    trial.go_on_for()
    trial.tell_the_rest()

    assert trial.faults() == []


def test_a_report_that_is_lost_behind_the_services_back_is_noticed(trial):
    trial.under_load()

    trial.inject_loss()
    trial.tell_the_rest()

    assert any("open_count" in fault for fault in trial.faults())


def test_a_report_that_is_counted_twice_behind_the_services_back_is_noticed(trial):
    trial.under_load()
    trial.tell_the_rest()

    trial.inject_duplicate()

    assert any("too many" in fault for fault in trial.faults())


def test_redis_may_be_flushed_at_any_moment(trial):
    trial.under_load()

    with redis.Redis.from_url(trial.service.redis_url) as bell:
        for _ in range(20):
            bell.flushall()
            trial.go_on_for(30)
    trial.tell_the_rest()

    assert trial.faults() == []


def test_without_any_redis_everything_is_acknowledged_and_processed(tmp_path):
    without_redis = {"MAILPULSE_REDIS_URL": NOBODY_LISTENS}

    with RunningService(tmp_path / "var", without_redis) as service, Trial(service) as trial:
        trial.under_load()

        trial.go_on_for(1_000)
        trial.tell_the_rest()

        assert trial.faults() == []
        assert set(trial.providers.answers) == {http.client.OK}


def test_asked_to_stop_under_load_all_end_in_time_and_the_next_start_continues(trial):
    trial.under_load()

    trial.service.ask_to_stop()
    status = trial.service.wait_until_stopped(STOP_WITHIN_S)
    left = processes_around(trial.service.data_dir)
    trial.service.start()
    trial.go_on_for()
    trial.tell_the_rest()

    assert status == 0
    assert left == []
    assert trial.faults() == []


@pytest.fixture(scope="module")
def link_and_service(tmp_path_factory):
    """A service whose PostgreSQL is reached over a link that can fail."""
    server_url, _ = started_servers(tmp_path_factory.mktemp("servers"))
    with fresh_database(server_url) as database_url:
        link, linked_url = link_to_postgres(database_url)
        with link:
            settings = {"MAILPULSE_DATABASE_URL": linked_url(), "MAILPULSE_SECRET_KEYS": SECRET_KEY}
            with RunningService(tmp_path_factory.mktemp("service") / "var", settings) as service:
                yield link, service


@pytest.fixture
def link_and_trial(link_and_service):
    link, service = link_and_service
    with Trial(service) as one:
        yield link, one


@pytest.mark.parametrize("outage", ["cut", "silence"])
def test_while_postgres_is_away_nothing_is_acknowledged_and_all_is_good_soon_after_its_return(link_and_trial, outage):
    link, trial = link_and_trial
    trial.under_load()

    getattr(link, outage)()
    answers = [answer_of(trial) for _ in range(5)]
    link.restore()
    good_again = eventually(lambda: answer_of(trial)[0] == http.client.OK)
    trial.tell_the_rest()

    assert [(status, "retry-after" in headers) for status, headers in answers] == [(503, True)] * 5
    assert good_again
    assert trial.faults() == []


def answer_of(trial: Trial) -> tuple[int, dict[str, str]]:
    """Post one report and give the answer; one that hangs fails the test."""
    asked_at = time.monotonic()
    answer = trial.providers.post(Post(SENDGRID, (trial.story.fresh_open(),)))
    assert time.monotonic() - asked_at < HANGS_S
    return answer.status, answer.headers

"""What Prometheus is told about the state of the work; the names are those of docs/operations.md."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from adapters.postgres.operations_metrics import OperationsCollector
from application.ports.parked_reports import FailedReport
from entrypoints.bootstrap import Backend
from tests.support.core import ENDPOINT, item
from tests.support.emails import ACME, NOON, days, minutes

READ_MODELS = ("engagement", "notifications", "scores")


@pytest.fixture
def registry(installation):
    registry = CollectorRegistry()
    OperationsCollector(installation.backend.operations, registry)
    return registry


@pytest.fixture
def measured(registry):
    def measured(name, **labels):
        return registry.get_sample_value(f"mailpulse_{name}", labels)

    return measured


@pytest.fixture
def lags(measured):
    """Give by read model how many events it is behind, and for how many seconds."""

    def lags():
        return {
            name: (
                measured("projection_lag_events", read_model=name),
                measured("projection_lag_seconds", read_model=name),
            )
            for name in READ_MODELS
        }

    return lags


def test_read_models_that_are_up_to_date_lag_by_nothing(lags, installation, recorded):
    recorded(minutes_ago=5)
    installation.project()

    assert lags() == dict.fromkeys(READ_MODELS, (0, 0))


def test_read_models_that_nobody_brings_up_to_date_lag_by_the_age_of_the_oldest_event(lags, recorded):
    recorded(minutes_ago=60, message_id="m-1")
    recorded(minutes_ago=5, message_id="m-2")

    for events, seconds in lags().values():
        assert events == 4
        assert 3600 <= seconds < 7200


def test_a_read_model_that_moves_and_does_not_catch_up_lags_all_the_same(lags, installation, recorded):
    recorded(minutes_ago=60)
    installation.execute("UPDATE ops.read_models SET position = %s, updated_at = now()", first_place(installation))

    events, seconds = lags()["engagement"]

    assert events == 1
    assert seconds >= 3600


def test_a_report_that_was_received_long_ago_and_recorded_now_is_no_lag_of_days(lags, installation, recorded):
    recorded()
    installation.receive(item("click", NOON, url="https://acme.example/"), received_at=datetime.now(UTC) - days(3))
    installation.drain()
    installation.execute("UPDATE ops.read_models SET position = %s", first_place(installation) + 1)

    events, seconds = lags()["engagement"]

    assert events == 1
    assert seconds < 3600


def test_events_that_this_version_cannot_read_lag_since_the_read_model_moved(lags, installation):
    installation.execute(
        "INSERT INTO events.stored_events (originator_id, originator_version, topic, state)"
        " VALUES (gen_random_uuid(), 1, 'EmailMessage.Teleported', '')"
    )
    installation.execute("UPDATE ops.read_models SET updated_at = now() - interval '1 hour'")

    events, seconds = lags()["engagement"]

    assert events == 1
    assert seconds >= 3600


def test_a_rebuild_that_was_left_behind_is_no_lag(registry, installation, recorded):
    recorded(minutes_ago=5)
    installation.project()
    installation.execute("INSERT INTO ops.read_models (name, version) VALUES ('engagement@rebuild', 5)")

    labels = [
        sample.labels["read_model"]
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "mailpulse_projection_lag_events"
    ]

    assert sorted(labels) == sorted(READ_MODELS)


def test_the_inbox_is_counted_and_its_age_told(measured, installation):
    for minutes_ago in (1, 60):
        installation.receive(item("open"), received_at=datetime.now(UTC) - minutes(minutes_ago))
    postponed = installation.receive(item("open"), received_at=datetime.now(UTC) - days(1))
    installation.execute(
        "UPDATE ops.webhook_inbox SET next_attempt_at = now() + interval '1 hour' WHERE id = %s", postponed
    )

    assert measured("inbox_deliveries", state="due") == 2
    assert measured("inbox_deliveries", state="postponed") == 1
    assert 3600 <= measured("inbox_oldest_due_seconds") < 7200


def test_an_empty_inbox_has_no_age(measured):
    assert measured("inbox_deliveries", state="due") == 0
    assert measured("inbox_oldest_due_seconds") == 0


def test_events_that_were_set_aside_are_counted_by_read_model(measured, installation):
    installation.execute("INSERT INTO ops.poison_events (read_model, notification_id, error) VALUES ('scores', 7, 'X')")

    assert measured("poison_events", read_model="scores") == 1
    assert measured("poison_events", read_model="engagement") == 0


def test_reports_that_wait_are_counted_by_what_they_wait_for(measured, installation):
    installation.receive(
        item("open", message_id="of-nobody"), item("click", message_id="of-nobody", url="https://a.example/")
    )
    installation.drain()
    with installation.units.begin() as unit:
        unit.parked.park_failures([failure(1)])

    assert measured("parked_reports", status="orphaned") == 2
    assert measured("parked_reports", status="failed") == 1
    assert measured("reports_total", outcome="orphaned") == 2


def test_a_database_that_answers_says_so(measured):
    assert measured("database_answers") == 1


def test_a_database_that_is_away_is_all_that_is_told(installation):
    away = Backend(replace(installation.backend.settings, database_url="postgresql://nobody@127.0.0.1:1/none"))
    registry = CollectorRegistry()
    OperationsCollector(away.operations, registry)

    told = {sample.name: sample.value for family in registry.collect() for sample in family.samples}
    away.close()

    assert told == {"mailpulse_database_answers": 0}


def first_place(core):
    return core.value("SELECT min(notification_id) FROM events.stored_events")


def failure(number):
    return FailedReport(
        organization_id=ACME,
        endpoint_id=ENDPOINT,
        provider="email",
        reason="another version could not read it",
        message_id="m-1",
        headers={},
        body=b"[]",
        delivery_id=number,
        received_at=NOON,
        is_kept=True,
    )

"""What `mailpulse doctor` finds, and how it ends."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from entrypoints import doctor
from tests.support.core import item
from tests.support.emails import minutes
from tests.support.servers import fresh_database

AWAY = "postgresql://nobody@127.0.0.1:1/none"


@pytest.fixture
def findings(mailpulse):
    """Give what the doctor finds about a subject; the doctor fails if anything is wrong, and only then."""

    def findings(subject):
        ended = mailpulse("doctor", "--json")
        found = ended.json
        assert (ended.status == 0) == found["ok"] == all(finding["ok"] for finding in found["findings"])
        return [finding for finding in found["findings"] if finding["subject"] == subject]

    return findings


@pytest.fixture
def finding(findings):
    def finding(subject):
        (found,) = findings(subject)
        return found

    return finding


def quietly(*_):
    """Nobody watches the progress of a rebuild; the command itself would tune this interpreter for good."""


def poisoned(core, read_model):
    core.execute(
        "INSERT INTO ops.poison_events (read_model, notification_id, error) VALUES (%s, 1, 'DataError')", read_model
    )


def test_an_installation_without_a_fault_ends_with_status_0(mailpulse, installation, recorded):
    recorded()
    installation.project()

    ended = mailpulse("doctor")

    assert ended.status == 0
    subjects = {line.split(":")[0].removeprefix("ok").strip() for line in ended.output.splitlines()}
    assert subjects >= {"database", "redis", "migrations", "detection rules", "inbox", "read model engagement"}
    assert "WRONG" not in ended.output


def test_whatever_is_wrong_is_marked_and_ends_with_status_1(mailpulse, monkeypatch):
    monkeypatch.setenv("MAILPULSE_REDIS_URL", "redis://127.0.0.1:1/0")

    ended = mailpulse("doctor")

    assert ended.status == 1
    assert [line.split(":")[0] for line in ended.output.splitlines() if line.startswith("WRONG")] == ["WRONG  redis"]


def test_a_disk_that_is_nearly_full_is_wrong(finding, monkeypatch):
    assert finding("disk")["ok"]
    monkeypatch.setattr(doctor, "disk_usage", lambda _: SimpleNamespace(free=doctor.LEAST_FREE_BYTES - 1))

    found = finding("disk")

    assert not found["ok"]
    assert found["text"].startswith("0.5 GiB are free for ")
    assert found["text"].endswith("make room, or webhooks will be answered with 503 and readers' reports be lost")


def test_a_database_that_is_away_is_wrong_and_not_asked_further(findings, monkeypatch):
    monkeypatch.setenv("MAILPULSE_DATABASE_URL", AWAY)

    assert [found["ok"] for found in findings("database")] == [False]
    assert findings("migrations") == findings("inbox") == []


def test_a_database_that_was_never_migrated_lacks_migrations(findings, installation, monkeypatch):
    with fresh_database(installation.database_url) as empty:
        monkeypatch.setenv("MAILPULSE_DATABASE_URL", empty)
        found, inbox = findings("migrations"), findings("inbox")

    assert [one["ok"] for one in found] == [False]
    assert "run `mailpulse migrate`" in found[0]["text"]
    assert inbox == []


def test_tables_of_another_version_are_to_be_rebuilt(findings, installation):
    installation.execute("UPDATE ops.read_models SET version = version - 1 WHERE name = 'scores'")

    wrong = [found["text"] for found in findings("read model scores") if not found["ok"]]

    assert len(wrong) == 1
    assert "run `mailpulse projections rebuild scores`" in wrong[0]


def test_rules_of_ones_own_that_cannot_be_read_are_wrong(finding, tmp_path):
    rules = tmp_path / "detection.rules"
    rules.write_text("agent gateway Acme Guard\n")
    assert finding("detection rules")["ok"]

    rules.write_text("agent gateway Acme Guard\nnonsense\n")

    found = finding("detection rules")
    assert not found["ok"]
    assert "2" in found["text"]


def test_an_inbox_that_nobody_drains_is_wrong(finding, installation):
    installation.receive(item("open"), received_at=datetime.now(UTC))
    assert finding("inbox")["ok"]

    installation.receive(item("open"), received_at=datetime.now(UTC) - minutes(5))

    found = finding("inbox")
    assert not found["ok"]
    assert "2 due" in found["text"]
    assert "is a worker running?" in found["text"]


def test_a_read_model_that_has_just_fallen_behind_is_well(finding, recorded):
    recorded()

    found = finding("read model engagement")

    assert found["ok"]
    assert "2 events behind" in found["text"]


def test_a_read_model_that_is_a_few_events_behind_for_long_is_wrong(finding, installation, recorded):
    recorded(minutes_ago=5)

    found = finding("read model engagement")
    assert not found["ok"]
    assert "is a projector running?" in found["text"]

    installation.project()
    assert finding("read model engagement")["ok"]


def test_a_read_model_that_is_far_behind_is_wrong(finding, recorded, monkeypatch):
    monkeypatch.setattr(doctor, "MOST_LAG_EVENTS", 1)
    recorded()

    found = finding("read model engagement")

    assert not found["ok"]
    assert "is a projector running?" in found["text"]


def test_events_that_were_set_aside_are_wrong_until_the_read_model_is_rebuilt(finding, installation):
    poisoned(installation, "engagement")

    found = finding("read model engagement")

    assert not found["ok"]
    assert "run `mailpulse projections rebuild engagement`" in found["text"]
    installation.backend.rebuild("engagement", quietly)
    assert finding("read model engagement")["ok"]


def test_what_people_were_told_is_not_advised_to_be_rebuilt(finding, installation):
    poisoned(installation, "notifications")

    found = finding("read model notifications")

    assert not found["ok"]
    assert "projections rebuild" not in found["text"]
    advice = found["text"].partition("end the alarm: ")[2]
    installation.execute(advice)
    assert finding("read model notifications")["ok"]


def test_a_rebuild_that_is_under_way_is_no_read_model_that_lags(findings, installation, recorded, monkeypatch):
    recorded(minutes_ago=5)
    installation.project()
    seen = []

    def look(*_):
        installation.execute("UPDATE ops.read_models SET position = 0 WHERE name = 'engagement@rebuild'")
        seen.extend(findings("rebuild of engagement"))
        seen.extend(findings("read model engagement@rebuild"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        installation.backend.rebuild("engagement", look)

    (found,) = seen
    assert (found["ok"], found["warning"]) == (True, False)
    assert "under way, 2 events to go" in found["text"]


def test_a_rebuild_that_was_killed_is_a_warning_until_it_is_done(finding, findings, mailpulse, installation, recorded):
    recorded(minutes_ago=5)
    installation.project()

    def is_killed(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        installation.backend.rebuild("engagement", is_killed)

    found = finding("rebuild of engagement")
    assert (found["ok"], found["warning"]) == (True, True)
    assert "run `mailpulse projections rebuild engagement`" in found["text"]
    assert mailpulse("doctor").status == 0
    installation.backend.rebuild("engagement", quietly)
    assert findings("rebuild of engagement") == []

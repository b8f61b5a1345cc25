"""``mailpulse outgoing-webhooks``, on a real database."""

import json

import pytest
from click.testing import CliRunner

from application.outgoing_webhooks import InvalidOutgoingWebhookError, OutgoingWebhookNotFoundError
from entrypoints.commands.outgoing import outgoing_webhooks

URL = "https://ats.example.com/mailpulse"


@pytest.fixture
def command(database_url, backend, team, monkeypatch):
    monkeypatch.setenv("MAILPULSE_DATABASE_URL", database_url)
    monkeypatch.setenv("MAILPULSE_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("MAILPULSE_SECRET_KEYS", backend.settings.secret_keys[0].reveal())

    def run(*words, as_json=True):
        ended = CliRunner().invoke(outgoing_webhooks, [*words, "--org", str(team.id), *(["--json"] if as_json else [])])
        if ended.exception and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return json.loads(ended.stdout) if as_json else ended.stdout

    return run


@pytest.fixture
def added(command):
    return command("add", URL, "--kind", "reply", "--kind", "click")


def test_what_is_added_is_listed_without_its_secret(command, added):
    assert added["secret"].startswith("whsec_")
    assert command("list")["items"] == [added["webhook"]]
    line = command("list", as_json=False)
    assert URL in line
    assert "only reply, click" in line
    assert added["secret"] not in line


def test_it_is_changed_paused_resumed_tested_and_removed(command, added):
    webhook = added["webhook"]["webhook_id"]

    assert command("change", webhook, "--url", f"{URL}/2")["url"] == f"{URL}/2"
    assert command("change", webhook, "--kind", "open")["kinds"] == ["open"]
    assert command("pause", webhook)["switched_off_because"] == "by_admin"
    assert "it was switched off" in command("list", as_json=False)
    assert command("resume", webhook)["state"] == "on"
    assert command("test", webhook)["delivery_id"] > 0
    assert command("list")["items"][0]["waiting"] == 1
    assert command("remove", webhook, as_json=False) == "removed\n"
    assert command("list")["items"] == []


def test_a_rotated_secret_is_shown_once_and_stands_beside_the_old_one_or_alone(command, added):
    webhook = added["webhook"]["webhook_id"]

    both = command("rotate", webhook)
    alone = command("rotate", webhook, "--overlap", "0")

    assert [len(one["webhook"]["secrets"]) for one in (both, alone)] == [2, 1]
    assert len({added["secret"], both["secret"], alone["secret"]}) == 3


def test_what_cannot_be_is_said_in_one_line(command, added):
    with pytest.raises(InvalidOutgoingWebhookError, match="no public address"):
        command("add", "https://localhost/")
    with pytest.raises(OutgoingWebhookNotFoundError):
        command("test", added["webhook"]["webhook_id"][:-4] + "0000")


def test_a_removed_webhook_is_given_no_secret(command, added):
    webhook = added["webhook"]["webhook_id"]
    command("remove", webhook, as_json=False)

    with pytest.raises(OutgoingWebhookNotFoundError, match=webhook):
        command("rotate", webhook)

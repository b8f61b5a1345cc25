"""``mailpulse deliveries retry``: what one report does costs the others nothing."""

import json

import pytest
from click.testing import CliRunner

from application.ports.parked_reports import FailedReport
from entrypoints.commands.deliveries import deliveries
from tests.support.core import ENDPOINT, SECRET_KEY, item
from tests.support.emails import ACME, GLOBEX, NOON


@pytest.fixture
def command(core, monkeypatch):
    monkeypatch.setenv("MAILPULSE_DATABASE_URL", core.database_url)
    monkeypatch.setenv("MAILPULSE_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("MAILPULSE_SECRET_KEYS", SECRET_KEY)

    def run(*words):
        ended = CliRunner().invoke(deliveries, [*words, "--json"])
        return ended.exit_code, json.loads(ended.stdout)

    return run


def failure(number, *, organization_id=ACME, is_kept=True):
    return FailedReport(
        organization_id=organization_id,
        endpoint_id=ENDPOINT,
        provider="email",
        reason="another version could not read it",
        message_id="m-1",
        headers={},
        body=json.dumps([item("open", message_id=f"m-{number}")]).encode(),
        delivery_id=number,
        received_at=NOON,
        is_kept=is_kept,
    )


def test_a_report_that_privacy_mode_did_not_keep_stops_no_other(core, command):
    with core.units.begin() as unit:
        unit.parked.park_failures([failure(1, is_kept=False), failure(2), failure(3, organization_id=GLOBEX)])

    assert command("retry") == (0, {"orphaned": 2, "not_kept": 1})
    assert command("retry", "999999999") == (1, {"unknown": 1})

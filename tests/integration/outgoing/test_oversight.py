"""What an operator is told about outgoing webhooks by `mailpulse doctor` and the log."""

from ipaddress import ip_network

import msgspec
import pytest

from entrypoints.deliverer import warn_of_opened
from entrypoints.doctor import examine


@pytest.fixture
def findings(backend):
    """Gives what the doctor finds about a subject, with other networks opened if a test says so."""

    def findings(subject, networks=None):
        if networks is not None:
            opened = tuple(ip_network(text) for text in networks)
            backend.settings = msgspec.structs.replace(backend.settings, outgoing_networks=opened)
        return [finding for finding in examine(backend) if finding.subject == subject]

    return findings


def test_the_doctor_shows_every_network_that_is_open_and_warns_of_risky_ones(findings):
    own, whole = findings("outgoing networks", ["::ffff:10.0.0.0/104", "0.0.0.0/0"])

    assert (own.ok, own.warning) == (True, False)
    assert "may call 10.0.0.0/8" in own.text
    assert (whole.ok, whole.warning) == (True, True)
    assert "much of the internet" in whole.text
    assert "public addresses only" in findings("outgoing networks", [])[0].text


def test_the_doctor_counts_webhooks_that_are_paused_or_off(findings, make_team):
    team = make_team()
    well, failing, off = (team.register("https://ats.example.com/").webhook.webhook_id for _ in range(3))
    team.execute("UPDATE ops.outgoing_webhooks SET failing_since = now() WHERE id = %s", failing)
    team.webhooks.switch_off(team.id, off)

    (found,) = findings("outgoing webhooks")

    assert (found.ok, found.warning) == (True, True)
    assert "1 on, 1 failing and paused in between, 1 off" in found.text
    assert "outgoing-webhooks list" in found.text
    assert well


def test_the_doctor_notices_that_nobody_sends_although_no_delivery_was_even_made(findings, team):
    team.register("https://ats.example.com/")
    team.tell(3)
    assert findings("outgoing webhooks")[0].ok

    team.execute(
        "UPDATE notifications SET created_at = now() - interval '1 hour', occurred_at = now() - interval '1 hour'"
    )

    (found,) = findings("outgoing webhooks")
    assert not found.ok
    assert "3 deliveries wait" in found.text
    assert "is a worker running" in found.text


def test_what_a_paused_or_picky_webhook_does_not_get_is_no_backlog(findings, team):
    webhook = team.register("https://ats.example.com/", ["reply"])
    team.tell(3)
    team.execute(
        "UPDATE notifications SET created_at = now() - interval '1 hour', occurred_at = now() - interval '1 hour'"
    )

    assert findings("outgoing webhooks")[0].ok

    team.webhooks.change(team.id, webhook.webhook.webhook_id, kinds=["open"])
    team.webhooks.switch_off(team.id, webhook.webhook.webhook_id)
    assert findings("outgoing webhooks")[0].ok


def test_a_worker_warns_of_what_its_operator_hardly_means_to_open(caplog):
    warn_of_opened([ip_network("10.0.0.0/8"), ip_network("::/0"), ip_network("169.254.169.254/32")])

    assert [record.network for record in caplog.records] == ["::/0", "169.254.169.254/32", "169.254.169.254/32"]
    assert {record.event for record in caplog.records} == {"outgoing_network_risky"}

"""Receivers over TLS: trusted by the environment's authorities, and told apart where they cannot be."""

from datetime import UTC, datetime, timedelta

import pytest

from adapters.outgoing.courier import HttpCourier
from entrypoints.web.pages.outgoing_settings import OUTCOMES
from tests.integration.outgoing.conftest import HOME
from tests.support.authority import Authority
from tests.support.processes import eventually
from tests.support.receivers import PATIENCE_S, Receiver

NAME = "receiver.example.com"


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def trusted(authority, monkeypatch):
    """The operator trusts the authority as OpenSSL's own documentation says."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


@pytest.fixture
def outcome_of(team, start):
    """Gives what is logged of a delivery to a receiver."""

    def outcome_of(receiver):
        webhook = team.register(f"https://{NAME}:{receiver.port}/")
        team.tell()
        start(HttpCourier(HOME, resolve=lambda *_: ["127.0.0.1"]))
        assert eventually(lambda: team.outcomes(webhook), PATIENCE_S)
        return team.outcomes(webhook)[0]

    return outcome_of


def test_an_authority_of_the_environment_is_trusted(trusted, outcome_of):
    with Receiver(tls=trusted.context_for(NAME)) as receiver:
        assert outcome_of(receiver) == "delivered"
        assert receiver.received[0].headers["host"] == f"{NAME}:{receiver.port}"


def test_an_authority_that_nobody_named_is_not(authority, outcome_of):
    with Receiver(tls=authority.context_for(NAME)) as receiver:
        assert outcome_of(receiver) == "tls_untrusted"
        assert receiver.received == []


def test_a_certificate_of_another_host_is_told_as_such(trusted, outcome_of):
    with Receiver(tls=trusted.context_for("other.example.com", "127.0.0.1")) as receiver:
        assert outcome_of(receiver) == "tls_wrong_host"
        assert receiver.received == []


def test_an_expired_certificate_is_told_as_such(trusted, outcome_of):
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with Receiver(tls=trusted.context_for(NAME, valid_until=yesterday)) as receiver:
        assert outcome_of(receiver) == "tls_expired"
        assert receiver.received == []


def test_a_receiver_without_tls_is_told_as_such(trusted, outcome_of):
    with Receiver() as receiver:
        assert outcome_of(receiver) == "tls_failed"
        assert receiver.received == []


@pytest.mark.parametrize(
    "outcome, advice",
    [
        ("tls_untrusted", "whole chain"),
        ("tls_expired", "renew it"),
        ("tls_wrong_host", "register the name"),
        ("tls_failed", "check port"),
    ],
)
def test_the_page_says_what_to_do(outcome, advice):
    assert advice in OUTCOMES[outcome]

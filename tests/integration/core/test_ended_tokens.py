"""Tokens of people go thirty days after they ended; API keys and whatever is still good stay."""

from uuid import uuid4

import pytest

from application import forget_tokens
from tests.support.emails import ACME, NOON, days, hours

LONG_AGO = NOON - days(30) - hours(1)
LATELY = NOON - days(30) + hours(1)
LATER = NOON + days(1)


@pytest.fixture
def installation(lone_core):
    lone_core.execute("INSERT INTO ops.organizations (id, name) VALUES (%s, 'Acme')", ACME)
    return lone_core


def keep(core, name, kind, *, expires_at=None, revoked_at=None, parent=None):
    """Keep a token under a name, by which it is known here."""
    id_ = uuid4()
    core.execute(
        "INSERT INTO ops.access_tokens (id, organization_id, kind, token_hash, role, user_id, name, expires_at,"
        " revoked_at, parent_id) VALUES (%s, %s, %s, %s, 'admin', %s, %s, %s, %s, %s)",
        *(id_, ACME, kind, name.encode(), None if kind == "api_key" else "u-1", name, expires_at, revoked_at, parent),
    )
    return id_


def names(core):
    return {name for (name,) in core.query("SELECT name FROM ops.access_tokens")}


def test_what_ended_long_ago_goes_with_the_person_it_names_and_all_else_stays(installation):
    good = keep(installation, "good", "user_token", expires_at=LATER)
    keep(installation, "used link", "sign_in_link", expires_at=LATER, revoked_at=LONG_AGO, parent=good)
    keep(installation, "expired link", "sign_in_link", expires_at=LONG_AGO, parent=good)
    keep(installation, "signed out", "session", expires_at=LATER, revoked_at=LONG_AGO, parent=good)
    keep(installation, "signed out lately", "session", expires_at=LATER, revoked_at=LATELY, parent=good)
    keep(installation, "signed in", "session", expires_at=LATER, parent=good)
    expired = keep(installation, "expired", "user_token", expires_at=LONG_AGO)
    keep(installation, "session of expired", "session", expires_at=LONG_AGO, parent=expired)
    keep(installation, "revoked", "user_token", expires_at=LATER, revoked_at=LONG_AGO)
    keep(installation, "expired lately", "user_token", expires_at=LATELY)
    keep(installation, "endless", "user_token")
    keep(installation, "revoked key", "api_key", revoked_at=LONG_AGO)
    keep(installation, "expired key", "api_key", expires_at=LONG_AGO)

    forgotten = installation.backend.forget_tokens()

    assert forgotten == 6
    assert names(installation) == {
        *("good", "signed out lately", "signed in", "expired lately", "endless", "revoked key", "expired key"),
    }


def test_a_session_that_ended_lately_still_tells_its_organisation(installation):
    parent = keep(installation, "person", "user_token", expires_at=LATELY)
    keep(installation, "session", "session", expires_at=LATELY, parent=parent)

    installation.backend.forget_tokens()

    with installation.backend._units.begin() as unit:
        assert unit.homes_of_viewers({b"session"}) == {b"session": ACME}


def test_they_go_in_small_transactions_until_it_is_time_to_stop(installation, monkeypatch):
    monkeypatch.setattr(forget_tokens, "FORGOTTEN_AT_ONCE", 2)
    for number in range(7):
        keep(installation, f"expired {number}", "user_token", expires_at=LONG_AGO)

    stopped = installation.backend.forget_tokens(keep_on=iter([True, False]).__next__)
    rest = installation.backend.forget_tokens()

    assert (stopped, rest) == (2, 5)
    assert names(installation) == set()

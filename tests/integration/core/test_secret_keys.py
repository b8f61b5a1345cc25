"""The operator's secret keys change while everything that they sealed stays readable."""

from contextlib import closing

import pytest

from adapters.secrets import SealBrokenError
from application.email_registrations import Recipient
from entrypoints.doctor import examine
from tests.support.core import SECRET_KEY, Core, item, registration
from tests.support.emails import ACME, JOHN

NEW_KEY = "another secret key, the newest"


@pytest.fixture
def sealed(core):
    """A database in which there is something of everything that is sealed, under the only key."""
    core.execute("INSERT INTO ops.organizations (id, name) VALUES (%s, 'Acme') ON CONFLICT DO NOTHING", ACME)
    core.execute("DELETE FROM ops.webhook_endpoints; DELETE FROM ops.outgoing_webhooks")
    core.backend.outgoing_webhooks.add(ACME, "https://ats.example.com/mailpulse")
    core.backend.webhook_endpoints.add(ACME, "email", keys=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    core.register_numbered(3)
    core.receive(item("open"), item("open", message_id="unknown"), {"event_type": "?", "recipient": JOHN})
    core.drain()
    yield core
    core.execute("DELETE FROM ops.webhook_endpoints; DELETE FROM ops.outgoing_webhooks")


def with_keys(core, *secret_keys):
    return closing(Core(core.database_url, secret_keys=secret_keys))


def found(core):
    return {s.what: (s.newest, s.older, s.unknown) for s in core.backend.secret_keys_in_use.look()}


def says(core):
    return [(finding.ok, finding.text) for finding in examine(core.backend) if finding.subject == "secret keys"]


def test_after_rewrapping_the_old_key_is_of_no_use_any_more(sealed):
    with with_keys(sealed, NEW_KEY, SECRET_KEY) as rotating:
        waiting = rotating.receive(item("click", url="https://x.test/"))
        assert found(rotating) == {
            "endpoints' verification keys": (0, 1, 0),
            "outgoing webhooks' secrets": (0, 1, 0),
            "recipients' keys": (0, 1, 0),
            "waiting deliveries": (0, 1, 0),
            "failed reports": (0, 1, 0),
            "orphaned reports": (0, 1, 0),
        }
        [(ok, text)] = says(rotating)
        assert ok
        assert "1 of the recipients' keys" in text
        assert "secrets rewrap" in text

        told = []
        done = rotating.backend.secret_keys_in_use.rewrap(lambda what, rows: told.append((what, rows)))

        assert {(place.rows, place.unopened) for place in done} == {(1, 0)}
        assert ("recipients' keys", 1) in told
        assert says(rotating) == [(True, "everything is sealed with the newest key")]
        assert {place.rows for place in rotating.backend.secret_keys_in_use.rewrap(lambda *_: None)} == {0}
        assert waiting

    with with_keys(sealed, NEW_KEY) as new:
        new.register(registration("unknown"))
        new.drain()
        assert [fact.personal.address for fact in new.facts()[:3]] == [JOHN] * 3
        assert [type(fact).__name__ for fact in new.facts()[3:]] == ["Opened", "Sent", "Opened", "Clicked"]
        assert [endpoint.provider for endpoint in new.backend.webhook_endpoints.of_organization(ACME)] == ["email"]
        assert len(new.backend.outgoing_webhooks.of_organization(ACME)) == 1


def test_many_keys_are_rewrapped_a_few_at_a_time_and_open_what_they_sealed(sealed, monkeypatch):
    monkeypatch.setattr("adapters.postgres.rewrap.ROWS_AT_ONCE", 2)
    for n in range(5):
        sealed.register(registration(f"n-{n}", recipient=Recipient(id="c", email=f"p{n}@example.com")))

    with with_keys(sealed, NEW_KEY, SECRET_KEY) as rotating:
        done = rotating.backend.secret_keys_in_use.rewrap(lambda *_: None)
        assert {place.what: place.rows for place in done}["recipients' keys"] == 6

    with with_keys(sealed, NEW_KEY) as new:
        assert [fact.personal.address for fact in new.facts()[-5:]] == [f"p{n}@example.com" for n in range(5)]


def test_a_key_that_was_taken_away_too_early_is_asked_back(sealed):
    with with_keys(sealed, NEW_KEY) as hasty:
        assert found(hasty)["recipients' keys"] == (0, 0, 1)
        [first, *_, last] = says(hasty)
        assert last == (True, "everything else is sealed with the newest key")
        assert not first[0]
        assert "MAILPULSE_SECRET_KEYS no longer holds: add it again behind the newest one" in first[1]
        with pytest.raises(SealBrokenError, match="add the key it was sealed with behind the newest one again"):
            hasty.facts()
        before = found(sealed)
        done = hasty.backend.secret_keys_in_use.rewrap(lambda *_: None)
        assert {(place.rows, place.unopened) for place in done} == {(0, 1), (0, 0)}

    assert found(sealed) == before, "nothing is lost"
    assert [fact.personal.address for fact in sealed.facts()[:3]] == [JOHN] * 3


def test_somebody_is_erased_without_the_key_and_so_is_what_nobody_can_read(sealed):
    with with_keys(sealed, NEW_KEY) as hasty:
        hasty.backend.erase_recipient(ACME, JOHN)

    assert sealed.query("SELECT DISTINCT status FROM ops.parked_reports") == []
    assert [fact.personal.address for fact in sealed.facts()[:3]] == [""] * 3


def test_a_projector_without_the_key_waits_and_sets_nothing_aside(sealed):
    with with_keys(sealed, NEW_KEY) as hasty, pytest.raises(SealBrokenError):
        hasty.project()

    assert sealed.value("SELECT count(*) FROM ops.poison_events") == 0
    sealed.project()
    assert sealed.value("SELECT count(*) FROM email_logs WHERE recipient_email = %s", JOHN) == 3


def test_what_was_received_before_anything_was_sealed_is_sealed_by_rewrapping(sealed):
    sealed.receive(item("reply"))
    sealed.execute("UPDATE ops.webhook_inbox SET next_attempt_at = 'infinity'")
    assert found(sealed)["waiting deliveries"] == (0, 1, 0)

    sealed.backend.secret_keys_in_use.rewrap(lambda *_: None)

    assert b"john" not in sealed.value("SELECT body FROM ops.webhook_inbox")
    sealed.execute("UPDATE ops.webhook_inbox SET next_attempt_at = '-infinity'")
    sealed.drain()
    assert type(sealed.facts()[-1]).__name__ == "Replied"


def receive_sealed(core, *items):
    id_ = core.receive(*items)
    core.backend.secret_keys_in_use.rewrap(lambda *_: None)
    return id_


def test_what_no_key_opens_waits_for_its_key_and_keeps_nobody_behind_it_waiting(sealed):
    locked = receive_sealed(sealed, item("click", url="https://x.test/"))
    with closing(Core(sealed.database_url, secret_keys=(NEW_KEY,), now=None)) as hasty:
        hasty.receive(item("open", message_id="behind it"))

        for attempt in range(1, 10):
            hasty.drain()
            [(id_, attempts, error)] = sealed.query("SELECT id, attempts, last_error FROM ops.webhook_inbox")
            assert (id_, attempts) == (locked, attempt)
            assert "MAILPULSE_SECRET_KEYS" in error
            assert sealed.value("SELECT next_attempt_at > now() FROM ops.webhook_inbox")
            sealed.execute("UPDATE ops.webhook_inbox SET next_attempt_at = now()")

        assert sealed.value("SELECT count(*) FROM ops.parked_reports WHERE status = 'orphaned'") == 2

    sealed.drain()

    assert sealed.value("SELECT count(*) FROM ops.webhook_inbox") == 0
    assert type(sealed.facts()[-1]).__name__ == "Clicked"

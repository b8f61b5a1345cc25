"""Policy and consent over HTTP: who may, what is wrong with what was sent, and where addresses do not go."""

import logging

import psycopg
import pytest

from entrypoints.logging import JsonFormatter

POLICY = "/api/v1/tracking-policy"
DEFAULTS = {
    "tracking_enabled": True,
    "privacy_mode": False,
    "consent_mode": "opt_out",
    "ip_handling": "keep",
    "retention_days": 730,
    "notifications_enabled": True,
    "unsubscribe_ends_tracking": False,
}


def consent_of(address):
    return f"/api/v1/recipients/{address}/tracking-consent"


@pytest.fixture(autouse=True)
def nothing_decided(administrator_url, backend):
    yield
    with psycopg.connect(administrator_url) as connection:
        connection.execute("DELETE FROM ops.tracking_policies; DELETE FROM ops.tracking_consents")
        connection.execute("DELETE FROM events.stored_events WHERE topic ~ '^(Organization|Recipient)'")


def test_who_decided_nothing_is_shown_the_defaults(recruiter):
    answer = recruiter.get(POLICY)

    assert (answer.status_code, answer.json()) == (200, DEFAULTS)


def test_a_policy_is_changed_field_by_field_or_as_a_whole(admin):
    first = admin.put(POLICY, {"privacy_mode": True, "retention_days": 90})
    second = admin.put(POLICY, DEFAULTS | {"consent_mode": "opt_in"})

    assert (first.status_code, first.json()) == (200, DEFAULTS | {"privacy_mode": True, "retention_days": 90})
    assert second.json() == admin.get(POLICY).json() == DEFAULTS | {"consent_mode": "opt_in"}


def test_an_address_may_hold_a_slash(admin):
    changed = admin.put(consent_of("home%2Fabroad%40example.com"), {"consent": "opted_out"})
    again = admin.get(consent_of("Home%2fAbroad@example.com"))

    assert (changed.status_code, changed.json()["consent"]) == (200, "opted_out")
    assert again.json() == changed.json()
    assert admin.get(consent_of("home/abroad@example.com")).status_code == 404
    assert admin.get("/api/v1/nothing%2Fthere").status_code == 404
    assert admin.get(consent_of("abroad@example.com")).json()["source"] == "default"


def test_policies_and_consents_are_their_organisations_own(admin, stranger):
    admin.put(POLICY, {"tracking_enabled": False})
    admin.put(consent_of("ada@example.com"), {"consent": "opted_out"})

    assert stranger.get(POLICY).json() == DEFAULTS
    assert stranger.get(consent_of("ada@example.com")).json()["source"] == "default"


def test_every_wrong_field_of_a_policy_is_named(admin):
    sent = {"tracking_enabled": 1, "ip_handling": "hash", "retention_days": 0, "privacy": True, "consent_mode": None}

    answer = admin.put(POLICY, sent | {"privacy_mode": True})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_tracking_policy")
    assert {problem["field"] for problem in answer.json()["errors"]} == set(sent)
    assert admin.get(POLICY).json() == DEFAULTS


@pytest.mark.parametrize("days, status", [(1, 200), (3_650, 200), (0, 422), (3_651, 422), ("730", 422), (1.5, 422)])
def test_retention_has_its_limits(admin, days, status):
    assert admin.put(POLICY, {"retention_days": days}).status_code == status


@pytest.mark.parametrize("body", [[], "x", None, 7])
def test_what_is_no_policy_at_all_is_refused(admin, body):
    assert admin.put(POLICY, body).status_code in {400, 422}


def test_only_administrators_change_a_policy(recruiter, manager):
    assert recruiter.put(POLICY, {"privacy_mode": True}).status_code == 403
    assert manager.put(POLICY, {"privacy_mode": True}).status_code == 403
    assert manager.get(POLICY).status_code == 403


def test_consent_is_kept_and_shown_with_its_source_and_time(recruiter):
    before = recruiter.get(consent_of("ada@example.com")).json()
    answer = recruiter.put(consent_of("ada@example.com"), {"consent": "opted_out"})

    assert before == {"consent": "opted_in", "source": "default", "since": None}
    assert (answer.status_code, answer.json()["consent"], answer.json()["source"]) == (200, "opted_out", "api")
    assert answer.json() == recruiter.get(consent_of("ADA@Example.com")).json()
    assert answer.json()["since"].endswith("Z")


def test_who_never_spoke_has_what_the_consent_mode_presumes(admin):
    admin.put(POLICY, {"consent_mode": "opt_in"})

    assert admin.get(consent_of("ada@example.com")).json()["consent"] == "opted_out"


@pytest.mark.parametrize("address", ["ada%2Btag%40example.com", "j%C3%BCrgen@example.com", "o'brien@example.com"])
def test_an_address_may_be_written_as_urls_ask_for(recruiter, address):
    assert recruiter.put(consent_of(address), {"consent": "opted_out"}).status_code == 200
    assert recruiter.get(consent_of(address)).json()["consent"] == "opted_out"


@pytest.mark.parametrize("address", ["ada", "%20", "@", "a@", "a b@example.com", "x" * 320 + "@example.com"])
def test_what_is_no_address_is_named(recruiter, address):
    for answer in (recruiter.get(consent_of(address)), recruiter.put(consent_of(address), {"consent": "opted_in"})):
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "email"


@pytest.mark.parametrize("body", [{"consent": "maybe"}, {"consent": None}, {}, {"consent": ["opted_in"]}])
def test_what_is_no_consent_is_named(recruiter, body):
    answer = recruiter.put(consent_of("ada@example.com"), body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "consent"


def test_a_hiring_manager_neither_reads_nor_tells_consent(manager):
    assert manager.get(consent_of("ada@example.com")).status_code == 403
    assert manager.put(consent_of("ada@example.com"), {"consent": "opted_in"}).status_code == 403


def test_the_address_is_in_no_log_and_no_metric(recruiter, anyone, caplog):
    caplog.set_level(logging.DEBUG)
    for address in ("canary@example.com", "canary%40example.com", "canary"):
        recruiter.get(consent_of(address))
        recruiter.put(consent_of(address), {"consent": "opted_out"})
        recruiter.put(consent_of(address), {"consent": "?"})

    formatter = JsonFormatter()
    # What the test's own client writes is no log of ours.
    logged = [formatter.format(record) for record in caplog.records if not record.name.startswith("httpx")]
    assert any("/api/v1/recipients/{email}/tracking-consent" in line for line in logged)
    assert "canary" not in "".join(logged)
    assert "canary" not in anyone.get("/metrics").text

"""DELETE /recipients/{email}: who may, and what is answered."""

from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest

from entrypoints.web import erasure


def path_of(address):
    return f"/api/v1/recipients/{quote(address, safe='')}"


@pytest.fixture
def registered(admin):
    """Register an email to somebody new and give their address, which may hold more than letters."""
    address = f"{uuid4().hex}/{uuid4().hex}+jobs@example.com"
    admin.post(
        "/api/v1/emails",
        {
            "provider": "email",
            "message_id": uuid4().hex,
            "sent_at": "2026-11-20T12:00:00Z",
            "subject": "Hello",
            "recipient": {"id": "c-erased", "email": address},
            "sender": {"id": "r-7"},
        },
    )
    return address


def keys(administrator_url):
    with psycopg.connect(administrator_url) as connection:
        return connection.execute("SELECT count(*) FROM ops.recipient_keys").fetchone()[0]


@pytest.fixture
def standing_projector(monkeypatch):
    """Nobody projects here, so nobody is waited for."""
    monkeypatch.setattr(erasure, "SECONDS_BETWEEN_LOOKS", 0.0)


@pytest.fixture
def projected(backend, administrator_url):
    """Let the read models pass for up to date."""

    def project():
        with psycopg.connect(administrator_url) as connection:
            connection.execute("UPDATE ops.read_models SET position = 1000000000")

    with psycopg.connect(administrator_url) as connection:
        positions = connection.execute("SELECT position, name FROM ops.read_models").fetchall()
    yield project
    with psycopg.connect(administrator_url) as connection:
        connection.cursor().executemany("UPDATE ops.read_models SET position = %s WHERE name = %s", positions)


def test_an_erased_recipient_is_answered_without_a_word_and_again(admin, registered, projected, administrator_url):
    projected()
    before = keys(administrator_url)

    first, again = (admin.delete(path_of(spelt)) for spelt in (registered.upper(), f" {registered}"))

    assert (first.status_code, first.content) == (204, b"")
    assert (again.status_code, again.content) == (204, b"")
    assert keys(administrator_url) == before - 1


def test_while_rows_still_tell_it_is_under_way(admin, registered, standing_projector):
    answer = admin.delete(path_of(registered))

    assert answer.status_code == 202
    assert answer.json()["status"] == "under_way"
    assert registered.split("+")[0] not in answer.text
    assert admin.delete(path_of(registered)).status_code == 202


def test_somebody_unknown_is_answered_as_somebody_erased(admin):
    answer = admin.delete(path_of("nobody.knows@example.com"))

    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("caller", ["recruiter", "manager"])
def test_recruiters_and_hiring_managers_may_not(request, caller, registered, administrator_url):
    before = keys(administrator_url)

    assert request.getfixturevalue(caller).delete(path_of(registered)).status_code == 403
    assert keys(administrator_url) == before


def test_another_organisation_erases_its_own_knowledge_only(stranger, registered, administrator_url):
    before = keys(administrator_url)

    assert stranger.delete(path_of(registered)).status_code == 204
    assert keys(administrator_url) == before


@pytest.mark.parametrize("address", ["john", "@", "john@", "a b@example.com", "x" * 400 + "@example.com"])
def test_what_is_no_address_is_named(admin, address):
    answer = admin.delete(path_of(address))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "email"
    assert address not in answer.text

from uuid import uuid4

import psycopg
import pytest

from application.fingerprints import fingerprint_of
from application.tokens import hash_of
from tests.support.signed_deliveries import SIGNERS

KEYS = "/api/v1/api-keys"
ENDPOINTS = "/api/v1/webhook-endpoints"
OLD_KEY, NEW_KEY = SIGNERS["email"].key, SIGNERS["email"].other_key


def test_an_organisation_is_created_by_the_operator_and_its_key_works(operator, with_token):
    created = operator.post("/api/v1/organizations", {"name": "New"}).json()

    emails = with_token(created["api_key"]).get("/api/v1/emails")

    assert (emails.status_code, emails.json()) == (200, {"items": [], "next_cursor": None})


def test_nobody_else_creates_organisations(admin, with_token):
    assert admin.post("/api/v1/organizations", {"name": "New"}).status_code == 403
    assert with_token("almost the operator's own token").post("/api/v1/organizations", {"name": "N"}).status_code == 401


def test_the_operators_token_opens_nothing_else(operator):
    assert operator.get("/api/v1/emails").status_code == 401


def test_only_hashes_of_tokens_are_kept(admin, administrator_url):
    key = admin.post(KEYS, {"name": "ATS"}).json()["api_key"]
    token = admin.post("/api/v1/user-sessions", {"user_id": "u", "role": "recruiter"}).json()["token"]

    with psycopg.connect(administrator_url) as connection:
        rows = connection.execute("SELECT token_hash, t::text FROM ops.access_tokens t").fetchall()

    assert {hash_of(key), hash_of(token)} <= {row[0] for row in rows}
    assert not any(secret in row[1] for row in rows for secret in (key, token))


def test_a_revoked_key_opens_nothing_once_the_answer_is_two_seconds_old(admin, with_token, monotonic):
    created = admin.post(KEYS, {"name": "short-lived"}).json()
    with_key = with_token(created["api_key"])
    assert with_key.get("/api/v1/emails").status_code == 200

    assert admin.delete(f"{KEYS}/{created['api_key_id']}").status_code == 204
    monotonic.now += 2.1

    assert with_key.get("/api/v1/emails").status_code == 401
    assert admin.delete(f"{KEYS}/{created['api_key_id']}").status_code == 204, "twice does no harm"


def test_what_is_no_key_is_not_revoked_as_one(admin, browser, link_for, administrator_url):
    browser.sign_in(link_for("recruiter", "u-stays")["url"])
    with psycopg.connect(administrator_url) as connection:
        query = "SELECT id, revoked_at FROM ops.access_tokens WHERE user_id = 'u-stays' ORDER BY id"
        before = connection.execute(query).fetchall()

    answers = [admin.delete(f"{KEYS}/{token_id}") for token_id, _ in before]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "unknown_token")}
    with psycopg.connect(administrator_url) as connection:
        assert connection.execute(query).fetchall() == before


def test_a_revoked_user_session_ends_what_came_of_it_and_nothing_else(admin, link_for, browser, administrator_url):
    ended, other = link_for("recruiter", "u-ends"), link_for("recruiter", "u-ends")
    browser.sign_in(ended["url"])

    assert admin.delete(f"/api/v1/user-sessions/{ended['session_id']}").status_code == 204

    with psycopg.connect(administrator_url) as connection:
        open_ones = connection.execute(
            "SELECT kind, coalesce(parent_id, id)::text FROM ops.access_tokens"
            " WHERE user_id = 'u-ends' AND revoked_at IS NULL ORDER BY kind"
        ).fetchall()
    assert open_ones == [("sign_in_link", other["session_id"]), ("user_token", other["session_id"])]


def test_the_list_of_keys_shows_no_key(admin):
    created = admin.post(KEYS, {"name": "hidden"}).json()

    listed = admin.get(KEYS)

    assert created["api_key"] not in listed.text
    assert created["api_key_id"] in {key["api_key_id"] for key in listed.json()["items"]}


def test_a_users_token_has_their_role_and_ends_with_their_session(admin, with_token, monotonic):
    session = admin.post("/api/v1/user-sessions", {"user_id": "h-1", "role": "hiring_manager", "name": "G"}).json()
    user = with_token(session["token"])

    assert session["token"] not in session["url"], "addresses are kept in histories"
    assert len(user.get("/api/v1/emails", candidate_id="c-1").json()["items"]) == 1
    assert user.get(KEYS).status_code == 403

    assert admin.delete(f"/api/v1/user-sessions/{session['session_id']}").status_code == 204
    monotonic.now += 2.1
    assert user.get("/api/v1/emails").status_code == 401


@pytest.mark.parametrize(
    "body, field",
    [
        ({"user_id": "", "role": "recruiter"}, "user_id"),
        ({"user_id": "u", "role": "king"}, "role"),
        ({"role": "recruiter"}, "user_id"),
        ({"user_id": "u" * 300, "role": "recruiter"}, "user_id"),
    ],
)
def test_a_bad_user_is_named(body, field, admin):
    answer = admin.post("/api/v1/user-sessions", body)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_a_webhook_endpoint_is_opened_listed_and_closed(admin):
    path = "/api/v1/webhook-endpoints"
    opened = admin.post(path, {"provider": "email", "keys": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]})

    assert opened.status_code == 201
    assert opened.json()["path"] == f"/webhooks/email/{opened.json()['endpoint_id']}"
    assert "whsec_" not in admin.get(path).text
    assert admin.delete(f"{path}/{opened.json()['endpoint_id']}").status_code == 204
    listed = {endpoint["endpoint_id"]: endpoint for endpoint in admin.get(path).json()["items"]}
    assert listed[opened.json()["endpoint_id"]]["disabled_at"]


@pytest.mark.parametrize(
    "body",
    [
        {"provider": "pigeon"},
        {"provider": "email", "keys": ["nonsense"]},
        {"provider": "email", "allowed_networks": ["everywhere"]},
        {"provider": "email", "requests_per_minute": 0},
        {"provider": "email", "tolerance_s": -1},
        {},
    ],
)
def test_a_bad_webhook_endpoint_is_refused(body, admin):
    assert admin.post("/api/v1/webhook-endpoints", body).status_code == 422


@pytest.fixture
def endpoint(admin):
    """The path of an endpoint with one key."""
    opened = admin.post(ENDPOINTS, {"provider": "email", "keys": [OLD_KEY]}).json()
    return f"{ENDPOINTS}/{opened['endpoint_id']}"


def keys_of(admin, endpoint):
    listed = admin.get(ENDPOINTS).json()["items"]
    (found,) = [one for one in listed if endpoint.endswith(one["endpoint_id"])]
    return found["key_fingerprints"]


def test_a_verification_key_is_replaced_without_a_gap_and_never_shown(admin, endpoint):
    added = admin.post(f"{endpoint}/keys", {"key": NEW_KEY})
    again = admin.post(f"{endpoint}/keys", {"key": NEW_KEY})
    both = keys_of(admin, endpoint)
    removed = admin.delete(f"{endpoint}/keys/{fingerprint_of(OLD_KEY)}")

    assert (added.status_code, removed.status_code, removed.content) == (201, 204, b"")
    assert added.json() == again.json(), "adding it again changes nothing"
    assert added.json()["key_fingerprints"] == both == [fingerprint_of(OLD_KEY), fingerprint_of(NEW_KEY)]
    assert keys_of(admin, endpoint) == [fingerprint_of(NEW_KEY)]
    assert NEW_KEY not in added.text
    assert set(added.json()) == set(admin.get(ENDPOINTS).json()["items"][0])


def test_the_last_verification_key_may_go_too_and_the_endpoint_is_then_without_any(admin, endpoint):
    assert admin.delete(f"{endpoint}/keys/{fingerprint_of(OLD_KEY)}").status_code == 204

    assert keys_of(admin, endpoint) == []


@pytest.mark.parametrize(
    "body, field, code",
    [
        ({"key": "nonsense"}, "key", "invalid_verification_key"),
        ({"key": ""}, "key", "invalid_verification_key"),
        ({"key": 1}, "key", "invalid_request"),
        ({}, "key", "invalid_request"),
    ],
)
def test_a_verification_key_that_cannot_be_is_refused_by_name_and_nothing_changes(body, field, code, admin, endpoint):
    answer = admin.post(f"{endpoint}/keys", body)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert keys_of(admin, endpoint) == [fingerprint_of(OLD_KEY)]


def test_keys_of_endpoints_that_are_not_there_and_keys_that_are_not_there_are_not_found(admin, endpoint):
    nowhere = f"{ENDPOINTS}/{uuid4()}"

    answers = [
        admin.post(f"{nowhere}/keys", {"key": NEW_KEY}),
        admin.delete(f"{nowhere}/keys/{fingerprint_of(OLD_KEY)}"),
        admin.delete(f"{endpoint}/keys/{fingerprint_of(NEW_KEY)}"),
        admin.delete(f"{endpoint}/keys/{'0' * 300}"),
    ]

    found = [(answer.status_code, answer.json()["code"]) for answer in answers]
    assert found == [(404, "endpoint_not_found")] * 2 + [(404, "key_not_found")] * 2
    assert keys_of(admin, endpoint) == [fingerprint_of(OLD_KEY)]


def test_a_closed_endpoint_takes_no_key(admin, endpoint):
    assert admin.delete(endpoint).status_code == 204

    answer = admin.post(f"{endpoint}/keys", {"key": NEW_KEY})

    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (409, "endpoint_closed")
    assert "open another one with this key" in answer.json()["detail"]
    assert keys_of(admin, endpoint) == [fingerprint_of(OLD_KEY)]


def test_the_document_shows_an_example_of_an_endpoint_whose_key_is_being_replaced(client):
    paths = client.get("/schema/openapi.json").json()["paths"]

    add = paths[f"{ENDPOINTS}/{{endpoint_id}}/keys"]["post"]
    example = add["responses"]["201"]["content"]["application/json"]["example"]
    sent = add["requestBody"]["content"]["application/json"]["example"]["key"]
    assert example["key_fingerprints"][-1] == fingerprint_of(sent)
    assert "409" in add["responses"], "that of a closed endpoint"
    assert {"204", "404"} <= set(paths[f"{ENDPOINTS}/{{endpoint_id}}/keys/{{fingerprint}}"]["delete"]["responses"])

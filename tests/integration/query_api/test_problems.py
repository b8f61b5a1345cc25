"""Bad requests get a clear problem; nothing of our insides shows."""

import asyncio
import logging

import psycopg
import pytest

from adapters.postgres.query_pool import ScopedDatabase, query_pool
from entrypoints.web.app import MOST_BODY_BYTES
from read_models.errors import AnswersUnavailableError
from tests.support.query_world import CAMPAIGN, OURS

FIELDS = {"type", "title", "status", "code", "detail", "request_id", "errors"}


def check_problem(answer, status):
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert set(answer.json()) == FIELDS
    assert answer.json()["status"] == status
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    return answer.json()


@pytest.mark.parametrize(
    "path, field",
    [
        ("/api/v1/emails?limit=0", "limit"),
        ("/api/v1/emails?limit=1001", "limit"),
        ("/api/v1/emails?limit=99999999999999999999999", "limit"),
        ("/api/v1/emails?limit=ten", "limit"),
        ("/api/v1/emails?cursor=nonsense", "cursor"),
        ("/api/v1/emails?campaign_id=7", "campaign_id"),
        ("/api/v1/emails?sent_from=yesterday", "sent_from"),
        ("/api/v1/emails?sent_from=2026-11-21T09:00:00", "sent_from"),
        ("/api/v1/emails?sent_from=2026-11-22T09:00:00Z&sent_to=2026-11-21T09:00:00Z", "sent_to"),
        ("/api/v1/emails?candidate_id=a%00b", "candidate_id"),
        ("/api/v1/candidates?level=boiling", "level"),
        ("/api/v1/candidates?cursor=WzEsIDJd", "cursor"),
        (f"/api/v1/campaigns/{CAMPAIGN}/links?group_by=colour", "group_by"),
        ("/api/v1/contacts/engaged?min_clicks=-1", "min_clicks"),
        ("/api/v1/contacts/engaged?min_clicks=1e10", "min_clicks"),
        ("/api/v1/webhook-deliveries?status=happy", "status"),
    ],
)
def test_a_bad_parameter_is_named(path, field, admin):
    problem = check_problem(admin.get(path), 422)

    assert problem["errors"][0]["field"] == field
    assert problem["errors"][0]["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/nothing/here",
        "/api/v1/nothing",
        "/schema/swagger",
        "/api/v1/emails/not-a-uuid",
        "/api/v1/campaigns/7/engagement",
        "/api/v1/candidates/a%00b/engagement",
        "/api/v1/jobs/%00/links",
        "/api/v1/candidates/' OR 1=1 --/engagement",
    ],
)
def test_what_does_not_exist_is_a_404(path, admin):
    check_problem(admin.get(path), 404)


def test_a_wrong_method_is_a_405_that_says_which_are_right(admin):
    answer = admin.delete("/api/v1/emails")

    check_problem(answer, 405)
    assert {"GET", "POST"} <= set(answer.headers["allow"].replace(" ", "").split(","))


@pytest.mark.parametrize("path", ["/api/v1/emails", "/api/v1/api-keys", "/api/v1/organizations", "/health/live"])
def test_options_says_which_methods_there_are_to_whoever_may_call_something(path, manager):
    answer = manager.ask("OPTIONS", path)

    assert answer.status_code == 204
    assert set(answer.headers["allow"].replace(" ", "").split(",")) & {"GET", "POST"}


@pytest.mark.parametrize("path", ["/", "/settings/keys", "/zone"])
def test_options_of_a_page_does_so_too(path, managers_browser):
    assert managers_browser.ask("OPTIONS", path).status_code == 204


def test_options_of_the_api_is_not_for_strangers(anyone):
    check_problem(anyone.request("OPTIONS", "/api/v1/emails"), 401)


@pytest.mark.parametrize(
    "content, media_type, status",
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b'{"name": "\xff"}', "application/json", 400),
        (b'{"colour": ' + b"[" * 200_000, "application/json", 400),
        (b"name=x", "application/x-www-form-urlencoded", 415),
        (b"<name/>", "text/xml", 415),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b'{"name": 7}', "application/json", 422),
        (b'{"name": " "}', "application/json", 422),
        (b'{"name": "a\\u0000b"}', "application/json", 422),
        (b'{"name": "' + b"x" * 300 + b'"}', "application/json", 422),
        (b'{"name": "vendor types are JSON too"}', "application/vnd.acme+json; charset=utf-8", 201),
    ],
)
def test_a_bad_body_is_refused_by_what_is_wrong_with_it(content, media_type, status, admin):
    answer = admin.post("/api/v1/api-keys", content=content, headers={"Content-Type": media_type})

    if status == 201:
        assert answer.status_code == 201
    else:
        check_problem(answer, status)


def test_a_body_over_the_limit_is_a_413_also_in_chunks(admin):
    def chunks():
        for _ in range(11):
            yield b" " * (MOST_BODY_BYTES // 10)

    declared = admin.post(
        "/api/v1/api-keys", content=b" " * (MOST_BODY_BYTES + 1), headers={"Content-Type": "application/json"}
    )
    chunked = admin.post("/api/v1/api-keys", content=chunks(), headers={"Content-Type": "application/json"})

    check_problem(declared, 413)
    check_problem(chunked, 413)


def test_a_mistake_of_ours_tells_the_logs_and_not_the_caller(client, admin, caplog, monkeypatch):
    from adapters.postgres.queries.emails import PostgresEmailQueries

    async def fails(*_, **__):
        raise RuntimeError("secret insides")

    monkeypatch.setattr(PostgresEmailQueries, "email", fails)
    with caplog.at_level(logging.ERROR):
        answer = admin.get(f"/api/v1/emails/{OURS}")

    problem = check_problem(answer, 500)
    assert "secret" not in answer.text
    assert problem["code"] == "internal_error"
    assert any("secret insides" in str(record.exc_info) for record in caplog.records)


def test_a_callers_request_id_comes_back_if_it_is_sane(client):
    sane = client.get("/health/live", headers={"X-Request-ID": "abc-123"}).headers["x-request-id"]
    wild = client.get("/health/live", headers={"X-Request-ID": "a b<script>"}).headers["x-request-id"]

    assert sane == "abc-123"
    assert wild != "a b<script>"


@pytest.mark.parametrize("path", ["/health/live", "/api/v1/emails", "/nothing", "/schema", "/metrics"])
def test_every_answer_carries_the_security_headers(path, client):
    headers = client.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].startswith("default-src 'none'")


def test_without_the_database_a_question_is_to_be_asked_again():
    async def ask():
        away = query_pool("postgresql://nobody@127.0.0.1:1/none", size=1)
        async with away as pool, ScopedDatabase(pool).reading(OURS):
            pytest.fail("nobody can have answered")

    with pytest.raises(AnswersUnavailableError):
        asyncio.run(ask())


def test_an_unavailable_database_is_a_503_that_says_when_to_come_back(admin, monkeypatch):
    from adapters.postgres.queries.emails import PostgresEmailQueries

    async def is_away(*_, **__):
        raise AnswersUnavailableError("connection refused to 10.0.0.7")

    monkeypatch.setattr(PostgresEmailQueries, "email", is_away)
    answer = admin.get(f"/api/v1/emails/{OURS}")

    check_problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert "10.0.0.7" not in answer.text


def test_tables_of_another_version_are_a_503_and_the_log_says_what_to_do(admin, administrator_url, caplog):
    with psycopg.connect(administrator_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE email_logs RENAME COLUMN subject TO subject_of_another_version")
    try:
        with caplog.at_level(logging.WARNING, logger="entrypoints.web.problems"):
            answer = admin.get("/api/v1/emails")
    finally:
        with psycopg.connect(administrator_url, autocommit=True) as connection:
            connection.execute("ALTER TABLE email_logs RENAME COLUMN subject_of_another_version TO subject")

    check_problem(answer, 503)
    assert any("mailpulse doctor" in record.reason for record in caplog.records)


def test_connections_that_the_database_dropped_are_replaced_before_anybody_notices(admin, administrator_url):
    assert admin.get("/api/v1/emails").status_code == 200
    with psycopg.connect(administrator_url, autocommit=True) as connection:
        dropped = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'mailpulse query' AND datname = current_database()"
        ).fetchall()

    answer = admin.get("/api/v1/emails")

    assert dropped
    assert answer.status_code == 200

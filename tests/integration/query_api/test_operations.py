"""Health, measurements, access log, and the document that describes it all."""

import asyncio
import json
import logging
import re

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.postgres.query_pool import PostgresCheck
from entrypoints.bootstrap import Backend
from entrypoints.web.bootstrap import Web
from entrypoints.web.observation import METHODS
from entrypoints.web.server import whole_app
from read_models.errors import AnswersUnavailableError
from tests.support.query_world import email_id

CONTRACT = {
    ("post", "/api/v1/emails"),
    ("get", "/api/v1/emails"),
    ("get", "/api/v1/emails/{email_id}"),
    ("get", "/api/v1/emails/{email_id}/events"),
    ("get", "/api/v1/candidates"),
    ("post", "/api/v1/emails/instrument"),
    ("get", "/api/v1/candidates/{candidate_id}/engagement"),
    ("get", "/api/v1/campaigns/{campaign_id}/engagement"),
    ("get", "/api/v1/campaigns/{campaign_id}/links"),
    ("get", "/api/v1/contacts/engaged"),
    ("get", "/api/v1/dashboard"),
    ("get", "/api/v1/notifications"),
    ("post", "/api/v1/notifications/{notification_id}/read"),
    ("get", "/api/v1/notifications/stream"),
    ("get", "/api/v1/notification-preferences"),
    ("put", "/api/v1/notification-preferences"),
    ("get", "/api/v1/tracking-policy"),
    ("put", "/api/v1/tracking-policy"),
    ("get", "/api/v1/recipients/{email}/tracking-consent"),
    ("put", "/api/v1/recipients/{email}/tracking-consent"),
    ("delete", "/api/v1/recipients/{email}"),
    ("get", "/api/v1/webhook-deliveries"),
    ("post", "/api/v1/webhook-deliveries/{report_id}/retry"),
    ("post", "/api/v1/user-sessions"),
    ("post", "/webhooks/{provider}/{endpoint_id}"),
    ("get", "/t/o/{token}"),
    ("get", "/t/c/{token}"),
    ("get", "/t/u/{token}"),
    ("post", "/t/u/{token}"),
    ("get", "/health/live"),
    ("get", "/health/ready"),
    ("get", "/metrics"),
    ("get", "/schema"),
    ("get", "/"),
    ("get", "/candidates/{candidate_id}"),
    ("get", "/emails/{email_id}"),
    ("get", "/campaigns/{campaign_id}"),
}


@pytest.fixture(scope="module")
def document(backend):
    """The document of the application as a web process serves it, webhooks and links in emails included."""

    async def served():
        own = Backend(backend.settings)  # the web process closes its backend
        async with Web(own).edge() as edge:
            transport = httpx.ASGITransport(app=whole_app(edge, own.settings))
            async with httpx.AsyncClient(transport=transport, base_url="https://pulse.example.com") as client:
                return (await client.get("/schema/openapi.json")).json()

    return asyncio.run(served())


def operations(document):
    return {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_the_document_describes_every_endpoint_of_the_contract(document):
    assert set(operations(document)) >= CONTRACT


def test_every_body_that_is_sent_or_answered_has_an_example(document):
    bodies = {
        (method, path, status, media_type): content
        for (method, path), operation in operations(document).items()
        for status, body in {**operation["responses"], "request": operation.get("requestBody", {})}.items()
        for media_type, content in body.get("content", {}).items()
    }

    assert [where for where, content in bodies.items() if not content.keys() & {"example", "examples"}] == []


def test_every_operation_of_the_api_has_problems_and_security(document):
    for (method, path), operation in operations(document).items():
        if not path.startswith("/api/v1"):
            continue
        where = f"{method} {path}"
        assert operation["security"] == [{"bearer": []}], where
        assert {"401", "403", "503"} <= set(operation["responses"]), where
        if "requestBody" in operation:
            assert operation["requestBody"]["content"]["application/json"]["example"], where
            assert {"400", "413", "415", "422"} <= set(operation["responses"]), where


def test_every_reference_in_the_document_leads_somewhere(document):
    references = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(document)))

    assert references - set(document["components"]["schemas"]) == set()
    assert "Problem" in references


def test_examples_have_the_fields_that_answers_have(document, admin):
    def example(path):
        return operations(document)["get", path]["responses"]["200"]["content"]["application/json"]["example"]

    paths = {"/api/v1/emails": {}, "/api/v1/candidates": {}, "/api/v1/contacts/engaged": {"min_clicks": 0}}
    for path, parameters in paths.items():
        answer = admin.get(path, **parameters).json()
        assert set(example(path)) == set(answer)
        assert set(example(path)["items"][0]) == set(answer["items"][0])
    link = admin.get("/api/v1/candidates/c-1/links").json()["items"][0]
    assert set(example("/api/v1/candidates/{candidate_id}/links")["items"][0]) == set(link)
    event = admin.get(f"/api/v1/emails/{email_id('named')}/events").json()["items"][0]
    assert set(example("/api/v1/emails/{email_id}/events")["items"][0]) == set(event)


def test_the_document_needs_nothing_from_elsewhere(client):
    answer = client.get("/schema")

    assert answer.json()["openapi"].startswith("3.")
    assert "cdn" not in answer.text
    assert "<script" not in answer.text


def test_the_examples_of_health_are_answers(document, client, redis_switch):
    redis_switch.is_away = False
    for path in ("/health/live", "/health/ready"):
        (content,) = operations(document)["get", path]["responses"]["200"]["content"].values()
        assert content["example"] == client.get(path).json()


@pytest.fixture
def without_postgresql(monkeypatch):
    async def is_away(_):
        raise AnswersUnavailableError

    monkeypatch.setattr(PostgresCheck, "check", is_away)


def test_a_process_is_alive_whatever_is_away(client, without_postgresql, redis_switch):
    redis_switch.is_away = True
    try:
        answer = client.get("/health/live")
    finally:
        redis_switch.is_away = False

    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


def test_ready_names_what_answers(client):
    answer = client.get("/health/ready")

    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ready", "checks": {"postgresql": "ok", "redis": "ok"}},
    )


def test_without_redis_the_service_is_degraded_and_ready(client, redis_switch):
    redis_switch.is_away = True
    try:
        answer = client.get("/health/ready")
    finally:
        redis_switch.is_away = False

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["redis"] == "unavailable"


def test_without_postgresql_the_service_is_not_ready(client, without_postgresql):
    answer = client.get("/health/ready")

    assert (answer.status_code, answer.json()["checks"]["postgresql"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0


def test_prometheus_is_told_the_format_in_a_way_that_it_accepts(client):
    content_type = client.get("/metrics").headers["content-type"]

    assert content_type.startswith("text/plain; version=")
    assert content_type.count("charset=utf-8") == 1


def test_measurements_are_labelled_by_route_and_never_by_path(client, admin):
    secret = "0a1b2c3d-0000-4000-8000-000000000000"
    admin.get(f"/api/v1/emails/{secret}")
    client.get(f"/nothing/{secret}")
    client.request("BREW", f"/nothing/{secret}")

    text = client.get("/metrics").text

    samples = [
        sample.labels
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "mailpulse_http_request_duration_seconds_count"
    ]
    assert {"method": "GET", "route": "/api/v1/emails/{email_id}", "status": "404"} in samples
    assert {"method": "GET", "route": "unmatched", "status": "404"} in samples
    assert {labels["method"] for labels in samples} <= METHODS | {"other"}
    assert secret not in text


def test_the_access_log_holds_no_token_no_query_and_no_id(admin, caplog):
    with caplog.at_level(logging.INFO, logger="entrypoints.web.observation"):
        admin.get(f"/api/v1/emails/{email_id('named')}", note="a-private-note")

    (record,) = [record for record in caplog.records if getattr(record, "event", "") == "request"]
    line = str(vars(record))
    assert (record.route, record.status, record.method) == ("/api/v1/emails/{email_id}", 200, "GET")
    assert record.request_id
    assert not any(secret in line for secret in (admin.token, "a-private-note", str(email_id("named"))))

"""What a caller of the running service is told in the first moments: of its own writes, and of its own mistakes."""

import http.client
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from tests.support.running_service import RunningService


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with RunningService(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture(scope="module")
def api_key(service):
    return service.command("org", "create", "Acme")["api_key"]


def email(**told):
    return {
        "provider": "email",
        "message_id": uuid4().hex,
        "sent_at": datetime.now(UTC).isoformat(),
        "subject": "Interview Invitation",
        "recipient": {"id": "c-1", "email": "john@example.com"},
        "sender": {"id": "r-7"},
    } | told


def registered(service, api_key, **told):
    status, answer = service.post("/api/v1/emails", email(**told), api_key)
    assert status == http.client.CREATED
    return answer["email_id"]


@pytest.mark.parametrize("question", ["", "/events"])
def test_what_was_registered_is_found_at_once(service, api_key, question):
    statuses = [service.get(f"/api/v1/emails/{registered(service, api_key)}{question}", api_key)[0] for _ in range(30)]

    assert statuses == [http.client.OK] * 30


def test_a_question_waits_for_the_projector(service, api_key):
    projector = service.processes()["projector"]
    projector.suspend()
    try:
        email_id = registered(service, api_key)
        with ThreadPoolExecutor() as threads:
            asked = threads.submit(service.get, f"/api/v1/emails/{email_id}", api_key)
            projector.resume()
            status, answer = asked.result()
    finally:
        projector.resume()

    assert (status, answer["email_id"]) == (http.client.OK, email_id)


def test_with_a_projector_that_stands_still_the_answer_is_a_404_and_not_nothing(service, api_key):
    projector = service.processes()["projector"]
    projector.suspend()
    try:
        status, _ = service.get(f"/api/v1/emails/{registered(service, api_key)}", api_key)
    finally:
        projector.resume()

    assert status == http.client.NOT_FOUND


@pytest.mark.parametrize(
    "method, path, token, media_type, status",
    [
        ("POST", "/api/v1/emails", "nobody's", "application/json", http.client.UNAUTHORIZED),
        ("POST", "/api/v1/emails", None, "text/plain", http.client.UNSUPPORTED_MEDIA_TYPE),
        ("POST", "/api/v1/emails", None, "application/json", http.client.REQUEST_ENTITY_TOO_LARGE),
        ("PUT", "/api/v1/emails", None, "application/json", http.client.METHOD_NOT_ALLOWED),
        ("POST", "/api/v1/nothing", None, "application/json", http.client.NOT_FOUND),
        ("POST", "/webhooks/email/nobody", None, "application/json", http.client.NOT_FOUND),
        ("PUT", "/webhooks/email/nobody", None, "application/json", http.client.METHOD_NOT_ALLOWED),
    ],
)
def test_who_sends_a_large_body_for_nothing_is_told_why(service, api_key, method, path, token, media_type, status):  # noqa: PLR0917  five parameters, two fixtures
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    try:
        headers = {"authorization": f"Bearer {token or api_key}", "content-type": media_type}
        connection.request(method, path, b" " * (10 * 2**20 + 1), headers)
        answer = connection.getresponse()
        assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    finally:
        connection.close()


def test_half_a_character_costs_a_bulk_request_nothing(service, api_key):
    good, cut = email(), email(subject="An emoji, cut in the middle: \ud83d")

    answers = service.register([good, cut], api_key)

    assert [answer["status"] for answer in answers] == ["registered", "registered"]
    _, shown = service.get(f"/api/v1/emails/{answers[1]['email_id']}", api_key)
    assert shown["subject"] == "An emoji, cut in the middle: \ufffd"


def test_a_client_that_leaves_within_its_body_is_no_mistake_of_ours(service, api_key):
    head = (
        f"POST /api/v1/emails HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {api_key}\r\n"
        "Content-Length: 1000\r\nContent-Type: application/json\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as connection:
        connection.sendall(head.encode() + b'{"emails": [')
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"code":"client_gone"' in answer

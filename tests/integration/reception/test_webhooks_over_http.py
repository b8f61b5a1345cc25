"""Reception through real sockets, on a real database: every request gets its defined answer and its counter."""

import logging
import re
from datetime import UTC, datetime
from ipaddress import ip_network
from uuid import uuid4

import msgspec
import pytest

from entrypoints.web.webhook_bodies import BodyBudget
from tests.support.edge import BODIES, Edge
from tests.support.processes import eventually
from tests.support.signed_deliveries import SIGNERS

SENDGRID = SIGNERS["sendgrid"]
LIMIT = 10 * 1024 * 1024
BODY = b'[{"event":"open","email":"ada@example.org"}]'


@pytest.fixture
def endpoint(endpoints, organization_id):
    return endpoints.add(organization_id, "sendgrid", keys=[SENDGRID.key])


def signed(body=BODY, signer=SENDGRID):
    headers, body = signer.sign(body, now=datetime.now(UTC))
    return body, headers


def inbox(database):
    return [BODIES.open(body) for (body,) in database.execute("SELECT body FROM ops.webhook_inbox ORDER BY id")]


def test_a_signed_delivery_is_in_the_database_when_the_200_arrives(edge, endpoint, organization_id, database):
    body, headers = signed()

    answer = edge.post(endpoint.path, body, headers | {"X-Request-ID": "from-the-provider:1"})

    assert (answer.status, answer.body) == (200, b"")
    row = database.execute(
        "SELECT endpoint_id, organization_id, provider, correlation_id, headers, body FROM ops.webhook_inbox"
    ).fetchone()
    assert row[:4] == (endpoint.endpoint_id, organization_id, "sendgrid", "from-the-provider:1")
    assert msgspec.msgpack.decode(row[4]) == {}
    assert BODIES.open(row[5]) == body
    assert answer.headers["x-request-id"] == "from-the-provider:1"


@pytest.mark.parametrize("provider", sorted(SIGNERS.keys() - {"sendgrid-inbound"}))  # mails are cut before
def test_every_provider_is_received_and_keeps_the_headers_that_it_reads_later(
    edge, endpoints, organization_id, database, provider
):
    signer = SIGNERS[provider]
    endpoint = endpoints.add(organization_id, provider, keys=[signer.key])
    envelope = {"Type": "Notification", "MessageId": "m", "TopicArn": signer.key, "Message": "{}", "Timestamp": "t"}
    body, headers = signed(msgspec.json.encode(envelope), signer)

    answer = edge.post(endpoint.path, body, headers | {"Content-Type": "text/plain; charset=UTF-8"})

    assert answer.status == 200
    kept, stored = database.execute("SELECT headers, body FROM ops.webhook_inbox").fetchone()
    assert BODIES.open(stored) == body
    assert msgspec.msgpack.decode(kept).items() <= headers.items()


@pytest.mark.parametrize(
    "body",
    [b"{not json", b'"text"', b"null", b"\xff\xfe\x00", b"[]", b"[" * 100_000, b"\x00"],
    ids=["malformed", "text", "null", "not UTF-8", "empty batch", "deep", "zero byte"],
)
def test_what_is_signed_is_kept_whatever_it_is(edge, endpoint, database, body):
    body, headers = signed(body)

    assert edge.post(endpoint.path, body, headers).status == 200
    assert inbox(database) == [body]


def test_an_empty_signed_body_is_acknowledged_and_not_kept(edge, endpoint, database):
    body, headers = signed(b"")

    assert edge.post(endpoint.path, body, headers).status == 200
    assert inbox(database) == []


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "image/png", "nonsense", ""])
def test_any_content_type_is_taken_for_the_bytes_are_what_is_signed(edge, endpoint, database, content_type):
    body, headers = signed()

    assert edge.post(endpoint.path, body, headers | {"Content-Type": content_type}).status == 200
    assert inbox(database) == [body]


@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
def test_ten_mebibytes_are_taken(edge, endpoint, database, chunked):
    body, headers = signed(b"x" * LIMIT)

    assert edge.post(endpoint.path, body, headers, chunked=chunked).status == 200
    assert [len(body) for body in inbox(database)] == [LIMIT]


@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
def test_one_byte_more_is_refused(edge, endpoint, database, chunked):
    body, headers = signed(b"x" * (LIMIT + 1))
    before = edge.counted("refusals", provider="sendgrid", reason="body_too_large")

    answer = edge.post(endpoint.path, body, headers, chunked=chunked)

    assert (answer.status, answer.problem["code"]) == (413, "body_too_large")
    assert inbox(database) == []
    assert edge.counted("refusals", provider="sendgrid", reason="body_too_large") == before + 1


def test_a_declared_length_beyond_the_limit_is_refused_before_the_client_sends(edge, endpoint):
    request = f"POST {endpoint.path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {2**40}\r\n\r\n"

    assert edge.send_raw(request.encode()).startswith(b"HTTP/1.1 413 ")


def test_a_body_shorter_than_declared_is_not_kept(edge, endpoint, database):
    body, headers = signed()
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"POST {endpoint.path} HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: {len(body) + 5}\r\n\r\n"

    edge.send_raw(request.encode() + body, then_close=True)

    assert eventually(lambda: edge.counted("refusals", provider="sendgrid", reason="client_gone") >= 1)
    assert inbox(database) == []


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "+5", "5, 6"])
def test_a_length_that_is_no_number_is_a_bad_request(edge, endpoint, database, length):
    request = f"POST {endpoint.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{BODY.decode()}"

    assert edge.send_raw(request.encode()).startswith(b"HTTP/1.1 400 ")
    assert inbox(database) == []


def test_a_body_that_stops_coming_is_given_up(database_url, redis_url, endpoint, database):
    with Edge(database_url, redis_url, budget=BodyBudget(patience_s=0.2)) as impatient:
        answer = impatient.send_raw(f"POST {endpoint.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n[".encode())

        assert answer.startswith(b"HTTP/1.1 408 ")
        assert impatient.counted("refusals", provider="sendgrid", reason="body_too_slow") == 1
    assert inbox(database) == []


def test_unfinished_bodies_have_a_budget(database_url, redis_url, endpoint, database):
    body, headers = signed(b"x" * 1_000_000)

    with Edge(database_url, redis_url, budget=BodyBudget(most_bytes=100_000)) as small:
        answer = small.post(endpoint.path, body, headers, chunked=True)

    assert (answer.status, answer.problem["code"]) == (503, "too_many_bodies")
    assert int(answer.headers["retry-after"]) > 0
    assert small.counted("refusals", provider="sendgrid", reason="too_many_bodies") == 1
    assert inbox(database) == []


@pytest.mark.parametrize("provider", SIGNERS)
@pytest.mark.parametrize("forgery", ["missing", "truncated", "other key", "other body", "garbage"])
def test_what_is_not_proven_is_refused_and_nothing_else_happens(  # noqa: PLR0917  two parameters, five fixtures
    edge, endpoints, organization_id, database, caplog, provider, forgery
):
    signer = SIGNERS[provider]
    endpoint = endpoints.add(
        organization_id, provider, keys=[signer.other_key if forgery == "other key" else signer.key]
    )
    envelope = {"Type": "Notification", "MessageId": "m", "TopicArn": signer.key, "Message": "{}", "Timestamp": "t"}
    body, headers = signed(msgspec.json.encode(envelope), signer)
    headers, body = forged(signer, headers, body, forgery)
    rings = edge.bell.rings

    with caplog.at_level(logging.WARNING, "application.receive_webhook"):
        answer = edge.post(endpoint.path, body, headers)

    assert (answer.status, answer.problem["code"]) == (401, "signature_refused")
    assert (inbox(database), edge.bell.rings) == ([], rings)
    (warning,) = [record for record in caplog.records if record.name == "application.receive_webhook"]
    assert (warning.endpoint_id, warning.provider) == (str(endpoint.endpoint_id), provider)
    assert warning.request_id == answer.headers["x-request-id"]
    assert edge.counted("refusals", provider=provider, reason=f"signature_{warning.reason}") >= 1


def forged(signer, headers, body, forgery):
    signature = signer.signature_of(headers, body)
    match forgery:
        case "missing":
            if signer.signature_header:
                return {name: value for name, value in headers.items() if name != signer.signature_header}, body
            return signer.with_signature(headers, body, "")
        case "truncated":
            return signer.with_signature(headers, body, signature[:-5])
        case "garbage":
            return signer.with_signature(headers, body, "n\xf6nsense")
        case "other body":
            return headers, body.replace(b"Notification", b"Notificatiom").replace(b'"{}"', b'"[]"')
        case _:
            return headers, body


def test_another_organisations_key_proves_nothing_here(edge, endpoints, endpoint, organization_id, database):
    stranger = endpoints.add(organization_id, "sendgrid", keys=[SENDGRID.other_key])
    body, headers = signed()

    assert edge.post(stranger.path, body, headers).status == 401
    assert edge.post(endpoint.path, body, headers).status == 200
    assert len(inbox(database)) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/sendgrid/{unknown}",
        "/webhooks/ses/{known}",
        "/webhooks/nobody/{known}",
        "/webhooks/sendgrid/not-a-uuid",
        "/webhooks/sendgrid/{hex}",
        "/webhooks/sendgrid/%00",
        "/webhooks/%ff/{known}",
        "/webhooks/sendgrid/" + "1" * 5000,
    ],
    ids=["unknown", "other provider", "no provider", "no UUID", "without hyphens", "zero", "no UTF-8", "long"],
)
def test_an_address_that_nobody_has_is_not_found(edge, endpoint, database, path):
    body, headers = signed()
    known = endpoint.endpoint_id
    before = edge.refused("unknown_endpoint")

    answer = edge.post(path.format(unknown=uuid4(), known=known, hex=known.hex), body, headers)

    assert (answer.status, answer.problem["code"]) == (404, "unknown_endpoint")
    assert inbox(database) == []
    assert edge.refused("unknown_endpoint") == before + 1


def test_strangers_names_never_become_labels(edge):
    edge.post(f"/webhooks/{uuid4().hex}/{uuid4()}", BODY)

    labels = {
        sample.labels["provider"]
        for metric in edge.registry.collect()
        for sample in metric.samples
        if "provider" in sample.labels
    }
    assert labels <= {*SIGNERS, "other"}


@pytest.mark.parametrize("path", ["/webhooks", "/webhooks/sendgrid", "/webhooks/sendgrid/a/b"])
def test_half_an_address_is_a_problem_too(edge, path):
    assert edge.post(path, BODY).problem["status"] == 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_only_post_is_taken(edge, endpoint, method):
    before = edge.counted("refusals", provider="sendgrid", reason="method_not_allowed")

    answer = edge.post(endpoint.path, b"", method=method)

    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert edge.counted("refusals", provider="sendgrid", reason="method_not_allowed") == before + 1


def test_an_address_off_the_allow_list_is_forbidden(edge, endpoints, organization_id, database):
    closed = endpoints.add(organization_id, "sendgrid", keys=[SENDGRID.key], allowed_networks=["192.0.2.0/24"])
    body, headers = signed()
    before = edge.counted("refusals", provider="sendgrid", reason="address_not_allowed")

    answer = edge.post(closed.path, body, headers | {"X-Forwarded-For": "192.0.2.1"})

    assert (answer.status, answer.problem["code"]) == (403, "address_not_allowed")
    assert inbox(database) == []
    assert edge.counted("refusals", provider="sendgrid", reason="address_not_allowed") == before + 1


def test_an_address_on_the_allow_list_passes(edge, endpoints, organization_id):
    local = endpoints.add(organization_id, "sendgrid", keys=[SENDGRID.key], allowed_networks=["127.0.0.0/8", "::1"])
    body, headers = signed()

    assert edge.post(local.path, body, headers).status == 200


def test_behind_a_trusted_proxy_the_last_untrusted_address_counts(database_url, redis_url, endpoints, organization_id):
    closed = endpoints.add(organization_id, "sendgrid", keys=[SENDGRID.key], allowed_networks=["192.0.2.0/24"])
    body, headers = signed()

    with Edge(database_url, redis_url, trusted_proxies=[ip_network("127.0.0.1"), ip_network("10.0.0.0/8")]) as edge:
        statuses = {
            forwarded: edge.post(closed.path, body, headers | {"X-Forwarded-For": forwarded}).status
            for forwarded in (
                "192.0.2.7",
                "203.0.113.9, 192.0.2.7, 10.0.0.1",
                "192.0.2.7, 203.0.113.9",  # the client wrote the first entry itself
                "192.0.2.7, nonsense",
                "",
            )
        }

    assert list(statuses.values()) == [200, 200, 403, 403, 403]


def test_a_request_beyond_the_limit_is_told_when_to_come_back(edge, endpoints, organization_id, database):
    slow = endpoints.add(organization_id, "sendgrid", keys=[SENDGRID.key], requests_per_minute=2)
    body, headers = signed()
    before = edge.counted("refusals", provider="sendgrid", reason="rate_limited")

    answers = [edge.post(slow.path, body, headers) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].problem["code"] == "rate_limited"
    assert edge.counted("refusals", provider="sendgrid", reason="rate_limited") == before + 1
    assert 1 <= int(answers[2].headers["retry-after"]) <= 60
    assert len(inbox(database)) == 2


def test_a_second_key_is_accepted_and_a_disabled_endpoint_is_gone_soon(edge, endpoints, organization_id):
    endpoint = endpoints.add(organization_id, "sendgrid", keys=[SENDGRID.other_key])
    body, headers = signed()
    assert edge.post(endpoint.path, body, headers).status == 401

    endpoints.add_key(organization_id, endpoint.endpoint_id, SENDGRID.key)
    assert eventually(lambda: edge.post(endpoint.path, body, headers).status == 200)

    endpoints.disable(organization_id, endpoint.endpoint_id)
    assert eventually(lambda: edge.post(endpoint.path, body, headers).status == 404)


@pytest.mark.parametrize(
    "given", ["", "with space", "a" * 129, "-x", "caf\xe9", "<script>"], ids=["none", "space", "long", "-", "é", "<"]
)
def test_an_id_that_is_not_sane_is_replaced(edge, endpoint, database, given):
    body, headers = signed()

    answer = edge.post(endpoint.path, body, headers | {"X-Request-ID": given})

    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])
    assert database.execute("SELECT correlation_id FROM ops.webhook_inbox").fetchall() == [
        (answer.headers["x-request-id"],)
    ]


def test_a_trace_goes_on(edge, endpoint):
    body, headers = signed()
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    answer = edge.post(endpoint.path, body, headers | {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})

    assert answer.headers["x-request-id"] == trace


def test_what_was_received_is_counted(edge, endpoint):
    body, headers = signed()
    before = edge.counted("deliveries", provider="sendgrid"), edge.counted("stored_bytes", provider="sendgrid")

    edge.post(endpoint.path, body, headers)

    assert edge.counted("deliveries", provider="sendgrid") == before[0] + 1
    assert edge.counted("stored_bytes", provider="sendgrid") == before[1] + len(body)

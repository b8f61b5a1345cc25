"""Incoming mail through real sockets: who may post it, how large it may be, and that none of its words is kept."""

from base64 import b64encode
from datetime import UTC, datetime

import msgspec
import psycopg
import pytest

from application.webhook_endpoints import InvalidEndpointError
from entrypoints.web.webhook_bodies import BodyBudget
from tests.support.edge import BODIES, Edge
from tests.support.mails import MESSAGE_ID, form, mail
from tests.support.signed_deliveries import SIGNERS, notification

MIB = 1024 * 1024
PASSWORD = "basic:mailpulse:a password of 32 characters: ok"
REPLY = mail("reply_gmail_web")
RAW_FORM, FORM_TYPE = form({"email": REPLY, "envelope": '{"to":["x@y.example"],"from":"j@y.example"}'})


def basic(key):
    return {"Authorization": "Basic " + b64encode(key.removeprefix("basic:").encode()).decode()}


def kept_bodies(database):
    return [BODIES.open(body) for (body,) in database.execute("SELECT body FROM ops.webhook_inbox ORDER BY id")]


def kept_mail(database):
    [body] = kept_bodies(database)
    [item] = msgspec.json.decode(body)
    assert b"ynthetic words" not in body
    assert b"Interview" not in body
    return item["mail"]


@pytest.fixture
def inbound(endpoints, organization_id):
    return endpoints.add(organization_id, "sendgrid-inbound", keys=[SIGNERS["sendgrid-inbound"].key, PASSWORD])


def signed(provider, body):
    return SIGNERS[provider].sign(body, now=datetime.now(UTC))


def test_a_signed_inbound_parse_is_kept_without_its_words(edge, inbound, database):
    headers, body = signed("sendgrid-inbound", RAW_FORM)

    answer = edge.post(inbound.path, body, headers | {"Content-Type": FORM_TYPE})

    assert answer.status == 200
    assert kept_mail(database)["quoted_ids"][0] == MESSAGE_ID


def test_the_password_in_the_url_is_as_good(edge, inbound, database):
    answer = edge.post(inbound.path, RAW_FORM, basic(PASSWORD) | {"Content-Type": FORM_TYPE})

    assert answer.status == 200
    assert kept_mail(database)["report"]["recipient"] == "john.smith@gmail.example"


@pytest.mark.parametrize(
    "headers, reason",
    [
        ({}, "missing"),
        (basic("basic:mailpulse:another password, as long"), "mismatch"),
        (basic("basic:mailpulse:"), "mismatch"),
        ({"Authorization": "Basic !"}, "mismatch"),
        ({"Authorization": "Bearer a password of 32 characters: ok"}, "mismatch"),
        ({"Authorization": "Basic \xff"}, "mismatch"),
    ],
)
def test_nobody_else_may_post_mail(edge, inbound, database, headers, reason):
    before = edge.counted("refusals", provider="sendgrid-inbound", reason=f"signature_{reason}")

    answer = edge.post(inbound.path, RAW_FORM, headers | {"Content-Type": FORM_TYPE})

    assert (answer.status, answer.problem["code"]) == (401, "signature_refused")
    assert edge.counted("refusals", provider="sendgrid-inbound", reason=f"signature_{reason}") == before + 1
    assert kept_bodies(database) == []


def test_a_password_does_not_open_an_endpoint_that_wants_signatures(edge, endpoints, organization_id):
    strict = endpoints.add(organization_id, "sendgrid-inbound", keys=[SIGNERS["sendgrid-inbound"].key])

    answer = edge.post(strict.path, RAW_FORM, basic(PASSWORD) | {"Content-Type": FORM_TYPE})

    assert answer.status == 401


def test_a_raw_mail_comes_by_the_generic_webhook(edge, endpoints, organization_id, database):
    endpoint = endpoints.add(organization_id, "email", keys=[SIGNERS["email"].key])
    headers, body = signed("email", REPLY)

    answer = edge.post(endpoint.path, body, headers | {"Content-Type": "Message/RFC822; charset=x"})

    assert answer.status == 200
    assert kept_mail(database)["quoted_ids"][0] == MESSAGE_ID


def test_a_mail_comes_by_ses(edge, endpoints, organization_id, database):
    endpoint = endpoints.add(organization_id, "ses", keys=[SIGNERS["ses"].key])
    event = {"notificationType": "Received", "mail": {}, "receipt": {}, "content": REPLY.decode()}
    headers, body = signed("ses", msgspec.json.encode(notification(event)))

    answer = edge.post(endpoint.path, body, headers | {"Content-Type": "text/plain"})

    assert answer.status == 200
    assert kept_mail(database)["quoted_ids"][0] == MESSAGE_ID


@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
def test_attachments_of_25_mb_are_passed_over(edge, inbound, database, chunked):
    attachment = b64encode(bytes(25 * MIB))
    raw = mail("reply_outlook_exchange").replace(b"JVBERi1zeW50aGV0aWM=", attachment)
    body, content_type = form({"email": raw})

    answer = edge.post(inbound.path, body, basic(PASSWORD) | {"Content-Type": content_type}, chunked=chunked)

    assert answer.status == 200
    assert kept_mail(database)["quoted_ids"][0] == MESSAGE_ID


@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
def test_larger_mails_are_refused_with_what_to_do(edge, inbound, database, chunked):
    headers = basic(PASSWORD) | {"Content-Type": FORM_TYPE}

    answer = edge.post(inbound.path, b"x" * (40 * MIB + 1), headers, chunked=chunked)

    assert (answer.status, answer.problem["code"]) == (413, "body_too_large")
    assert "leave attachments out of mails" in answer.problem["detail"]
    assert kept_bodies(database) == []


def test_reports_may_not_be_as_large_as_mails(edge, endpoints, organization_id):
    endpoint = endpoints.add(organization_id, "email", keys=[SIGNERS["email"].key])
    headers, body = signed("email", b" " * (10 * MIB + 1))

    assert edge.post(endpoint.path, body, headers | {"Content-Type": "application/json"}).status == 413


def test_large_mails_at_once_do_not_fill_the_memory(database_url, redis_url, inbound):
    with Edge(database_url, redis_url, budget=BodyBudget(most_bytes=8 * MIB)) as small:
        headers = basic(PASSWORD) | {"Content-Type": FORM_TYPE}

        answer = small.post(inbound.path, b"x" * (20 * MIB), headers)

    assert (answer.status, answer.problem["code"]) == (503, "too_many_bodies")
    assert int(answer.headers["retry-after"]) > 0


def test_what_is_no_mail_is_acknowledged_and_set_aside_later(edge, inbound, database):
    answer = edge.post(inbound.path, b"a=b", basic(PASSWORD) | {"Content-Type": "application/x-www-form-urlencoded"})

    [body] = kept_bodies(database)
    assert answer.status == 200
    assert "unreadable" in msgspec.json.decode(body)[0]


def test_no_table_holds_a_word_of_a_mail(edge, inbound, database_url):
    edge.post(inbound.path, RAW_FORM, basic(PASSWORD) | {"Content-Type": FORM_TYPE})

    with psycopg.connect(database_url) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('ops', 'events')"
        ).fetchall()
        rows = [str(row) for (table,) in tables for row in connection.execute(f"SELECT t::text FROM {table} t")]
    assert len(rows) > 1
    assert not any("ynthetic words" in row or b"ynthetic words".hex() in row for row in rows)


@pytest.mark.parametrize(
    "key", ["basic:", "basic:a:", "basic::aaaaaaaaaaaaaaaa", "basic:a:short", "a:aaaaaaaaaaaaaaaa"]
)
def test_a_password_is_long_and_says_that_it_is_one(endpoints, organization_id, key):
    with pytest.raises(Exception, match="basic:NAME:PASSWORD with a password of at least 16 characters") as refused:
        endpoints.add(organization_id, "sendgrid-inbound", keys=[key])

    assert not isinstance(refused.value, InvalidEndpointError)

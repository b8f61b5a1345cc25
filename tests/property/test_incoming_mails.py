"""Whatever strangers mail: nothing but the defined outcomes, in bounded time and memory, and none of their words."""

import tracemalloc
from base64 import b64encode

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.mail.incoming import Unreadable, read_mail
from adapters.providers.generic import GenericEmail
from adapters.providers.sendgrid_inbound import SendGridInbound
from adapters.providers.ses import AmazonSes
from application.ports.inbound_mail import InboundMail
from application.ports.provider import Ignored, Rejected
from domain.commands import AnyReport
from tests.support.mails import MESSAGE_ID, RECEIVED_AT, form, mail
from tests.support.signed_deliveries import OneCertificate, notification

NAMES = [
    "From", "To", "Cc", "Date", "Message-ID", "In-Reply-To", "References", "Subject", "Content-Type", "Precedence",
    "Auto-Submitted", "X-Auto-Response-Suppress", "Return-Path", "List-Id", "X-Autoreply", "Delivered-To", "", "é",
]  # fmt: skip
SNIPPETS = [
    "<a@b>", "multipart/report", "; boundary=x", '; report-type="delivery-status"', "\r\n", "\r", "\n ", "\x00",
    "=?utf-8?B?", "?=", "=?utf-7?Q?+AAA-?=", "=?idna?Q?xn--?=", "Sat, 21 Nov 2026 11:58:18 +0000", "+9999", "<", ">",
    "@", '"', "\udcff", "é", "reply+" + "a" * 47 + "@x.example", ",", ";", "a" * 1300,
]  # fmt: skip
BODIES = [
    b"--x\r\n", b"--x--", b"Content-Type: message/delivery-status\r\n\r\n", b"Action: failed\r\n",
    b"Final-Recipient: rfc822; a@b.example\r\n", b"Status: 5.1.1\r\n", b"\r\n", b"\n\n", b"\xff\x00", b"=",
    b"Content-Type: message/rfc822\r\n\r\n", b"Content-Transfer-Encoding: base64\r\n", b"Message-ID: <x@y>\r\n",
]  # fmt: skip
FORM_PIECES = [
    b"--x\r\n", b"--x--", b'Content-Disposition: form-data; name="email"\r\n\r\n', b"\r\n", b"From: a@b\r\n",
    b'Content-Disposition: form-data; name="headers"\r\n\r\n',
]  # fmt: skip
SES_FIELDS = ["mail", "receipt", "content", "headers", "name", "value", "action", "encoding", "recipients"]


@st.composite
def mails(draw):
    """Something like a mail: plausible pieces in implausible places."""
    values = st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=20), max_size=8).map("".join)
    lines = draw(st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=12))
    newline = draw(st.sampled_from(["\r\n", "\n", "\r"]))
    head = newline.join(f"{name}: {value}" for name, value in lines).encode("utf-8", "surrogateescape")
    body = b"".join(draw(st.lists(st.sampled_from(BODIES) | st.binary(max_size=20), max_size=15)))
    return head + newline.encode() * 2 + body


def assert_defined(found):
    assert found
    for one in found:
        assert isinstance(one, InboundMail | Ignored | Unreadable)
        if isinstance(one, InboundMail):
            assert one.report.occurred_at <= RECEIVED_AT
            assert len(one.report.event_id) <= 255
            assert len(one.quoted_ids) <= 40
            assert len(one.reply_tokens) <= 20
            assert len(one.report.recipient) <= 320
            assert "\x00" not in repr(one)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400) | mails())
def test_any_bytes_are_read_as_some_mail(raw):
    assert_defined(read_mail(raw, received_at=RECEIVED_AT))


@settings(max_examples=150, deadline=None)
@given(raw=mails())
def test_what_is_kept_is_understood_and_survives_storage(raw):
    provider = GenericEmail()
    kept = provider.without_words({"content-type": "message/rfc822"}, raw, RECEIVED_AT)

    for outcome in provider.translate({}, kept):
        assert isinstance(outcome, InboundMail | Ignored | Rejected)
        if isinstance(outcome, InboundMail):
            assert msgspec.msgpack.decode(msgspec.msgpack.encode(outcome.report), type=AnyReport) == outcome.report
            outcome.report.detail.encode()  # no half characters, which no database stores


@settings(max_examples=200, deadline=None)
@given(
    body=st.binary(max_size=300) | st.lists(st.sampled_from(FORM_PIECES), max_size=12).map(b"".join),
    content_type=st.sampled_from(["multipart/form-data; boundary=x", "multipart/form-data", 'a;boundary="é"'])
    | st.text(max_size=30),
)
def test_any_form_is_kept_as_something_that_is_understood(body, content_type):
    inbound = SendGridInbound()

    kept = inbound.without_words({"content-type": content_type}, body, RECEIVED_AT)

    assert all(isinstance(one, InboundMail | Ignored | Rejected) for one in inbound.translate({}, kept))


@settings(max_examples=200, deadline=None)
@given(
    event=st.recursive(
        st.none() | st.integers() | st.text(max_size=9) | st.sampled_from(["Received", "BASE64", "QQ==", "From"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(SES_FIELDS), inner, max_size=5),
        max_leaves=12,
    )
)
def test_any_notification_of_ses_is_kept_as_something_that_is_understood(event):
    ses = AmazonSes(OneCertificate())
    told = (event if isinstance(event, dict) else {"mail": event}) | {"notificationType": "Received"}

    kept = ses.without_words({}, msgspec.json.encode(notification(told)), RECEIVED_AT)

    assert all(isinstance(one, InboundMail | Ignored | Rejected) for one in ses.translate({}, kept))


@settings(max_examples=200, deadline=None)
@given(
    item=st.dictionaries(
        st.sampled_from(["event_type", "raw", "recipients", "mail", "ignored", "unreadable"]),
        st.sampled_from(["inbound_mail", "QTogYg==", "open", "", {}, [], None, 5, {"report": {"kind": "opened"}}]),
    )
)
def test_any_item_of_the_generic_webhook_is_read_or_set_aside(item):
    generic = GenericEmail()

    kept = generic.without_words({}, msgspec.json.encode([item]), RECEIVED_AT)

    assert all(isinstance(one, InboundMail | Ignored | Rejected) for one in generic.translate({}, kept))


# Bombs: what each costs is bounded by what is read of it

MIB = 1024 * 1024


def nested(depth):
    """A report in a report in a report."""
    opening = b"".join(
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n)
        for n in range(depth)
    )
    return b"From: a@b.example\r\n" + opening + b"Content-Type: message/delivery-status\r\n\r\nAction: failed\r\n"


def many_parts(count):
    head = b"From: a@b.example\r\nContent-Type: multipart/report; boundary=b\r\n\r\n"
    part = b"--b\r\nContent-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\n\r\n"
    return head + part * count


def reply_with(header, value):
    return f"{header}: {value}\r\n".encode() + mail("reply_gmail_web", without=[header])


BOMBS = {
    "nested 20,000 deep": nested(20_000),
    "100,000 parts": many_parts(100_000),
    "10,000 recipients, folded": reply_with("To", ",\r\n ".join(f"p{n} <p{n}@example.com>" for n in range(10_000))),
    "10,000 recipients, one line": reply_with("To", ", ".join(f"p{n}@example.com" for n in range(10_000))),
    "100,000 references": reply_with("References", " ".join(f"<{n}@x>" for n in range(100_000))),
    "open brackets": reply_with("References", "<" * MIB),
    "an endless id": reply_with("In-Reply-To", "<" + "a" * MIB),
    "spaces": reply_with("From", " " * MIB),
    "ats": reply_with("From", "a@" * MIB),
    "words in no order": reply_with("Subject", "=?utf-8?Q?=41?= " * 60_000),
    "a million headers": b"A: b\r\n" * MIB,
    "a header without an end": b"Subject: " + b"x" * (20 * MIB),
    "empty lines": b"\r\n" * (5 * MIB),
    "semicolons": reply_with("Content-Type", "multipart/report" + ";boundary=" * 100_000),
    "blank blocks": many_parts(0) + b"--b\r\nContent-Type: message/delivery-status\r\n\r\n" + b"\r\n \r\n" * 200_000,
    "attachments of 25 MB": mail("reply_outlook_exchange").replace(b"JVBERi1zeW50aGV0aWM=", b64encode(bytes(25 * MIB))),
}


@pytest.mark.parametrize("raw", BOMBS.values(), ids=BOMBS)
def test_a_bomb_costs_little(raw):
    tracemalloc.start()
    found = read_mail(raw, received_at=RECEIVED_AT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert_defined(found)
    # Seconds are not asserted: what costs quadratically runs into the suite's time limit.
    assert peak < 32 * MIB, f"{peak / MIB:.0f} MiB"


@pytest.mark.parametrize("header", ["To", "References"])
def test_a_reply_among_ten_thousand_is_still_a_reply(header):
    token = "a" * 47
    crowd = {
        "To": ",\r\n ".join([*(f"p{n}@example.com" for n in range(10_000)), f"reply+{token}@x.example"]),
        "References": " ".join([*(f"<{n}@x>" for n in range(10_000)), f"<{MESSAGE_ID}>"]),
    }[header]
    raw = f"{header}: {crowd}\r\n".encode() + mail("reply_gmail_web", without=[header, "In-Reply-To"])

    [found] = read_mail(raw, received_at=RECEIVED_AT)

    assert found.reply_tokens == (token,) if header == "To" else found.quoted_ids[0] == MESSAGE_ID


def test_a_form_of_thirty_megabytes_costs_little():
    raw = mail("reply_gmail_web") + b"x" * (30 * MIB)
    body, content_type = form({"email": raw, "envelope": "{}"})
    tracemalloc.start()

    kept = SendGridInbound().without_words({"content-type": content_type}, body, RECEIVED_AT)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(kept) < 1_000
    assert peak < 16 * MIB, f"{peak / MIB:.0f} MiB beside the body"


def test_nobody_smuggles_a_header_or_a_second_item_into_what_is_kept():
    raw = mail("reply_gmail_web").replace(b"John Smith <john", b'"\\"},{\\"event_type\\":\\"open" <john')

    kept = GenericEmail().without_words({"content-type": "message/rfc822"}, raw, RECEIVED_AT)

    assert [item["event_type"] for item in msgspec.json.decode(kept)] == ["inbound_mail"]

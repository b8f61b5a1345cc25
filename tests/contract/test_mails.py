"""Mails of real clients and servers: what they are taken for, by every way in, and what is kept of them."""

from base64 import b64encode

import msgspec
import pytest

from adapters.mail.incoming import NO_STATUS, Unreadable, read_mail
from adapters.providers.generic import GenericEmail
from adapters.providers.sendgrid_inbound import SendGridInbound
from adapters.providers.ses import AmazonSes
from application.ports.inbound_mail import InboundMail
from application.ports.provider import Ignored, Rejected
from domain.commands import RecordBounce, RecordDeferral, RecordReply
from domain.values import BounceKind
from tests.support.mails import AUTOMATIC, BOUNCES, MESSAGE_ID, RECEIVED_AT, REPLIES, form, mail
from tests.support.signed_deliveries import OneCertificate, notification

TOKEN = "a" * 47
REPLY_TO = f"reply+{TOKEN}@reply.northwind.example"
JOHNS = {
    "reply_apple_mail": "john.smith@icloud.example",
    "reply_gmail_web": "john.smith@gmail.example",
    "reply_outlook_exchange": "john.smith@contoso.example",
    "reply_thunderbird": "john@smith.example",
    "reply_yahoo": "john.smith@yahoo.example",
}


def as_sendgrid_raw(raw):
    body, content_type = form({
        "headers": "", "to": "x", "subject": "Synthetic words", "email": raw, "envelope": '{"to":["x@y.example"]}',
    })  # fmt: skip
    return SendGridInbound(), {"content-type": content_type}, body


def as_sendgrid_parsed(raw):
    head, _, body = raw.partition(b"\r\n\r\n")
    fields = {"headers": head, "text": body, "html": b"<p>Synthetic words", "attachment1": ("application/pdf", b"PDF")}
    parts = [piece.lstrip(b"\r\n") for piece in body.split(b"\r\n--")]
    for number, part in enumerate(
        piece for piece in parts if b"Content-Type: message/" in piece or b"text/rfc822-headers" in piece
    ):
        inner_head, _, inner = part.partition(b"\r\n\r\n")
        kinds = ("message/rfc822", "message/delivery-status", "text/rfc822-headers", "message/disposition-notification")
        (kind,) = (kind for kind in kinds if kind.encode() in inner_head)
        fields[f"attachment{number + 2}"] = (kind, inner)
    body, content_type = form(fields)
    return SendGridInbound(), {"content-type": content_type}, body


def as_ses(raw, encoding="BASE64"):
    content = b64encode(raw).decode() if encoding == "BASE64" else raw.decode()
    event = {
        "notificationType": "Received",
        "mail": {"messageId": "o3vr", "source": "john@example.com", "headers": []},
        "receipt": {"recipients": ["x@y.example"], "action": {"type": "SNS", "encoding": encoding}},
        "content": content,
    }
    return AmazonSes(OneCertificate()), {}, msgspec.json.encode(notification(event))


def as_ses_headers(raw):
    head = raw.partition(b"\r\n\r\n")[0].decode().replace("\r\n\t", " ").replace("\r\n ", " ")
    headers = [dict(zip(("name", "value"), line.split(":", 1), strict=True)) for line in head.split("\r\n")]
    event = {
        "notificationType": "Received",
        "mail": {"messageId": "o3vr", "headersTruncated": False, "headers": headers},
        "receipt": {"recipients": [], "action": {"type": "S3", "bucketName": "b", "objectKey": "k"}},
    }
    return AmazonSes(OneCertificate()), {}, msgspec.json.encode(notification(event))


def as_raw(raw):
    return GenericEmail(), {"content-type": "message/rfc822"}, raw


def as_json(raw):
    item = {"event_type": "inbound_mail", "raw": b64encode(raw).decode()}
    return GenericEmail(), {"content-type": "application/json"}, msgspec.json.encode(item)


WHOLE = [as_raw, as_json, as_sendgrid_raw, as_ses, lambda raw: as_ses(raw, "UTF-8")]
EVERY_WAY = [*WHOLE, as_sendgrid_parsed, as_ses_headers]


def take_in(way, raw):
    """Go the way of a delivery: what is kept of it, and what that means."""
    provider, headers, body = way(raw)
    kept = provider.without_words(headers, body, RECEIVED_AT)
    return kept, provider.translate({}, kept)


# Replies


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_says_what_it_answers_and_keeps_no_words(name, way):
    kept, [found] = take_in(way, mail(name, reply_to=REPLY_TO))

    assert isinstance(found, InboundMail)
    assert isinstance(found.report, RecordReply)
    assert found.report.recipient == JOHNS[name]
    assert found.report.occurred_at.isoformat().startswith("2026-11-21T11:58:")
    assert found.report.event_id == found.own_id != ""
    assert found.quoted_ids[0] == MESSAGE_ID
    assert found.reply_tokens == (TOKEN,)
    assert not found.is_list_mail
    for word in (b"ynthetic words", b"Synthetische", b"Interview", b"Ada", b"PDF", b"cv.pdf"):
        assert word not in kept


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_without_in_reply_to_is_told_by_references_from_the_last(name, newline):
    [found] = read_mail(mail(name, without=["In-Reply-To"], newline=newline), received_at=RECEIVED_AT)

    assert found.quoted_ids[0] == MESSAGE_ID
    assert found.reply_tokens == ()


@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_by_token_needs_to_quote_nothing(name):
    raw = mail(name, reply_to=REPLY_TO, without=["In-Reply-To", "References"])

    [found] = read_mail(raw, received_at=RECEIVED_AT)

    assert (found.quoted_ids, found.reply_tokens, found.report.message_id) == ((), (TOKEN,), "")


def test_the_envelope_tells_the_token_where_headers_do_not():
    raw = mail("reply_gmail_web")
    body, content_type = form({"email": raw, "envelope": msgspec.json.encode({"to": [REPLY_TO.upper()]})})

    kept = SendGridInbound().without_words({"content-type": content_type}, body, RECEIVED_AT)

    assert msgspec.json.decode(kept)[0]["mail"]["reply_tokens"] == [TOKEN]


def test_a_mail_without_id_is_known_by_its_digest():
    bare = mail("reply_gmail_web", without=["Message-ID"])
    other = bare.replace(b"12:58:18", b"12:58:19")

    [one], [same], [another] = (read_mail(raw, received_at=RECEIVED_AT) for raw in (bare, bare, other))

    assert one.own_id == ""
    assert one.report.event_id == same.report.event_id != another.report.event_id


@pytest.mark.parametrize(
    "date",
    ["", "Date: yesterday\r\n", "Date: Sat, 21 Nov 2099 12:00:00 +0000\r\n", "Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n",
     "Date: Sat, 21 Nov 2026 99:00:00 +9999\r\n", "Date: \x00\r\n"],
)  # fmt: skip
def test_a_mail_whose_date_is_not_to_be_believed_counts_from_its_receipt(date):
    raw = date.encode() + mail("reply_gmail_web", without=["Date"])

    [found] = read_mail(raw, received_at=RECEIVED_AT)

    assert found.report.occurred_at == RECEIVED_AT


def test_a_list_that_passes_a_mail_on_is_noticed():
    [found] = read_mail(b"List-Id: <jobs.example>\r\n" + mail("reply_gmail_web"), received_at=RECEIVED_AT)

    assert found.is_list_mail


# Machines


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.parametrize("name", AUTOMATIC)
def test_what_a_machine_answers_is_no_reply(name, way):
    kept, found = take_in(way, mail(name, reply_to=REPLY_TO))

    assert found == [Ignored("auto_reply")]
    assert kept == b'[{"event_type":"inbound_mail","ignored":"auto_reply"}]'


@pytest.mark.parametrize(
    "header",
    ["Auto-Submitted: auto-replied", "auto-submitted: Auto-Generated (a note)", "Auto-Submitted: auto-notified; x=y",
     "X-Autoreply: yes", "X-Autorespond: Re", "Precedence: auto_reply", "Precedence: bulk", "Precedence: JUNK",
     "X-Auto-Response-Suppress: All", "Return-Path: <>", "Subject: Automatic reply: Interview",
     "Subject: Out of Office: back on Monday", "Subject: Abwesenheitsnotiz: Interview",
     "Subject: =?utf-8?B?6Ieq5YuV5b+c562U?=", "Subject: =?koi8-r?B?4dfUz8/U18XU?=", "Subject: Autosvar: Interview",
     "Subject: Odpowied=?utf-8?B?xbo=?= automatyczna", "Subject: Respuesta automática", "Subject: Fuori ufficio"],
)  # fmt: skip
def test_each_mark_of_a_machine_is_enough(header):
    name = header.partition(":")[0]
    raw = header.encode() + b"\r\n" + mail("reply_gmail_web", without=[name])

    assert read_mail(raw, received_at=RECEIVED_AT) == [Ignored("auto_reply")]


@pytest.mark.parametrize(
    "header",
    ["Auto-Submitted: no", "X-Autoreply: no", "X-Auto-Response-Suppress: DR, OOF, AutoReply", "Precedence: first-class",
     "Subject: Re: Automatic reply: Interview", "Subject: AW: Abwesenheit", "Subject: =?hex?Q?41?=",
     "Subject: =?unicode_escape?Q?\\q?=", "Subject: =?utf-8?B?!!!!?=", "Subject: =?x-unknown?Q?=FF?="],
)  # fmt: skip
def test_a_person_is_not_taken_for_a_machine(header):
    name = header.partition(":")[0]
    raw = header.encode() + b"\r\n" + mail("reply_gmail_web", without=[name])

    [found] = read_mail(raw, received_at=RECEIVED_AT)

    assert isinstance(found, InboundMail)


@pytest.mark.parametrize("way", EVERY_WAY)
def test_a_read_receipt_is_no_reply(way):
    _, found = take_in(way, mail("receipt_outlook"))

    assert found == [Ignored("read_receipt")]


# Delivery reports


@pytest.mark.parametrize("way", [*WHOLE, as_sendgrid_parsed])
@pytest.mark.parametrize(
    "name, kind, reason, recipient",
    [
        ("bounce_postfix", BounceKind.HARD, "mailbox_does_not_exist", "john.smith@gmail.example"),
        ("bounce_exchange", BounceKind.HARD, "mailbox_does_not_exist", "john.smith@contoso.example"),
        ("bounce_gmail", BounceKind.SOFT, "mailbox_full", "john.smith@gmail.example"),
        ("bounce_amazon_ses", BounceKind.BLOCK, "policy", "john.smith@yahoo.example"),
    ],
)
def test_a_delivery_report_is_a_bounce_of_the_email_that_it_returns(name, kind, reason, recipient, way):
    kept, [found] = take_in(way, mail(name, reply_to=REPLY_TO))

    assert isinstance(found.report, RecordBounce)
    assert (found.report.bounce_kind, found.report.reason, found.report.recipient) == (kind, reason, recipient)
    assert found.quoted_ids[0] == MESSAGE_ID
    assert found.reply_tokens == (TOKEN,)
    assert b"ynthetic words" not in kept
    assert b"Interview" not in kept


def test_every_sample_of_a_bounce_is_told_of():
    assert set(BOUNCES) == {
        "bounce_postfix", "bounce_exchange", "bounce_gmail", "bounce_amazon_ses", "bounce_gmail_delayed",
    }  # fmt: skip


def test_a_report_of_delay_is_a_deferral():
    [found] = read_mail(mail("bounce_gmail_delayed"), received_at=RECEIVED_AT)

    assert isinstance(found.report, RecordDeferral)
    assert found.report.detail.startswith("The recipient server did not accept")


@pytest.mark.parametrize("action, expected", [("relayed", Ignored("relayed")), ("expanded", Ignored("relayed"))])
def test_what_was_only_passed_on_is_ignored(action, expected):
    raw = mail("bounce_postfix").replace(b"Action: failed", f"Action: {action}".encode())

    assert read_mail(raw, received_at=RECEIVED_AT) == [expected]


def test_a_report_about_several_recipients_speaks_of_each():
    second = b"\r\n\r\nFinal-Recipient: rfc822; mary@example.com\r\nAction: failed\r\nStatus: 4.4.7\r\n"
    raw = mail("bounce_postfix").replace(b"\r\n    typos\r\n", b"\r\n    typos" + second)

    found = read_mail(raw, received_at=RECEIVED_AT)

    assert [(one.report.recipient, one.report.bounce_kind) for one in found] == [
        ("john.smith@gmail.example", BounceKind.HARD),
        ("mary@example.com", BounceKind.SOFT),
    ]


def test_a_report_without_its_status_is_set_aside_with_what_to_do():
    head, _, _ = mail("bounce_postfix").partition(b"\r\n\r\n")

    assert read_mail(head + b"\r\n\r\nnothing", received_at=RECEIVED_AT) == [NO_STATUS]
    kept, [rejected] = take_in(as_ses_headers, mail("bounce_postfix"))
    assert isinstance(rejected, Rejected)
    assert "SNS action with the content" in rejected.reason
    assert rejected.body == kept


# What cannot be read


def test_a_notification_without_content_and_headers_says_how_to_configure_it():
    event = {"notificationType": "Received", "mail": {"messageId": "x"}, "receipt": {"action": {"type": "S3"}}}
    ses, body = AmazonSes(OneCertificate()), msgspec.json.encode(notification(event))

    [rejected] = ses.translate({}, ses.without_words({}, body, RECEIVED_AT))

    assert "receipt rule with an SNS action, encoding Base64" in rejected.reason


@pytest.mark.parametrize(
    "content_type, body, reason",
    [
        ("multipart/form-data", b"--x\r\n", "mail: not a form as multipart/form-data: ValueError"),
        ("multipart/form-data; boundary=x", b"garbage", "mail: not a form as multipart/form-data: ParserError"),
        ("application/json", b"[]", "mail: not a form as multipart/form-data: ValueError"),
        (form({"a": "b"})[1], form({"text": "Synthetic words"})[0], "mail: the form holds neither the field email"),
    ],
)
def test_what_is_no_mail_is_set_aside_without_its_words(content_type, body, reason):
    inbound = SendGridInbound()

    kept = inbound.without_words({"content-type": content_type}, body, RECEIVED_AT)
    [rejected] = inbound.translate({}, kept)

    assert rejected.reason.startswith(reason)
    assert b"Synthetic" not in kept


@pytest.mark.parametrize("raw", [None, 5, "", "  ", "!!!", "Synthetic words", "ICAg"])
def test_a_json_mail_that_is_no_base64_is_set_aside_alone(raw):
    good = {"event_type": "open", "message_id": "m-1", "timestamp": "2026-11-21T09:00:00Z", "recipient": "a@b.example"}
    generic = GenericEmail()
    body = msgspec.json.encode([good, {"event_type": "Inbound_Mail", "raw": raw}, good])

    kept = generic.without_words({}, body, RECEIVED_AT)
    first, rejected, last = generic.translate({}, kept)

    assert first == last
    assert rejected.reason == "mail: raw: expected the base64 text of a whole message, with its headers"
    assert b"Synthetic" not in kept


def test_a_broken_json_delivery_that_may_hold_a_mail_is_not_kept():
    generic = GenericEmail()

    kept = generic.without_words({}, b'[{"event_type": "inbound_mail", "raw": "U3lu', RECEIVED_AT)
    [rejected] = generic.translate({}, kept)

    assert rejected.reason.startswith("mail: the body is not JSON")
    assert b"U3lu" not in kept


def test_reports_beside_mails_are_kept_byte_by_byte():
    report = b'{"event_type":"open","timestamp":1e3,  "n":1e999}'
    generic = GenericEmail()

    kept = generic.without_words({}, b"[" + report + b',{"event_type":"inbound_mail","raw":"QTogYg=="}]', RECEIVED_AT)

    assert report in kept
    assert generic.without_words({}, report, RECEIVED_AT) is report


def test_unreadable_is_never_the_answer_to_headers_alone():
    for raw in (b"", b"\r\n", b"no colon", b":", b"A: b"):
        [found] = read_mail(raw, received_at=RECEIVED_AT)
        assert not isinstance(found, Unreadable)
        assert found.quoted_ids == ()

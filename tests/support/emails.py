"""Emails and reports about them, with everything that a test does not care about filled in."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.commands import (
    RecordBounce,
    RecordClick,
    RecordDeferral,
    RecordDelivery,
    RecordDrop,
    RecordOpen,
    RecordReply,
    RecordSpamReport,
    RecordUnsubscribe,
)
from domain.email_facts import JobReference, Party, Personal, Sent
from domain.values import BounceKind, email_id_for

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ACME = UUID("ac3e0000-0000-4000-8000-000000000001")
GLOBEX = UUID("910be000-0000-4000-8000-000000000002")
CAMPAIGN = UUID("ca3a0000-0000-4000-8000-000000000003")
JOHN = "john@example.com"
JOB_AD = "https://acme.example/jobs/3"
CALENDAR = "https://acme.example/calendar"


def seconds(count):
    return timedelta(seconds=count)


def minutes(count):
    return timedelta(minutes=count)


def hours(count):
    return timedelta(hours=count)


def days(count):
    return timedelta(days=count)


def email_id(message_id="m-1", recipient=JOHN, organization_id=ACME):
    return email_id_for(organization_id, "email", message_id, recipient)


def sent(message_id="m-1", **told):
    facts = {
        "organization_id": ACME,
        "provider": "email",
        "message_id": message_id,
        "sent_at": NOON - minutes(5),  # nobody follows a link in the minute after sending
        "recorded_at": NOON,
        "subject": "Interview Invitation",
        "recipient_type": "Candidate",
        "recipient_id": "c-1",
        "sender": Party(id="r-7", name="Ada Recruiter"),
        "tracking_id": f"t-{message_id}",
        "job": JobReference(id="j-3", title="Software Engineer", hiring_manager_id="h-2"),
        "template": Party(id="interview-invite", name="Interview Invitation"),
        "personal": Personal(address=JOHN, name="John Smith"),
    }
    return Sent(**(facts | told))


def _report(kind, at, told):
    return kind(**({"message_id": "m-1", "recipient": JOHN, "occurred_at": at} | told))


def delivery(at=NOON, **told):
    return _report(RecordDelivery, at, told)


def deferral(at=NOON, **told):
    return _report(RecordDeferral, at, told)


def an_open(at=NOON, **told):
    return _report(RecordOpen, at, told)


def click(at=NOON, url=JOB_AD, **told):
    return _report(RecordClick, at, {"url": url} | told)


def bounce(at=NOON, kind=BounceKind.HARD, **told):
    return _report(RecordBounce, at, {"bounce_kind": kind} | told)


def drop(at=NOON, **told):
    return _report(RecordDrop, at, told)


def spam_report(at=NOON, **told):
    return _report(RecordSpamReport, at, told)


def unsubscribe(at=NOON, **told):
    return _report(RecordUnsubscribe, at, told)


def reply(at=NOON, **told):
    return _report(RecordReply, at, told)

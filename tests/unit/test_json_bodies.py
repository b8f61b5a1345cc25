import asyncio
from typing import ClassVar

import msgspec
import pytest

from application.email_registrations import EmailRegistration
from entrypoints.web.json_bodies import decoded, read_body
from entrypoints.web.problems import InvalidRequestError, MalformedBodyError
from entrypoints.web.webhook_bodies import BodyTooSlowError

GOOD = {
    "provider": "sendgrid",
    "message_id": "m",
    "sent_at": "2026-11-21T09:00:00Z",
    "subject": "s",
    "recipient": {"id": "c-1", "email": "a@example.com"},
    "sender": {"id": "r-1"},
}


def body(**changes):
    return msgspec.json.encode(GOOD | changes)


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"subject": 7}, "subject"),
        ({"subject": None}, "subject"),
        ({"recipient": {"id": "c-1"}}, "recipient.email"),
        ({"recipient": []}, "recipient"),
        ({"sent_at": "yesterday"}, "sent_at"),
        ({"sent_at": 1763715600}, "sent_at"),
        ({"campaign_id": "not-a-uuid"}, "campaign_id"),
        ({"tracking": "yes"}, "tracking"),
    ],
)
def test_a_mistake_names_its_field(changes, field):
    with pytest.raises(InvalidRequestError) as refused:
        decoded(body(**changes), EmailRegistration)

    assert refused.value.problem.field == field


def test_fields_that_nobody_knows_are_ignored():
    assert decoded(body(colour="blue"), EmailRegistration).message_id == "m"


@pytest.mark.parametrize("text", [b"", b"{", b"nonsense", b'{"a": "\xff"}', b'{"a": ' + b"[" * 100_000])
def test_what_is_no_json_is_malformed(text):
    with pytest.raises(MalformedBodyError):
        decoded(text, dict[str, object])


@pytest.mark.parametrize(
    "text, meant",
    [
        (rb"cut \ud83d", "cut \ufffd"),
        (rb"\uDE00 first", "\ufffd first"),
        (rb"\ud83d\ude00 whole", "😀 whole"),
        (rb"\\ud83d no escape", "\\ud83d no escape"),
    ],
)
def test_half_a_surrogate_pair_costs_one_character(text, meant):
    assert decoded(b'{"subject": "' + text + b'"}', dict[str, str]) == {"subject": meant}


def test_a_body_that_stops_coming_is_given_up():
    class Stalled:
        headers: ClassVar = {}

        async def body(self):
            await asyncio.Event().wait()

    with pytest.raises(BodyTooSlowError, match=r"did not arrive within 0\.01 s"):
        asyncio.run(read_body(Stalled(), dict[str, object], patience_s=0.01))

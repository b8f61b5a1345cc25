"""The client puts an answer into a message so that mail programs understand it."""

from copy import deepcopy
from email import policy
from email.message import EmailMessage

import pytest

from entrypoints import client
from entrypoints.client import Instrumented, instrument_message

UNSUBSCRIBE = f"<https://pulse.northwind-recruiting.example.com/t/u/{'aB3_-xYz' * 8}>"
HEADERS = {
    "List-Unsubscribe": UNSUBSCRIBE,
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "Message-ID": f"<{'invitation-' * 8}@mail.northwind.example>",
    "Reply-To": f"reply+{'a2' * 24}@reply.northwind-recruiting.example.com",
}


@pytest.fixture
def message(monkeypatch):
    monkeypatch.setattr(
        client,
        "instrument",
        lambda *_, **__: Instrumented("e", 1, "t", "<p>after</p>", None, HEADERS, tracked=True, reason=None),
    )
    message = EmailMessage()
    message["Subject"] = "Interview Invitation"
    message["List-Unsubscribe"] = "<mailto:no-more@northwind.example>"
    message.set_content("<p>before</p>", subtype="html")
    instrument_message(message, {}, service_url="https://pulse.example.com", api_key="key")
    return message


@pytest.mark.parametrize("how", [policy.default, policy.SMTP, policy.SMTPUTF8, None])
def test_headers_go_out_as_they_are_however_long(message, how):
    for copied in (message, deepcopy(message)):
        lines = copied.as_bytes(policy=how).decode().splitlines()

        assert set(lines) >= {f"{name}: {value}" for name, value in HEADERS.items()}
        assert len([line for line in lines if line.startswith("List-Unsubscribe:")]) == 1


def test_the_content_is_replaced_and_the_headers_can_be_read(message):
    assert message.get_content() == "<p>after</p>\n"
    assert {name: message[name] for name in HEADERS} == HEADERS

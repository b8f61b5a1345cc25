"""The ways by which mail comes in, each with what its sender knows to prove itself."""

import re
from base64 import b64encode
from datetime import UTC, datetime
from uuid import uuid4

import msgspec

from tests.bdd.moments import rfc3339
from tests.support.mails import form
from tests.support.signed_deliveries import SIGNERS, SnsSigner, notification

SENDER_ADDRESS = re.compile(r"john(?:\.smith)?@(?:gmail|contoso|icloud|smith|yahoo)\.example", re.IGNORECASE)
PASSWORD = "northwind:a password for this URL"


class Way:
    """One way, and the endpoint at which it arrives.

    Args:
        provider: Name in paths.
        keys: What the endpoint is told of.
        wrap: Gives headers and body of a mail, proven or forged.
    """

    def __init__(self, provider, keys, wrap):
        self._provider, self._keys, self._wrap = provider, keys, wrap
        self._service, self._path = None, ""

    def opened_for(self, team):
        opened = Way(self._provider, self._keys, self._wrap)
        opened._service = team.service
        opened._path = team.ask("/webhook-endpoints", {"provider": self._provider, "keys": self._keys})["path"]
        return opened

    def posted(self, raw, *, forged=False):
        return self._service.deliver(self._path, *self._wrap(raw, forged=forged))

    def tells(self, event):
        return self._service.deliver(self._path, *_sns(event))


def _with_password(fields, *, forged):
    body, content_type = form(fields)
    known = "northwind:a guess at the password" if forged else PASSWORD
    proof = "Basic " + b64encode(known.encode()).decode()
    return {"content-type": content_type, "authorization": proof}, body


def _whole_form(raw, *, forged=False):
    return _with_password({"email": raw, "envelope": "{}"}, forged=forged)


def _form_in_pieces(raw, *, forged=False):
    head, _, body = raw.partition(b"\r\n\r\n")
    fields = {"headers": head, "text": body, "subject": "Synthetic words"}
    for number, part in enumerate(body.split(b"\r\n--")):
        kind = re.search(rb"Content-Type: (message/[a-z0-9-]+|text/rfc822-headers)", part)
        if kind:
            fields[f"attachment{number}"] = (kind[1].decode(), part.lstrip(b"\r\n").partition(b"\r\n\r\n")[2])
    return _with_password(fields, forged=forged)


def _notified(raw, *, forged=False):
    assert not forged
    receipt = {"recipients": [], "action": {"type": "SNS", "encoding": "BASE64"}}
    content = b64encode(raw).decode()
    return _sns({"notificationType": "Received", "mail": {"messageId": "1"}, "receipt": receipt, "content": content})


def _sns(event):
    envelope = notification(event, MessageId=str(uuid4()), Timestamp=rfc3339(datetime.now(UTC)))
    return SnsSigner("2").sign(msgspec.json.encode(envelope), now=datetime.now(UTC))


def _signed_whole(raw, *, forged=False):
    assert not forged
    headers, body = SIGNERS["email"].sign(raw, now=datetime.now(UTC))
    return headers | {"content-type": "message/rfc822"}, body


WAYS = {
    "SendGrid Inbound Parse": Way("sendgrid-inbound", [f"basic:{PASSWORD}"], _whole_form),
    "SendGrid Inbound Parse, taken apart": Way("sendgrid-inbound", [f"basic:{PASSWORD}"], _form_in_pieces),
    "Amazon SES": Way("ses", [SnsSigner("2").key], _notified),
    "whole mails that are signed": Way("email", [SIGNERS["email"].key], _signed_whole),
}

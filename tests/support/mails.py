"""Mails as real clients and servers write them, and the ways in which they come in."""

import re
from datetime import UTC, datetime
from pathlib import Path

MAILS = Path(__file__).parent.parent / "contract" / "samples" / "email" / "mails"
MESSAGE_ID = "invite-17@mail.northwind.example"
RECEIVED_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOKENLESS = "ada@reply.northwind.example"
REPLIES = sorted(path.stem for path in MAILS.glob("reply_*.eml"))
BOUNCES = sorted(path.stem for path in MAILS.glob("bounce_*.eml"))
AUTOMATIC = sorted(path.stem for path in MAILS.glob("automatic_*.eml"))


def mail(name, *, reply_to=TOKENLESS, without=(), newline=b"\r\n", **changed):
    """Give a mail as it is on the wire.

    Args:
        name: Of the file.
        reply_to: The address that the email asked to be answered to.
        without: Headers left out, of the mail and of one that it returns.
        newline: Between lines.
        changed: Texts to replace by others.
    """
    text = (MAILS / f"{name}.eml").read_text("utf-8").replace("{reply_to}", reply_to)
    for header in without:
        text = re.sub(rf"^{header}:.*\n(?:[ \t].*\n)*", "", text, flags=re.IGNORECASE | re.MULTILINE)
    for old, new in changed.items():
        assert old in text
        text = text.replace(old, new)
    return newline.join(line.encode() for line in text.split("\n"))


def form(fields, boundary="xYzZY"):
    """Give a form as SendGrid posts it, and its content type; a field is text, bytes, or (media type, bytes)."""
    pieces = []
    for name, value in fields.items():
        kind, content = value if isinstance(value, tuple) else ("", value)
        disposition = f'Content-Disposition: form-data; name="{name}"' + ('; filename="f"' if kind else "")
        head = disposition + (f"\r\nContent-Type: {kind}" if kind else "")
        raw = content if isinstance(content, bytes) else content.encode()
        pieces.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + raw + b"\r\n")
    return b"".join(pieces) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"

"""Tell what a machine answered from what a person wrote.

RFC 3834 (Auto-Submitted), and what mail systems do beside it; read 2026-11.
"""

import re
from email.errors import HeaderParseError
from email.header import decode_header
from typing import Final

from adapters.mail.automatic_subjects import is_automatic_subject
from adapters.mail.headers import Head, address_in

_MARKS: Final = (
    "x-autoreply",
    "x-auto-reply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-responded",
    "x-autoreply-from",
    "x-mail-autoreply",
    "x-fc-machinegenerated",
    "x-vacation",
    "x-ms-exchange-generated-message-source",
)
_NO: Final = {"", "no", "false", "0"}
_ROBOTS: Final = ("mailer-daemon", "mail-daemon", "postmaster")
_CHARSETS: Final = re.compile(
    r"us-ascii|utf-8|iso-8859-(?:[1-9]|1[0135])|windows-125[0-8]|koi8-[ru]|gb2312|gbk|gb18030|big5|euc-jp|euc-kr|"
    r"shift_jis|iso-2022-(?:jp|kr)",
    re.IGNORECASE,
)


def is_automatic(head: Head) -> bool:
    """Whether a machine sent the mail: an out-of-office note, a receipt, a robot's word.

    ``X-Auto-Response-Suppress`` only asks not to be answered; ``All`` is what Exchange's own automatic mails say, the
    other values stand in mails of people too.
    """
    submitted = head.first("auto-submitted").partition(";")[0].strip().lower()
    precedence = head.first("precedence").lower()
    suppressed = {word.strip().lower() for word in head.first("x-auto-response-suppress").split(",")}
    return (
        submitted not in _NO
        or any(value.lower() not in _NO for value in head.all_of(*_MARKS))
        or precedence in {"auto_reply", "bulk", "junk"}
        or "all" in suppressed
        or head.first("return-path").replace(" ", "") == "<>"
        or address_in(head.first("from")).partition("@")[0] in _ROBOTS
        or is_automatic_subject(subject_of(head))
    )


def is_list_mail(head: Head) -> bool:
    """Whether a mailing list passed the mail on."""
    return head.has("list-id", "list-post") or head.first("precedence").lower() == "list"


def subject_of(head: Head) -> str:
    """Give the beginning of the subject in whatever charset it came; what cannot be decoded stays as it is."""
    raw = head.first("subject")[:1000]
    try:
        pieces = decode_header(raw)
    except (HeaderParseError, ValueError):  # of bad base64 too
        return raw
    return "".join(_decoded(piece, charset) for piece, charset in pieces)[:300]


def _decoded(piece: bytes | str, charset: str | None) -> str:
    if isinstance(piece, str):
        return piece
    # Python knows codecs that are no charset of any mail, and costly or harmful: rot13, unicode_escape, punycode.
    return piece.decode(charset if charset and _CHARSETS.fullmatch(charset) else "utf-8", "replace")

"""Read the head of a mail that a stranger wrote: in bounds, whatever stands in it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import policy
from email.errors import MessageError
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from typing import Final

from domain.errors import InvalidAddressError, InvalidMessageIdError
from domain.values import normalise_address, normalise_message_id

MOST_HEAD_BYTES: Final = 1024 * 1024
MOST_BODY_BYTES: Final = 1024 * 1024
MOST_LINES: Final = 20_000
"""Ten thousand recipients, each on a line of their own, and room for the rest."""
MOST_QUOTED: Final = 40
_FIRST: Final = slice(5)
_LAST_BACKWARDS: Final = slice(None, -31, -1)
_MOST_WORDS: Final = 40

_BLANK_LINE = re.compile(rb"\r?\n\r?\n|\r\r")
_PARSER = BytesHeaderParser(policy=policy.compat32)
_FOLD = re.compile(r"[\r\n]+[ \t]*")
_BRACKETED = re.compile(r"<([^<>]{1,1200})>")
_ANGLE_ADDRESS = re.compile(r"<([^<>@\s]{1,320}@[^<>@\s]{1,255})>")
_BARE_ADDRESS = re.compile(r"[^\s<>@,;:\"'()]{1,320}@[^\s<>@,;:\"'()]{1,255}")
_SPACE = re.compile(r"\s+")


class Head:
    """The headers of a mail, or of a part of one.

    Args:
        block: Everything before the first blank line; what is beyond `MOST_HEAD_BYTES` or `MOST_LINES` is not read.
    """

    def __init__(self, block: bytes) -> None:
        self._values: dict[str, list[str]] = {}
        lines = block[:MOST_HEAD_BYTES].lstrip(b"\r\n").split(b"\n", MOST_LINES)[:MOST_LINES]
        for name, value in _PARSER.parsebytes(b"\n".join(lines)).raw_items():
            self._values.setdefault(name.lower(), []).append(_plain(str(value)))

    def all_of(self, *names: str) -> Iterator[str]:
        """Give the unfolded values of these headers, in the order of `names`; lower-case names."""
        return (value for name in names for value in self._values.get(name, ()))

    def first(self, *names: str) -> str:
        """Give the first value of the first of these headers that is there and not empty; else ""."""
        return next((value for value in self.all_of(*names) if value), "")

    def has(self, *names: str) -> bool:
        """Whether one of these headers is there, even if empty."""
        return any(name in self._values for name in names)


def split_head(mail: bytes) -> tuple[bytes, bytes]:
    """Part a mail's headers from what follows the first blank line, of which the beginning is enough."""
    start = len(mail) - len(mail.lstrip(b"\r\n")) if mail[:1] in (b"\r", b"\n") else 0
    found = _BLANK_LINE.search(mail, start, start + MOST_HEAD_BYTES)
    if found is None:
        return mail[start : start + MOST_HEAD_BYTES], b""
    return mail[start : found.start()], mail[found.end() : found.end() + MOST_BODY_BYTES]


def message_ids(value: str, part: slice = _FIRST) -> list[str]:
    """Give message ids in a header, without brackets; bare ones too, which some clients write.

    Args:
        value: Of the header.
        part: Which of the ids that it holds.
    """
    # A long id is folded in its middle by some.
    found = [_SPACE.sub("", one) for one in _BRACKETED.findall(value)[part]]
    found = found or [one for one in value.split(None, _MOST_WORDS)[:_MOST_WORDS] if "@" in one][part]
    return [message_id for one in found if (message_id := _message_id(one))]


def _message_id(text: str) -> str:
    try:
        return normalise_message_id(text)
    except InvalidMessageIdError:
        return ""


def quoted_ids(*heads: Head) -> tuple[str, ...]:
    """Give what a mail quotes, the most telling first: what it answers, then its thread from last to first."""
    found: dict[str, None] = {}
    for head in heads:
        thread = head.first("references")
        for one in (
            *message_ids(head.first("in-reply-to")),
            *message_ids(thread, _LAST_BACKWARDS),
            *message_ids(thread),
        ):
            found.setdefault(one)
    return tuple(found)[:MOST_QUOTED]


def address_in(value: str) -> str:
    """Give the address in a header such as From, in lower case; "" if there is none."""
    found = _ANGLE_ADDRESS.findall(value[:4000]) or _BARE_ADDRESS.findall(value[:4000])[:1]
    try:
        return normalise_address(found[-1]) if found else ""
    except InvalidAddressError:
        return ""


def date_in(value: str) -> datetime | None:
    """Give the moment in a Date header in UTC; ``None`` if it tells none."""
    try:
        instant = parsedate_to_datetime(value[:100])
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError, MessageError):
        return None


def parameter(value: str, name: str) -> str:
    """Give a parameter of a Content-Type as it is written; "" if there is none."""
    found = re.search(rf";\s*{name}\s*=\s*(?:\"([^\"]{{1,200}})\"|([^\s;\"]{{1,200}}))", value[:2000], re.IGNORECASE)
    return (found[1] or found[2] or "") if found else ""


def media_type(value: str) -> str:
    """Give a Content-Type without its parameters, in lower case."""
    return value[:2000].partition(";")[0].strip().lower()


def _plain(raw: str) -> str:
    """Unfold, and make a text of what a stranger wrote in no charset, or in several."""
    text = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return _FOLD.sub(" ", text).replace("\x00", "\ufffd").strip()

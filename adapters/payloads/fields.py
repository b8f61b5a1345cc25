"""Read one field of a provider's JSON item: in bounds, of the right type, or a sentence that says what is wrong."""

import socket
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from domain.errors import MailpulseError
from domain.values import Signal

LONGEST_URL = 8192
LONGEST_EVENT_ID = 255
USER_AGENT_CUT = 1024
DETAIL_CUT = 1024
LINK_TEXT_CUT = 256
MOST_METADATA = 20
METADATA_CUT = 256

Metadata: TypeAlias = dict[str, str | int | float | bool | None]


class InvalidFieldError(MailpulseError):
    """A field without which an item means nothing.

    Attributes:
        field: Name in the provider's payload.
        problem: What is wrong; never the value itself, which may be personal.
    """

    code = "invalid_field"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


_TYPE_NAMES = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}


def name_of_type(value: object) -> str:
    """Say what kind of JSON value this is, without showing it."""
    return _TYPE_NAMES.get(type(value)) or str(value)


def problem_with(item: Mapping[str, Any], field: str, expected: str) -> str:
    """Say why a field is not what was expected."""
    return f"expected {expected}, got {name_of_type(item[field])}" if field in item else "missing"


def required_text(item: Mapping[str, Any], field: str, longest: int) -> str:
    """Read a text without which the item means nothing.

    Raises:
        InvalidFieldError: Missing, empty, not a text, or longer than `longest` characters.
    """
    value = item.get(field)
    if not isinstance(value, str):
        raise InvalidFieldError(field, problem_with(item, field, "text"))
    text = value.strip()
    if not text:
        raise InvalidFieldError(field, "empty")
    if len(text) > longest:
        raise InvalidFieldError(field, f"longer than {longest} characters")
    return text


def optional_text(item: Mapping[str, Any], field: str, cut: int) -> str:
    """Read a describing text: its first `cut` characters; "" where there is none or it is something else."""
    value = item.get(field)
    return value.strip()[:cut] if isinstance(value, str) else ""


def agent_signals(item: Mapping[str, Any], field: str) -> tuple[Signal, ...]:
    """Tell an agent that was there and empty, which no browser's is, from one that nobody told."""
    value = item.get(field)
    return (Signal.NO_AGENT,) if isinstance(value, str) and not value.strip() else ()


def required_object(item: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """Read a nested object without which the item means nothing.

    Raises:
        InvalidFieldError: Missing, null or of another type.
    """
    value = item.get(field)
    if not isinstance(value, dict):
        raise InvalidFieldError(field, problem_with(item, field, "an object"))
    return value


def optional_event_id(item: Mapping[str, Any], field: str) -> str:
    """Read the provider's own id of the event; "" where it gives none. Whole numbers are taken as their digits.

    Raises:
        InvalidFieldError: Of another type or too long: guessing would count one fact twice or two as one.
    """
    value = item.get(field)
    if value is None:
        return ""
    if type(value) is int and abs(value) < 2**64:
        return str(value)
    if not isinstance(value, str):
        raise InvalidFieldError(field, problem_with(item, field, "text"))
    if len(value) > LONGEST_EVENT_ID:
        raise InvalidFieldError(field, f"longer than {LONGEST_EVENT_ID} characters")
    return value


def ip_address(value: object) -> str:
    """Keep what really is an IPv4 or IPv6 address; "" for anything else, which an ``inet`` column would refuse."""
    if not isinstance(value, str):
        return ""
    text = value.strip()
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except OSError:
        return ""
    return text


def link_position(value: object) -> str:
    """Keep which of several links it was: a number or a short text; "" for anything else."""
    return str(value)[:LINK_TEXT_CUT] if type(value) is int or type(value) is str else ""


def small_metadata(pairs: Iterable[tuple[str, Any]]) -> Metadata | None:
    """Keep the plain values a sender attached, in bounds that no payload can stretch.

    Returns:
        At most 20 entries, texts cut at 256 characters; ``None`` if there is nothing. Lists of texts are joined by
        ", "; nested objects, names above 256 characters and numbers that no column holds are left out.
    """
    kept: Metadata = {}
    for name, value in pairs:
        if len(kept) == MOST_METADATA:
            break
        if len(name) > METADATA_CUT:
            continue
        if isinstance(value, str):
            kept[name] = value[:METADATA_CUT]
        elif isinstance(value, int):
            if -(2**63) <= value < 2**63:
                kept[name] = value
        elif value is None or isinstance(value, float):
            kept[name] = value
        elif isinstance(value, list):
            kept[name] = ", ".join(part for part in value[:MOST_METADATA] if isinstance(part, str))[:METADATA_CUT]
    return kept or None

"""Read the many ways in which providers write a moment."""

import re
from datetime import UTC, datetime, timedelta

from adapters.payloads.fields import InvalidFieldError, name_of_type

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_EARLIEST_S = EARLIEST.timestamp()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Read as seconds, 1e11 lies in the year 5138; read as milliseconds, in 1973. The same gap lies between the next units.
_FIRST_MS = 10**11
_FIRST_US = 10**14
_END = 10**17

_NUMBER = re.compile(r"[0-9]{1,18}(\.[0-9]{1,9})?")
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)? ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?"
)


def read_instant(value: object, field: str = "timestamp") -> datetime:
    """Understand when something happened.

    Args:
        value: Seconds, milliseconds or microseconds since 1970 as a number or its digits, told apart by their size;
            or ISO 8601 text with offset, with "Z", or without either, which means UTC.
        field: Named in the error.

    Returns:
        Aware UTC, to the microsecond; what is finer is cut off.

    Raises:
        InvalidFieldError: Not a moment, or one before the year 2000. The future is judged by whoever knows the time.
    """
    if type(value) is int or type(value) is float:
        return _from_number(value, field)
    if not isinstance(value, str):
        raise InvalidFieldError(field, f"expected a time, got {name_of_type(value)}")
    text = value.strip().upper()
    if _NUMBER.fullmatch(text):
        return _from_number(float(text) if "." in text else int(text), field)
    return _from_iso(text, field)


def _from_number(value: float, field: str) -> datetime:
    if _EARLIEST_S <= value < _FIRST_MS:
        return datetime.fromtimestamp(value, UTC)
    instant = None
    if _FIRST_MS <= value < _FIRST_US:
        instant = _EPOCH + timedelta(milliseconds=value)
    elif _FIRST_US <= value < _END:
        instant = _EPOCH + timedelta(microseconds=value)
    if instant is None or instant < EARLIEST:
        raise InvalidFieldError(field, "no time after the year 2000 in seconds, milliseconds or microseconds")
    return instant


def _from_iso(text: str, field: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text) if _ISO.fullmatch(text) else None
        if instant is not None and instant.tzinfo is None:
            instant = instant.replace(tzinfo=UTC)
        if instant is not None:
            instant = instant.astimezone(UTC)
    except (ValueError, OverflowError):
        instant = None
    if instant is None:
        raise InvalidFieldError(field, "not a date and time in ISO 8601 form")
    if instant < EARLIEST:
        raise InvalidFieldError(field, "before the year 2000")
    return instant

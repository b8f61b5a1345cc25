"""Periods as people ask for them: by days of their time zone, or by instants."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import Annotated, Final, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from litestar.params import QueryParameter

from entrypoints.web.paging import check_period
from entrypoints.web.problems import InvalidRequestError
from read_models.periods import Period

LONGEST: Final = timedelta(days=3_660)
"""Ten years; nothing is kept by default for more than two."""
EARLIEST, LATEST = date(1970, 1, 1), date(2999, 12, 31)
DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")

From: TypeAlias = Annotated[
    str | None, QueryParameter(name="from", description="First day (`2026-11-01`), or first instant in it (RFC 3339).")
]
To: TypeAlias = Annotated[
    str | None, QueryParameter(name="to", description="Last day (`2026-11-30`), or first instant after it (RFC 3339).")
]
Zone: TypeAlias = Annotated[
    str, QueryParameter(name="tz", description="Time zone in which days begin, such as `Europe/Berlin`.")
]


def period_of(start: str | None, end: str | None, zone: str) -> Period:
    """Read a period.

    Args:
        start: The parameter ``from``.
        end: The parameter ``to``; a day belongs to the period, an instant does not.
        zone: The parameter ``tz``.

    Raises:
        InvalidRequestError: One of them cannot be read, the period ends before it starts or lasts more than ten years.
    """
    at_home = _zone_of(zone)
    first = None if start is None else _instant("from", start, at_home, days_later=0)
    after = None if end is None else _instant("to", end, at_home, days_later=1)
    period = Period(start=first, end=after)
    check_length(period)
    return period


def check_length(period: Period) -> None:
    """Make sure that a period is neither empty nor longer than ten years.

    Raises:
        InvalidRequestError: It is.
    """
    check_period(period.start, period.end, names=("from", "to"))
    if period.start is not None and period.end is not None and period.end - period.start > LONGEST:
        raise InvalidRequestError("to", f"is more than {LONGEST.days} days later than from")


def _instant(name: str, text: str, zone: tzinfo, *, days_later: int) -> datetime:
    try:
        if DAY.fullmatch(text):
            day = date.fromisoformat(text)
            check_year(name, day)
            return datetime.combine(day + timedelta(days=days_later), time(), zone).astimezone(UTC)
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequestError(name, "is neither a day (2026-11-01) nor an RFC 3339 instant") from error
    check_year(name, instant.date())
    if instant.tzinfo is None:
        raise InvalidRequestError(name, "has no offset from UTC, such as Z or %2B01:00")
    return instant.astimezone(UTC)


def check_year(name: str, day: date) -> None:
    """Make sure that a day is one that a database can count with.

    Raises:
        InvalidRequestError: It is not.
    """
    if not EARLIEST <= day <= LATEST:
        raise InvalidRequestError(name, f"is not between {EARLIEST} and {LATEST}")


def check_zone(name: str) -> None:
    """Make sure that a time zone exists.

    Raises:
        InvalidRequestError: It does not.
    """
    if name != "UTC" and name not in _known_zones():
        raise InvalidRequestError("tz", "is no time zone of the IANA database, such as Europe/Berlin")


def _zone_of(name: str) -> tzinfo:
    check_zone(name)
    return UTC if name == "UTC" else ZoneInfo(name)


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())

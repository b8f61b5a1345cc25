"""Moments in the words of a scenario: "2 hours ago", counted from the scenario's begin."""

import re
from datetime import UTC, datetime, timedelta

_AGO = re.compile(r"(?P<number>\d+) (?P<unit>second|minute|hour|day)s? ago")
_AHEAD = re.compile(r"in (?P<number>\d+) (?P<unit>second|minute|hour|day)s?")


class Moments:
    """Reads moments; whole seconds, as most providers report them."""

    def __init__(self):
        self.now = datetime.now(UTC).replace(microsecond=0)

    def at(self, words):
        """Give the moment; ``None`` for an empty cell."""
        if not words:
            return None
        if words == "now":
            return self.now
        if found := _AGO.fullmatch(words):
            return self.now - _distance(found)
        if found := _AHEAD.fullmatch(words):
            return self.now + _distance(found)
        raise ValueError(f"{words!r} is no moment; say 'now', '2 hours ago' or 'in 3 days'")


def _distance(found):
    return timedelta(**{found["unit"] + "s": int(found["number"])})


def rfc3339(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

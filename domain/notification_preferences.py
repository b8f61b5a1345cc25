"""How somebody wants to be told about their emails."""

from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import msgspec

TimeOfDay = Annotated[str, msgspec.Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5)]
"""``HH:MM`` in the time zone of the preferences."""


class Occasion(StrEnum):
    """What somebody may be told about."""

    OPEN = "open"
    CLICK = "click"
    REPLY = "reply"
    BOUNCE = "bounce"


class Opens(StrEnum):
    """Which opens and clicks of an email are worth telling."""

    ALL = "all"
    FIRST = "first"


class Digest(StrEnum):
    """Whether opens, clicks and bounces wait for a summary."""

    OFF = "off"
    DAILY = "daily"


class QuietHours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When nothing rings; what happens meanwhile waits in the list. Hours that end before they begin are over night."""

    begins: TimeOfDay
    ends: TimeOfDay

    def include(self, local: str) -> bool:
        """Say whether a time of day is within them."""
        if self.begins <= self.ends:
            return self.begins <= local < self.ends
        return local >= self.begins or local < self.ends


class NotificationPreferences(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to hear of, and when; without a decision of their own, these defaults.

    Attributes:
        kinds: What they are told about.
        opens: Whether every open and click of an email is told, or only the first of each.
        hot_candidates_only: Whether opens and clicks of candidates are told only if these are hot.
        my_jobs: Whether they are also told about emails of others, about jobs whose hiring manager they are.
        quiet_hours: When nothing rings.
        time_zone: IANA name, of the quiet hours and the digest.
        digest: Whether everything but replies waits for a summary a day.
        digest_at: Time of day of the summary.

    Source:
        FLOW-7 notification preferences are checked; AF-3.
    """

    kinds: tuple[Occasion, ...] = (Occasion.OPEN, Occasion.CLICK, Occasion.REPLY)
    opens: Opens = Opens.ALL
    hot_candidates_only: bool = False
    my_jobs: bool = False
    quiet_hours: QuietHours | None = None
    time_zone: str = "UTC"
    digest: Digest = Digest.OFF
    digest_at: TimeOfDay = "08:00"

    def is_quiet(self, now: datetime) -> bool:
        """Say whether nothing may ring at an instant."""
        return self.quiet_hours is not None and self.quiet_hours.include(f"{now.astimezone(self._zone):%H:%M}")

    def next_digest_at(self, now: datetime) -> datetime | None:
        """Give the instant of the next summary after another instant; ``None``: there is none."""
        if self.digest is Digest.OFF:
            return None
        today = now.astimezone(self._zone).date()
        due = (
            datetime.combine(today + timedelta(days=days), time.fromisoformat(self.digest_at), tzinfo=self._zone)
            for days in range(2)
        )
        return next((at.astimezone(now.tzinfo) for at in due if at > now), None)

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


DEFAULT_PREFERENCES: Final = NotificationPreferences()

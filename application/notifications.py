"""Read notifications, and decide which to get."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID
from zoneinfo import available_timezones

import msgspec

from application.checked_fields import Flaw, InvalidFieldsError, checked_fields
from application.ports.clock import Clock
from application.ports.notification_records import NotificationRecords
from domain.errors import ApplicationError
from domain.notification_preferences import DEFAULT_PREFERENCES, NotificationPreferences

_NO_TIME: Final = "is no time of day from 00:00 to 23:59, such as 07:30"


class UnknownNotificationError(ApplicationError):
    """The person has no notification of that id."""

    code = "unknown_notification"


class InvalidPreferencesError(InvalidFieldsError):
    """Fields that no notification preferences can have; nothing was changed."""

    code = "invalid_notification_preferences"


class Notifications:
    """What people do with their notifications.

    Args:
        records: Keeps it.
        clock: Gives aware UTC.

    Source:
        AF-3; FLOW-7.
    """

    def __init__(self, records: NotificationRecords, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    async def mark_read(self, organization_id: UUID, user_id: str, notification_id: UUID) -> None:
        """Note that somebody read a notification; once more changes nothing.

        Raises:
            UnknownNotificationError: It is not theirs, or 90 days are over.
        """
        if not await self._records.mark_read(organization_id, user_id, notification_id, self._clock()):
            raise UnknownNotificationError("you have no notification of that id")

    async def mark_all_read(self, organization_id: UUID, user_id: str) -> None:
        """Note that somebody read everything."""
        await self._records.mark_all_read(organization_id, user_id, self._clock())

    async def preferences_of(self, organization_id: UUID, user_id: str) -> NotificationPreferences:
        """Give what somebody wants to be told."""
        return await self._records.preferences(organization_id, user_id) or DEFAULT_PREFERENCES

    async def change_preferences(
        self, organization_id: UUID, user_id: str, fields: Mapping[str, object]
    ) -> NotificationPreferences:
        """Change some or all of what somebody wants; it holds for what happens from then on.

        Args:
            organization_id: Of the person.
            user_id: Who.
            fields: New values by name; a field that is left out stays as it is.

        Returns:
            What now holds.

        Raises:
            InvalidPreferencesError: Nothing was changed.
        """
        changes = _checked(fields)

        def changed(before: NotificationPreferences) -> NotificationPreferences:
            return msgspec.structs.replace(before, **changes)

        return await self._records.change_preferences(organization_id, user_id, changed, self._clock())


def _checked(fields: Mapping[str, object]) -> dict[str, Any]:
    checked, flaws = checked_fields(fields, NotificationPreferences, of="notification preferences")
    flaws = [
        Flaw(flaw.field, _NO_TIME) if "regex" in flaw.detail or "length" in flaw.detail else flaw for flaw in flaws
    ]
    if "time_zone" in checked and checked["time_zone"] not in available_timezones():
        flaws.append(Flaw("time_zone", "is no time zone; use an IANA name such as Europe/Berlin"))
    quiet = checked.get("quiet_hours")
    if quiet is not None and quiet.begins == quiet.ends:
        flaws.append(
            Flaw("quiet_hours", "end when they begin; choose no kinds to be told nothing, or null for no hours")
        )
    if "kinds" in checked:
        checked["kinds"] = tuple(dict.fromkeys(checked["kinds"]))
    if flaws:
        raise InvalidPreferencesError(flaws)
    return checked

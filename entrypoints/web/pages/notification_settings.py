"""What a person wants to be told, by form; everybody decides for themselves."""

from asyncio import to_thread
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from litestar import Response, get, post
from litestar.response import Redirect

from application.notifications import InvalidPreferencesError
from domain.notification_preferences import Digest, NotificationPreferences, Occasion, Opens
from entrypoints.web.auth import READERS
from entrypoints.web.pages.forms import fields_of, then_show
from entrypoints.web.pages.frame import framed
from entrypoints.web.pages.visitors import PageRequest
from entrypoints.web.services import Services

PATH: Final = "/settings/notifications"
KINDS: Final = {
    Occasion.OPEN: "somebody opens an email of mine",
    Occasion.CLICK: "somebody follows a link in it",
    Occasion.REPLY: "somebody answers",
    Occasion.BOUNCE: "an email comes back",
}
SWITCHES: Final = {
    "first_only": ("Only the first open and the first click of an email", ""),
    "hot_candidates_only": ("Opens and clicks of hot candidates only", "Replies and bounces are told of everybody."),
    "my_jobs": ("Emails of others, too, if they are about jobs that I manage", ""),
}
LABELS: Final = {
    "kinds": "Tell me when",
    "quiet_hours": "Quiet hours",
    "time_zone": "Time zone",
    "digest_at": "Time of the summary",
}


@get(PATH, opt=READERS, include_in_schema=False)
async def show_notification_settings(request: PageRequest, services: Services) -> Response[str]:
    """Show what somebody wants to be told as a form."""
    access = request.user.access
    preferences = await services.handle_notifications.preferences_of(access.organization_id, access.user_id or "")
    return await _form(request, services, _fields_of(preferences), is_saved="saved" in request.query_params)


@post(PATH, opt=READERS, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
async def change_notification_settings(request: PageRequest, services: Services) -> Response[Any] | Redirect:
    """Change it; a form that cannot be comes back as it was filled in, with what is wrong."""
    access, fields = request.user.access, await fields_of(request)
    try:
        await services.handle_notifications.change_preferences(
            access.organization_id, access.user_id or "", _preferences_in(fields)
        )
    except InvalidPreferencesError as error:
        wrong = [f"{LABELS.get(flaw.field.partition('.')[0], flaw.field)}: {flaw.detail}" for flaw in error.flaws]
        return await _form(request, services, fields, wrong=wrong)
    return then_show(f"{PATH}?saved=1")


async def _form(
    request: PageRequest,
    services: Services,
    fields: Mapping[str, str],
    *,
    is_saved: bool = False,
    wrong: list[str] | None = None,
) -> Response[str]:
    policy = await to_thread(services.tracking_policies.of, request.user.access.organization_id)
    return framed(
        "notification_settings",
        request,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        now=services.clock(),
        fields=fields,
        kinds=KINDS,
        switches=SWITCHES,
        is_saved=is_saved,
        wrong=wrong or [],
        is_switched_off=not policy.notifications_enabled,
    )


def _fields_of(preferences: NotificationPreferences) -> dict[str, str]:
    """Give preferences as a browser would send them: a box that is not ticked is not sent."""
    ticked = {
        **{f"kind_{kind.value}": kind in preferences.kinds for kind in KINDS},
        "first_only": preferences.opens is Opens.FIRST,
        "hot_candidates_only": preferences.hot_candidates_only,
        "my_jobs": preferences.my_jobs,
        "digest": preferences.digest is Digest.DAILY,
    }
    quiet = preferences.quiet_hours
    return {
        **{name: "yes" for name, is_ticked in ticked.items() if is_ticked},
        "quiet_from": quiet.begins if quiet else "",
        "quiet_to": quiet.ends if quiet else "",
        "time_zone": preferences.time_zone,
        "digest_at": preferences.digest_at,
    }


def _preferences_in(fields: Mapping[str, str]) -> dict[str, object]:
    begins, ends = fields.get("quiet_from", ""), fields.get("quiet_to", "")
    return {
        "kinds": [kind.value for kind in KINDS if f"kind_{kind.value}" in fields],
        "opens": (Opens.FIRST if "first_only" in fields else Opens.ALL).value,
        "hot_candidates_only": "hot_candidates_only" in fields,
        "my_jobs": "my_jobs" in fields,
        "quiet_hours": {"begins": begins, "ends": ends} if begins or ends else None,
        "time_zone": fields.get("time_zone", ""),
        "digest": (Digest.DAILY if "digest" in fields else Digest.OFF).value,
        "digest_at": fields.get("digest_at", ""),
    }


NOTIFICATION_SETTINGS_PAGES: Final[list[Any]] = [show_notification_settings, change_notification_settings]

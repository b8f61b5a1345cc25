"""What an organisation allows to be recorded, by form."""

from asyncio import to_thread
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect

from domain.counted import counted
from domain.tracking_terms import LONGEST_RETENTION_DAYS, ConsentMode, IpHandling, TrackingPolicy
from entrypoints.web.auth import ADMINS
from entrypoints.web.pages.forms import CONFIRMED, ask_first, fields_of, then_show
from entrypoints.web.pages.frame import framed
from entrypoints.web.pages.visitors import PageRequest
from entrypoints.web.services import Services

PATH: Final = "/settings/tracking"
SWITCHES: Final = {
    "tracking_enabled": ("Track opens and clicks", "Off: delivery, bounces and replies only."),
    "privacy_mode": ("Privacy mode", "Counts and links only: not when somebody read, from where, or with what."),
    "unsubscribe_ends_tracking": (
        "Unsubscribing ends tracking too",
        "Of all emails to that person, earlier ones as well.",
    ),
    "notifications_enabled": ("Notify people of engagement", "Off: nobody is told when an email is opened."),
}
CONSENT_MODES: Final = {
    ConsentMode.OPT_OUT: "are tracked until they object",
    ConsentMode.OPT_IN: "are not tracked until they agree",
}
IP_HANDLINGS: Final = {
    IpHandling.KEEP: "keep",
    IpHandling.TRUNCATE: "shorten, so that they name a network only",
    IpHandling.ENCRYPT: "encrypt, shown to administrators and API keys only",
    IpHandling.DROP: "do not keep",
}


@get(["/settings", PATH], opt=ADMINS, include_in_schema=False)
async def show_tracking_settings(request: PageRequest, services: Services) -> Response[str]:
    """Show the policy as a form."""
    policy = await to_thread(services.tracking_policies.of, request.user.access.organization_id)
    return framed(
        "tracking_settings",
        request,
        now=services.clock(),
        policy=policy,
        switches=SWITCHES,
        consent_modes=CONSENT_MODES,
        ip_handlings=IP_HANDLINGS,
        longest=LONGEST_RETENTION_DAYS,
        is_saved="saved" in request.query_params,
    )


@post(PATH, opt=ADMINS, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
async def change_tracking_settings(request: PageRequest, services: Services) -> Response[Any] | Redirect:
    """Change the policy; what a shorter retention deletes is asked about once."""
    access, fields = request.user.access, await fields_of(request)
    wanted = _policy_fields(fields)
    policy = await to_thread(services.tracking_policies.of, access.organization_id)
    days = wanted["retention_days"]
    if isinstance(days, int) and days < policy.retention_days and CONFIRMED not in fields:
        return ask_first(
            request,
            services,
            title=f"Keep emails for {counted(days, 'day')} only?",
            gone=f"Every email sent more than {counted(days, 'day')} ago, with all that is known about it, is deleted"
            " within hours and cannot be brought back. Totals of campaigns, jobs and templates stay.",
            action=PATH,
            button=f"Delete what is older than {counted(days, 'day')}",
            back=PATH,
            fields=fields,
        )
    who = access.user_id or str(access.id)
    await to_thread(services.tracking_policies.change, access.organization_id, wanted, changed_by=who)
    return then_show(f"{PATH}?saved=1")


def _policy_fields(fields: Mapping[str, str]) -> dict[str, object]:
    """Read the whole form: a box that is not ticked is not sent."""
    days = fields.get("retention_days", "")
    known = {field.name for field in msgspec.structs.fields(TrackingPolicy)}
    sent: dict[str, object] = {name: value for name, value in fields.items() if name in known}
    return {
        **sent,
        **{name: name in fields for name in SWITCHES},
        "retention_days": int(days) if days.isascii() and days.isdigit() else days,
    }


TRACKING_SETTINGS_PAGES: Final[list[Any]] = [show_tracking_settings, change_tracking_settings]

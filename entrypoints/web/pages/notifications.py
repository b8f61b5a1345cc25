"""What a person was told, for who looks later."""

from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect

from application.ports.access_tokens import Role
from entrypoints.web.auth import READERS, audience_of
from entrypoints.web.pages.frame import framed
from entrypoints.web.pages.notification_settings import SWITCHES
from entrypoints.web.pages.visitors import PageRequest
from entrypoints.web.paging import Cursor, page
from entrypoints.web.services import Services

ROWS: Final = 20


@get("/notifications", opt=READERS, include_in_schema=False)
async def show_notifications(
    request: PageRequest,
    services: Services,
    *,
    only_unread: Annotated[bool, QueryParameter(name="unread")] = False,
    cursor: Cursor = None,
) -> Response[str]:
    """List a person's notifications, the latest first (AF-3)."""
    access = request.user.access
    notices = await services.notifications.list(
        audience_of(access), access.user_id or "", unread_only=only_unread, page=page(ROWS, cursor)
    )
    more = {**({"unread": "true"} if only_unread else {}), "cursor": notices.next_cursor}
    return framed(
        "notifications",
        request,
        now=services.clock(),
        notices=notices,
        only_unread=only_unread,
        hears_of_own_only=not notices.items and await _hears_of_own_only(request, services),
        of_jobs=SWITCHES["my_jobs"][0],
        is_first=cursor is None,
        next_path=f"/notifications?{urlencode(more)}" if notices.next_cursor else None,
    )


async def _hears_of_own_only(request: PageRequest, services: Services) -> bool:
    """Whether a hiring manager, about whose jobs others write, is told of emails of their own only."""
    access = request.user.access
    if access.role is not Role.HIRING_MANAGER:
        return False
    preferences = await services.handle_notifications.preferences_of(access.organization_id, access.user_id or "")
    return not preferences.my_jobs


@post(
    "/notifications/{notification_id:uuid}/read",
    opt=READERS,
    include_in_schema=False,
    status_code=HTTPStatus.SEE_OTHER,
)
async def mark_read(request: PageRequest, services: Services, notification_id: FromPath[UUID]) -> Redirect:
    """Note that a notification was read."""
    access = request.user.access
    await services.handle_notifications.mark_read(access.organization_id, access.user_id or "", notification_id)
    return Redirect("/notifications", status_code=303)


@post("/notifications/read-all", opt=READERS, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
async def mark_all_read(request: PageRequest, services: Services) -> Redirect:
    """Note that everything was read."""
    access = request.user.access
    await services.handle_notifications.mark_all_read(access.organization_id, access.user_id or "")
    return Redirect("/notifications", status_code=303)


NOTIFICATION_PAGES: Final[list[Any]] = [show_notifications, mark_read, mark_all_read]

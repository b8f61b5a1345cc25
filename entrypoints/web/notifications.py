"""What somebody was told, and what they want to be told."""

from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import get, post, put
from litestar.params import PathParameter, QueryParameter

from application.ports.access_tokens import AccessToken
from application.ports.presence import Person
from domain.notification_preferences import Digest, NotificationPreferences, Occasion, Opens, QuietHours, TimeOfDay
from entrypoints.web import examples
from entrypoints.web.auth import READERS, ApiRequest, audience_of
from entrypoints.web.json_bodies import BODY_PROBLEMS, read_body
from entrypoints.web.operations import described, reference_to
from entrypoints.web.paging import USUAL_PAGE, Cursor, Limit, page
from entrypoints.web.problems import ForbiddenError
from entrypoints.web.services import Services, WebServices
from read_models.notifications.queries import NotificationList, Unread

TAGS: Final = ["notifications"]
FOR_PEOPLE: Final = "Of the user whose token it is; an API key has no user and gets 403."


class NotificationPreferencesChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Fields to change; one that is left out stays as it is."""

    kinds: tuple[Occasion, ...] | msgspec.UnsetType = msgspec.UNSET
    opens: Opens | msgspec.UnsetType = msgspec.UNSET
    hot_candidates_only: bool | msgspec.UnsetType = msgspec.UNSET
    my_jobs: bool | msgspec.UnsetType = msgspec.UNSET
    quiet_hours: QuietHours | msgspec.UnsetType | None = msgspec.UNSET
    time_zone: str | msgspec.UnsetType = msgspec.UNSET
    digest: Digest | msgspec.UnsetType = msgspec.UNSET
    digest_at: TimeOfDay | msgspec.UnsetType = msgspec.UNSET


class OwnNotifications(NotificationList, frozen=True, kw_only=True):
    """Part of somebody's list.

    Attributes:
        online: Whether a page or a program of theirs listens to the stream now.
    """

    online: bool


@get(
    "/notifications",
    opt=READERS,
    tags=TAGS,
    summary="List notifications, the latest first",
    description=FOR_PEOPLE + " They are kept for 90 days; a hiring manager sees those about jobs that name them.",
    operation_class=described(
        answers=examples.NOTIFICATIONS,
        problems=(HTTPStatus.UNPROCESSABLE_ENTITY,),
    ),
)
async def list_notifications(
    request: ApiRequest,
    services: Services,
    *,
    unread: Annotated[bool, QueryParameter(description="Only those that were not read yet.")] = False,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> OwnNotifications:
    """See `NotificationQueries.list` and `Presence.is_online`."""
    caller, user_id = request.user, user_of(request.user)
    found = await services.notifications.list(
        audience_of(caller), user_id, unread_only=unread, page=page(limit, cursor)
    )
    online = await services.presence.is_online(Person(organization_id=caller.organization_id, user_id=user_id))
    return OwnNotifications(**msgspec.structs.asdict(found), online=online)


@post(
    "/notifications/{notification_id:uuid}/read",
    status_code=HTTPStatus.OK,
    opt=READERS,
    tags=TAGS,
    summary="Say that a notification was read",
    description=FOR_PEOPLE + " Saying it again changes nothing.",
    operation_class=described(answers=examples.UNREAD, problems=(HTTPStatus.NOT_FOUND,)),
)
async def mark_read(
    request: ApiRequest,
    services: Services,
    notification_id: Annotated[UUID, PathParameter(description="Of the notification.")],
) -> Unread:
    """See `Notifications.mark_read`."""
    caller = request.user
    await services.handle_notifications.mark_read(caller.organization_id, user_of(caller), notification_id)
    return await _unread(caller, services)


@post(
    "/notifications/read-all",
    status_code=HTTPStatus.OK,
    opt=READERS,
    tags=TAGS,
    summary="Say that all notifications were read",
    description=FOR_PEOPLE,
    operation_class=described(answers={"unread_count": 0}),
)
async def mark_all_read(request: ApiRequest, services: Services) -> Unread:
    """See `Notifications.mark_all_read`."""
    await services.handle_notifications.mark_all_read(request.user.organization_id, user_of(request.user))
    return await _unread(request.user, services)


@get(
    "/notification-preferences",
    opt=READERS,
    tags=TAGS,
    summary="What somebody wants to be told",
    description=FOR_PEOPLE,
    operation_class=described(answers=examples.NOTIFICATION_PREFERENCES),
)
async def read_preferences(request: ApiRequest, services: Services) -> NotificationPreferences:
    """See `Notifications.preferences_of`."""
    return await services.handle_notifications.preferences_of(request.user.organization_id, user_of(request.user))


@put(
    "/notification-preferences",
    opt=READERS,
    tags=TAGS,
    summary="Change what somebody wants to be told",
    description=FOR_PEOPLE
    + (
        " Fields that are left out stay as they are. It holds for what happens from then on. In quiet hours nothing"
        " rings, with a daily digest only replies do; everything is in the list at once."
    ),
    operation_class=described(
        body=reference_to(NotificationPreferencesChange),
        sends=examples.NOTIFICATION_PREFERENCES,
        answers=examples.NOTIFICATION_PREFERENCES,
        problems=BODY_PROBLEMS,
    ),
)
async def change_preferences(request: ApiRequest, services: Services) -> NotificationPreferences:
    """See `Notifications.change_preferences`."""
    user_id = user_of(request.user)
    fields = await read_body(request, dict[str, Any])
    return await services.handle_notifications.change_preferences(request.user.organization_id, user_id, fields)


def user_of(caller: AccessToken) -> str:
    """Give the person who asks.

    Raises:
        ForbiddenError: An API key is nobody.
    """
    if caller.user_id is None:
        raise ForbiddenError("notifications are for people: use the token of a user, not an API key")
    return caller.user_id


async def _unread(caller: AccessToken, services: WebServices) -> Unread:
    return Unread(unread_count=await services.notifications.unread_count(audience_of(caller), user_of(caller)))


NOTIFICATION_HANDLERS: Final[list[Any]] = [
    list_notifications,
    mark_read,
    mark_all_read,
    read_preferences,
    change_preferences,
]

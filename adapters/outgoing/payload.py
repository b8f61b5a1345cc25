"""What receivers of outgoing webhooks get."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from read_models.notifications.notification import Notification

NOTIFICATION: Final = "notification"
TEST: Final = "test"


class SentNotification(Notification, frozen=True, kw_only=True):
    """A notification as the API lists it, and who is told.

    Attributes:
        user_id: The host application's id of the person.
    """

    user_id: str


class Test(msgspec.Struct, frozen=True, kw_only=True):
    """Shows that a webhook works."""

    webhook_id: UUID


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """The body, as Standard Webhooks proposes.

    Attributes:
        type: `NOTIFICATION` or `TEST`.
        timestamp: When it happened.
    """

    type: str
    timestamp: datetime
    data: msgspec.Struct


def body_of(notification: SentNotification) -> bytes:
    """Give the body that tells of a notification."""
    return _encode(Payload(type=NOTIFICATION, timestamp=notification.occurred_at, data=notification))


def body_of_test(webhook_id: UUID, asked_at: datetime) -> bytes:
    """Give the body of a test."""
    return _encode(Payload(type=TEST, timestamp=asked_at, data=Test(webhook_id=webhook_id)))


_encode = msgspec.json.Encoder().encode

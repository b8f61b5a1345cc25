"""What notifications tell of."""

from enum import StrEnum
from typing import Final


class NotificationKind(StrEnum):
    """What a notification tells of; a digest, of everything that waited."""

    OPEN = "open"
    CLICK = "click"
    REPLY = "reply"
    BOUNCE = "bounce"
    DIGEST = "digest"


EVERY_KIND: Final = tuple(NotificationKind)

"""A stretch of time that a question is about."""

from datetime import datetime

import msgspec


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """From one instant to another, both aware UTC.

    Attributes:
        start: First instant in it; ``None``: there is no first one.
        end: First instant after it; ``None``: there is no last one.
    """

    start: datetime | None = None
    end: datetime | None = None

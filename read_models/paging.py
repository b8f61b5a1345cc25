"""Long lists, a page at a time; what is added meanwhile neither repeats nor hides a row."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec

from read_models.errors import InvalidCursorError

LONGEST_CURSOR: Final = 4_000
LARGEST_KEY_NUMBER: Final = 2**63 - 1

Item = TypeVar("Item")
Key = TypeVar("Key", bound=tuple[Any, ...])


class Page(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """Part of a list.

    Attributes:
        next_cursor: Asks for the part after it; ``None``: this is the last one.
    """

    items: list[Item]
    next_cursor: str | None = None


class PageRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a list is asked for.

    Attributes:
        limit: Items on the page, at least 1.
        cursor: As the page before gave it; ``None``: the first page.
    """

    limit: int
    cursor: str | None = None

    def after(self, key_type: type[Key]) -> Key | None:
        """Give the sort key of the last item of the page before.

        Args:
            key_type: A ``NamedTuple``; its instants need an offset.

        Raises:
            InvalidCursorError: The cursor does not hold such a key.
        """
        return None if self.cursor is None else _decoded(self.cursor, key_type)


def page_of(rows: Sequence[Item], limit: int, *, keys: Sequence[Sequence[Any]]) -> Page[Item]:
    """Cut a page from rows of which one more than `limit` was fetched.

    Args:
        rows: In the order of the list.
        limit: Items on the page.
        keys: The sort key of each row; its values survive JSON.
    """
    more = len(rows) > limit
    return Page(items=list(rows[:limit]), next_cursor=_encoded(keys[limit - 1]) if more else None)


def _encoded(key: Sequence[Any]) -> str:
    return urlsafe_b64encode(msgspec.json.encode(list(key))).decode("ascii").rstrip("=")


def _decoded(cursor: str, key_type: type[Key]) -> Key:
    try:
        if len(cursor) > LONGEST_CURSOR:
            raise InvalidCursorError("cursor is too long")
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        key: Key = msgspec.json.decode(urlsafe_b64decode(padded), type=key_type)
    except (ValueError, RecursionError) as error:  # msgspec's and base64's errors are ValueErrors
        raise InvalidCursorError("cursor was not given out by this list") from error
    if any(map(_is_foreign, key)):
        raise InvalidCursorError("cursor was not given out by this list")
    return key


def _is_foreign(value: object) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, int):
        return abs(value) > LARGEST_KEY_NUMBER
    return getattr(value, "tzinfo", value) is None

from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from read_models.errors import InvalidCursorError
from read_models.paging import PageRequest, page_of


class Key(NamedTuple):
    at: datetime
    number: int


class TextKey(NamedTuple):
    text: str


NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def cursor_of(*values):
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(msgspec.json.encode(values)).decode()


def test_a_cursor_brings_back_the_key_of_the_last_item():
    page = page_of(["a", "b", "c"], 2, keys=[Key(NOON, 1), Key(NOON, 2), Key(NOON, 3)])

    assert page.items == ["a", "b"]
    assert PageRequest(limit=2, cursor=page.next_cursor).after(Key) == Key(NOON, 2)


def test_the_last_page_has_no_cursor():
    assert page_of(["a", "b"], 2, keys=[Key(NOON, 1), Key(NOON, 2)]).next_cursor is None


@pytest.mark.parametrize(
    "cursor",
    [
        "!",
        "é",
        "AAAA",
        "x" * 5_000,
        cursor_of(1),
        cursor_of("2026-11-21T12:00:00", 1),
        cursor_of("2026-11-21T12:00:00Z", 2**70),
        cursor_of("2026-11-21T12:00:00Z", 1, 2),
        cursor_of("2026-11-21T12:00:00Z", None),
    ],
)
def test_a_forged_cursor_is_refused(cursor):
    with pytest.raises(InvalidCursorError):
        PageRequest(limit=1, cursor=cursor).after(Key)


def test_a_cursor_cannot_bring_a_nul_to_the_database():
    with pytest.raises(InvalidCursorError):
        PageRequest(limit=1, cursor=cursor_of("a\x00b")).after(TextKey)


@given(st.text())
def test_no_text_at_all_gets_past_as_anything_but_a_key(cursor):
    try:
        key = PageRequest(limit=1, cursor=cursor).after(Key)
    except InvalidCursorError:
        return
    assert isinstance(key, Key)

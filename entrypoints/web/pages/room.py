"""How much of a list a page has room for: 60 kB are what it may have, and its figures come first."""

from collections.abc import Callable, Iterable
from html import escape
from typing import Final, TypeVar

PAGE_BYTES: Final = 60_000
FRAME_BYTES: Final = 12_500
"""What a dashboard has beside its series and its lists of whatever length."""
POINT_BYTES: Final = 390
"""A point of the series: its row in the table, and what the chart is told."""
TIMES_OF_ADDRESS: Final = 14
"""So many links of a dashboard lead to itself, and hold what its own address holds."""
OTHER_FRAME_BYTES, OTHER_TIMES_OF_ADDRESS = 8_000, 6
"""The same of a page that has nothing but a list to choose from."""
Item = TypeVar("Item")


def room_for_lists(*, points: int, address: str) -> int:
    """Give the bytes that are left to the lists of a dashboard.

    Args:
        points: Of its series.
        address: Its own parameters.
    """
    return PAGE_BYTES - FRAME_BYTES - POINT_BYTES * points - TIMES_OF_ADDRESS * written_bytes(address)


def room_for_choices(address: str) -> int:
    """Give the bytes that a list to choose from may take on a page of this address, and of nothing else."""
    return PAGE_BYTES - OTHER_FRAME_BYTES - OTHER_TIMES_OF_ADDRESS * written_bytes(address)


def as_many_as_fit(items: Iterable[Item], room: int, bytes_of: Callable[[Item], int]) -> list[Item]:
    """Give the first items, as many as there is room for, and one in any case.

    Args:
        items: The most important first.
        room: In bytes.
        bytes_of: Says how many an item takes.
    """
    fitting: list[Item] = []
    for item in items:
        room -= bytes_of(item)
        if fitting and room < 0:
            break
        fitting.append(item)
    return fitting


def written_bytes(text: str) -> int:
    """Say how many bytes a text takes in HTML."""
    return len(escape(text).encode())

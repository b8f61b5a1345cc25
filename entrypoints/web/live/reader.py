"""One open stream: how far its reader has been told."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from application.ports.presence import Person
from read_models.audience import Audience
from read_models.notifications.notification import Announcement
from read_models.notifications.queries import NotificationQueries

MOST_AT_ONCE: Final = 100
MOST_RECENT: Final = 256


class Board:
    """What one person was told lately; read from the database once for all of their streams.

    Streams keep a position on it and nothing else, so one that stalls holds no memory and no other stream up.

    Args:
        person: Whose it is.
        audience: What they may see.
        queries: Where announcements are read.
        position: Of the latest announcement that is known.
        reads: Lets so many read at once.

    Attributes:
        looked_until: The person's last number when they were last looked after.
    """

    def __init__(
        self,
        person: Person,
        audience: Audience,
        queries: NotificationQueries,
        position: int,
        reads: asyncio.Semaphore,
    ) -> None:
        self.person = person
        self.audience = audience
        self.position = position
        self.looked_until = 0
        self.readers: set[Reader] = set()
        self._queries = queries
        self._reads = reads
        self._recent: deque[Announcement] = deque()
        self._complete_after = position

    async def refresh(self) -> None:
        """Read what was announced meanwhile.

        Raises:
            AnswersUnavailableError: Nothing is lost; try again.
        """
        while True:
            found = await self._read(self.position, MOST_RECENT)
            for announcement in found:
                if len(self._recent) == MOST_RECENT:
                    self._complete_after = self._recent.popleft().number
                self._recent.append(announcement)
            if found:
                self.position = found[-1].number
                for reader in self.readers:
                    reader.changed.set()
            if len(found) < MOST_RECENT:
                return

    async def after(self, position: int) -> tuple[Sequence[Announcement], int]:
        """Give the next announcements after a position, and the position then.

        Raises:
            AnswersUnavailableError: Nothing is lost; try again.
        """
        if position >= self._complete_after:
            found: Sequence[Announcement] = [one for one in self._recent if one.number > position][:MOST_AT_ONCE]
            known = self.position
        else:
            known = self.position  # before it is read: what is numbered up to here is there to be read
            found = await self._read(position, MOST_AT_ONCE)
        if len(found) == MOST_AT_ONCE:
            return found, found[-1].number
        return found, max(position, known, *(one.number for one in found))

    async def _read(self, position: int, most: int) -> Sequence[Announcement]:
        async with self._reads:
            return await self._queries.announced_after(self.audience, self.person.user_id, position, most=most)


class Reader:
    """One open stream.

    Args:
        board: Of its person.
        token_id: What the stream was opened with, and ends with.
        position: Up to which its reader was told.

    Attributes:
        changed: Set when there may be something to tell, or the stream has ended.
        is_ended: Nothing is to be told any more.
    """

    def __init__(self, board: Board, token_id: UUID, position: int) -> None:
        self.board = board
        self.token_id = token_id
        self.position = position
        self.changed = asyncio.Event()
        self.changed.set()
        self.is_ended = False

    def end(self) -> None:
        """Tell the stream that it has to end."""
        self.is_ended = True
        self.changed.set()

    async def next(self) -> Sequence[Announcement]:
        """Give what comes next, oldest first; nothing while there is nothing.

        Raises:
            AnswersUnavailableError: Nothing is lost; try again.
        """
        self.changed.clear()
        found, self.position = await self.board.after(self.position)
        if len(found) == MOST_AT_ONCE:
            self.changed.set()
        return found

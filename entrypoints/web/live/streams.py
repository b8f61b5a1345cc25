"""All open streams of this process: who is told when, who may still read, who is online."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final
from uuid import UUID

from application.ports.access_tokens import AccessToken, AccessTokens
from application.ports.clock import Clock
from application.ports.presence import Person, Presence
from application.ports.rings import RingListener
from domain.errors import ApplicationError, PortError
from entrypoints.web.live.reader import Board, Reader
from read_models.audience import Audience
from read_models.errors import AnswersUnavailableError
from read_models.notifications.queries import NotificationQueries

logger = logging.getLogger(__name__)

CHECK_TOKENS_S: Final = 2.0
TRUSTED_FOR_S: Final = 4.0
"""How long after a check streams may tell: less than the 5 s within which a revoked token has to be shut out."""
BEAT_S: Final = 5.0
LOOK_S: Final = 10.0
"""How often the database is asked although every ring is heard: one may be lost where it was to be rung."""
LOOK_WHEN_DEAF_S: Final = 1.0
PAUSE_S: Final = 1.0
MOST_OF_A_PERSON: Final = 100
MOST_READS_AT_ONCE: Final = 3
"""Connections that all streams together take from the pool of pages and API: they wait in line, not for the pool."""


class TooManyStreamsError(ApplicationError):
    """A person who holds so many streams that something must be wrong at their end."""

    code = "too_many_streams"


class OpenStreams:
    """All open streams of this process.

    A ring says that there is something for somebody; what it is comes from the database, in the order of its numbers,
    so rings may be lost, doubled or out of order.

    Args:
        queries: Where announcements are read.
        tokens: Tell which streams may stay open.
        presence: Is told who is here.
        listener: Hears rings.
        clock: Gives aware UTC.
        monotonic: Gives seconds that never go back.
    """

    def __init__(
        self,
        *,
        queries: NotificationQueries,
        tokens: AccessTokens,
        presence: Presence,
        listener: RingListener,
        clock: Clock,
        monotonic: Callable[[], float],
    ) -> None:
        self._queries = queries
        self._tokens = tokens
        self._presence = presence
        self._listener = listener
        self._clock = clock
        self._monotonic = monotonic
        self._boards: dict[Person, dict[Audience, Board]] = {}
        self._rung: set[Board] = set()
        self._refreshing: dict[Board, asyncio.Task[None]] = {}
        self._reads = asyncio.Semaphore(MOST_READS_AT_ONCE)
        self._is_deaf = True
        self._look_now = asyncio.Event()
        self._beat_now = asyncio.Event()
        self._checked_at = monotonic()
        self._checking = asyncio.Lock()
        self.is_closed = False

    @property
    def count(self) -> int:
        """How many streams are open."""
        return sum(len(board.readers) for board in self._all_boards())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve streams inside; all have been told to end when it closes."""
        steps = (lambda: self._listener.listen(self), self._look_around, self._check, self._beat)
        tasks = [asyncio.create_task(_again_and_again(step)) for step in steps]
        try:
            yield
        finally:
            self.close()
            for task in (*tasks, *self._refreshing.values()):
                task.cancel()
            await asyncio.gather(*tasks, *self._refreshing.values(), return_exceptions=True)

    def close(self) -> None:
        """Tell all streams to end, and new ones not to begin."""
        self.is_closed = True
        for reader in self._readers():
            reader.end()

    @asynccontextmanager
    async def reader(self, access: AccessToken, audience: Audience, told_until: int | None) -> AsyncIterator[Reader]:
        """Open a stream for as long as the context lasts.

        Args:
            access: What it is opened with; a person's.
            audience: What they may see.
            told_until: What the reader knows already; ``None``: everything until now.

        Raises:
            TooManyStreamsError: The person has too many.
            AnswersUnavailableError: Try again.
        """
        person = Person(organization_id=access.organization_id, user_id=access.user_id or "")
        async with self._reads:
            last = await self._queries.last_number(audience, person.user_id)
        if sum(len(one.readers) for one in self._boards.get(person, {}).values()) >= MOST_OF_A_PERSON:
            raise TooManyStreamsError(f"{MOST_OF_A_PERSON} streams of this person are open: close some")
        boards = self._boards.setdefault(person, {})
        board = boards.get(audience)
        if board is None:
            board = boards[audience] = Board(person, audience, self._queries, last, self._reads)
            self._beat_now.set()
        # A number beyond the person's last is none of theirs; taken at its word, it would hide what comes.
        reader = Reader(board, access.id, last if told_until is None else min(told_until, last))
        board.readers.add(reader)
        if len(board.readers) == 1:
            self._refresh(board)  # what was announced since `last` was read rang for nobody
        if self.is_closed:
            reader.end()
        try:
            yield reader
        finally:
            board.readers.discard(reader)
            if not board.readers:
                self._forget(board)

    async def make_sure(self) -> None:
        """Return when the tokens of all streams were checked lately.

        Raises:
            PortError: It cannot be told now.
        """
        async with self._checking:
            if self._monotonic() - self._checked_at > TRUSTED_FOR_S:
                await self._check_tokens()

    # --- what the listener hears ---

    def ring(self, person: Person) -> None:
        """See `application.ports.rings.Heard`."""
        for board in self._boards.get(person, {}).values():
            self._refresh(board)

    def listening(self) -> None:
        """See `application.ports.rings.Heard`."""
        self._is_deaf = False
        self._look_now.set()

    def deaf(self) -> None:
        """See `application.ports.rings.Heard`."""
        self._is_deaf = True
        self._look_now.set()

    # --- what is done all the time ---

    async def _look_around(self) -> None:
        await _set_or_after(self._look_now, LOOK_WHEN_DEAF_S if self._is_deaf else LOOK_S)
        by_organization: defaultdict[UUID, set[str]] = defaultdict(set)
        for person in self._boards:
            by_organization[person.organization_id].add(person.user_id)
        for organization_id, user_ids in by_organization.items():
            for user_id, number in (await self._queries.last_numbers(organization_id, user_ids)).items():
                self._note_last(Person(organization_id=organization_id, user_id=user_id), number)

    def _note_last(self, person: Person, number: int) -> None:
        for board in self._boards.get(person, {}).values():
            if number > max(board.position, board.looked_until):
                board.looked_until = number  # what is left out for this audience is looked for once
                self._refresh(board)

    async def _check(self) -> None:
        await asyncio.sleep(CHECK_TOKENS_S)
        async with self._checking:
            await self._check_tokens()

    async def _check_tokens(self) -> None:
        asked_at = self._monotonic()  # before the answer: a revocation meanwhile must not be overlooked
        readers = list(self._readers())
        if readers:
            still_open = await self._tokens.still_open({reader.token_id for reader in readers}, self._clock())
            for reader in readers:
                if reader.token_id not in still_open:
                    reader.end()
        self._checked_at = asked_at

    async def _beat(self) -> None:
        await self._presence.note(list(self._boards))
        await _set_or_after(self._beat_now, BEAT_S)

    # --- refreshing boards ---

    def _refresh(self, board: Board) -> None:
        self._rung.add(board)
        if board not in self._refreshing:
            self._refreshing[board] = asyncio.create_task(self._refreshed(board))

    async def _refreshed(self, board: Board) -> None:
        try:
            while board in self._rung and board.readers:
                self._rung.discard(board)
                await board.refresh()
        except AnswersUnavailableError:
            board.looked_until = 0  # so that the next look asks again
        finally:
            self._rung.discard(board)
            del self._refreshing[board]

    def _forget(self, board: Board) -> None:
        boards = self._boards[board.person]
        del boards[board.audience]
        if not boards:
            del self._boards[board.person]

    def _all_boards(self) -> list[Board]:
        return [board for boards in self._boards.values() for board in boards.values()]

    def _readers(self) -> list[Reader]:
        return [reader for board in self._all_boards() for reader in board.readers]


async def _again_and_again(step: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await step()
        except PortError:
            await asyncio.sleep(PAUSE_S)  # streams tell nothing meanwhile, see `make_sure`
        except Exception:
            logger.exception("Streams are not kept up", extra={"event": "streams_not_kept_up"})
            await asyncio.sleep(PAUSE_S)


async def _set_or_after(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    event.clear()

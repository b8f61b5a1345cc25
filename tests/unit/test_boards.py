"""What one person was told lately, and what happens between a question to the database and its answer."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

from application.ports.presence import Person
from domain.notification_kinds import NotificationKind
from entrypoints.web.live.reader import Board, Reader
from read_models.audience import Audience
from read_models.notifications.notification import Announcement, Notification

ACME = UUID(int=0xA)
ANN = Person(organization_id=ACME, user_id="ann")
EVERYTHING = Audience(organization_id=ACME)
PATIENCE_S = 30


class Table:
    """Announcements, and a reader of them whose answers may be held back on their way."""

    def __init__(self, *numbers):
        self.numbers = list(numbers)
        self.on_its_way = asyncio.Event()
        self.may_arrive = asyncio.Event()
        self.may_arrive.set()

    async def announced_after(self, audience, user_id, number, *, most):
        answer = [announcement(one) for one in self.numbers if one > number][:most]
        held = not self.may_arrive.is_set() and not self.on_its_way.is_set()
        self.on_its_way.set()
        if held:
            await self.may_arrive.wait()
        return answer


def announcement(number):
    notification = Notification(
        id=uuid4(),
        kind=NotificationKind.OPEN,
        email_id=None,
        candidate_id=None,
        candidate_name="",
        subject="",
        occurred_at=datetime(2026, 11, 21, tzinfo=UTC),
        title="",
        text="",
        url="/",
    )
    return Announcement(number=number, organization_id=ACME, user_id="ann", notification=notification)


def numbers(announcements):
    return [one.number for one in announcements]


def in_time(work):
    async def worked():
        async with asyncio.timeout(PATIENCE_S):
            return await work()

    return asyncio.run(worked())


def test_what_is_told_while_a_stream_catches_up_is_not_passed_over():
    async def catch_up():
        table = Table(5)
        board = Board(ANN, EVERYTHING, table, 5, asyncio.Semaphore(3))
        reader = Reader(board, uuid4(), 0)
        table.may_arrive.clear()
        catching_up = asyncio.create_task(reader.next())
        await table.on_its_way.wait()  # the answer holds 5, and nothing that comes from here on
        table.numbers.append(9)
        await board.refresh()  # a ring, heard meanwhile: the board knows 9, the reader does not
        assert board.position == 9
        table.may_arrive.set()
        return numbers(await catching_up), numbers(await reader.next())

    assert in_time(catch_up) == ([5], [9])


def test_a_stream_that_caught_up_asks_the_database_no_more():
    async def catch_up():
        table = Table(5)
        board = Board(ANN, EVERYTHING, table, 7, asyncio.Semaphore(3))  # 6 and 7 are not for this audience
        reader = Reader(board, uuid4(), 0)
        first = numbers(await reader.next())
        table.announced_after = None
        return first, reader.position, numbers(await reader.next())

    assert in_time(catch_up) == ([5], 7, [])

"""What is sent to a webhook at a time, and what is made of what its receiver answers."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from application.deliver_notifications import DeliverNotifications
from application.ports.outgoing import Attempt, Batch, Message
from domain.policies.delivering import Health, Outcome

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
WELL = Health()
FAILING = Health(failures=3, failing_since=NOON - timedelta(hours=1))
BRIEFLY, LONG = timedelta(seconds=30), timedelta(minutes=5)


class OneBatch:
    """An outbox that gives one batch for one webhook; whoever delivers it is told to end."""

    def __init__(self, health, count):
        messages = [Message(delivery_id=n, id=f"msg_{n}", attempts=0, body=b"{}") for n in range(count)]
        self._batch = Batch(url="https://ats.example.com/", secrets=("whsec_x",), health=health, messages=messages)
        self._unclaimed = [uuid4()]
        self.recorded = []
        self.health = None

    def claim(self, *_, **__):
        return [self._unclaimed.pop()] if self._unclaimed else []

    def take(self, *_, **__):
        return self._batch

    def record(self, _webhook_id, _lease, results, health, _now):
        self.recorded += [result.delivery_id for result in results]
        self.health = health
        self.end()
        return True

    def release(self, *_):
        """Nobody else wants it."""


class Receiver:
    """A courier whose every message is answered as the test wants."""

    def __init__(self, answers):
        self._answers = answers

    async def send(self, _url, _secrets, message, _now):
        outcome, wish = self._answers[message.delivery_id]
        return Attempt(outcome=outcome, status=None, duration_ms=1, wish=wish)


def delivered(health, *answers):
    """Deliver one batch; gives the outbox."""
    outbox = OneBatch(health, len(answers))
    deliver = DeliverNotifications(outbox, Receiver(answers), lambda: NOON, lambda: 0.0)
    outbox.end = deliver.end
    asyncio.run(asyncio.wait_for(deliver.run(), 20))
    return outbox


@pytest.mark.parametrize("health, sent", [(WELL, [0, 1]), (FAILING, [0])])
def test_a_webhook_that_fails_is_tried_with_one_message_of_those_that_wait(health, sent):
    refused = (Outcome.REFUSED, timedelta(0))

    assert delivered(health, refused, refused).recorded == sent


@pytest.mark.parametrize("wishes", [(BRIEFLY, LONG), (LONG, BRIEFLY)])
@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.DELIVERED])
def test_of_several_wishes_to_be_left_in_peace_the_longest_counts(wishes, outcome):
    outbox = delivered(WELL, *((outcome, wish) for wish in wishes))

    assert outbox.health.paused_until == NOON + LONG

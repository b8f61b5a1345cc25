"""Send what people are told to the webhooks of their organisation: at least once, nobody waiting for anybody else."""

import asyncio
import logging
from asyncio import to_thread
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from application.ports.clock import Clock
from application.ports.outgoing import Attempt, Batch, Courier, Message, Outbox, Result
from domain.errors import MailpulseError
from domain.policies.delivering import Outcome, health_after, next_attempt_at

logger = logging.getLogger(__name__)

MOST_LANES: Final = 64
"""Webhooks that one process sends to at a time. One that hangs takes a lane for ten seconds, then makes a pause."""
SIDE_BY_SIDE: Final = 8
"""Messages under way to one webhook that is well; one that fails is tried with one."""
TURNS: Final = 20
"""Batches after which a webhook that always has more lets another go first."""
LEASE: Final = timedelta(seconds=30)
"""Longer than the longest attempt; so late is what a process had in hand that was killed."""
LOOK_S: Final = 1.0
PACE_S: Final = 0.05
PAUSE_S: Final = 2.0
GRACE_S: Final = 4.0
"""For what is under way in the end; what is cut off is sent once more, under the same id."""
KEPT_FOR: Final = timedelta(days=90)
FORGOTTEN_AT_ONCE: Final = 1_000


class DeliverNotifications:
    """Keeps a lane for each webhook that has something due, and in it sends, records, and looks again.

    A message is sent, then recorded: whoever dies between the two leaves it to be sent once more, under the same id.

    Args:
        outbox: What is due.
        courier: Sends.
        clock: Gives aware UTC.
        chance: Gives numbers from 0 to 1.

    Source:
        AF-3 for host applications; ADR 0019.
    """

    def __init__(self, outbox: Outbox, courier: Courier, clock: Clock, chance: Callable[[], float]) -> None:
        self._outbox = outbox
        self._courier = courier
        self._clock = clock
        self._chance = chance
        self._lanes: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._is_ending = False
        self._is_away = False

    def wake(self) -> None:
        """Look at once: something was announced."""
        self._wake.set()

    async def run(self) -> None:
        """Send until `end`; then give the batches that are under way a few seconds."""
        while not self._is_ending:
            self._wake.clear()
            try:
                await self._begin_lanes()
                self._is_away = False
            except MailpulseError as error:
                self._note_away(error)
            except Exception:  # one bad look must not be the last
                logger.exception("Deliveries are not looked for", extra={"event": "deliveries_not_looked_for"})
            await asyncio.sleep(PACE_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()
        await self._finish()

    def end(self) -> None:
        """Begin nothing more."""
        self._is_ending = True
        self._wake.set()

    def forget(self) -> None:
        """Delete what is older than notifications are kept; called in a thread of its own.

        Raises:
            StoreUnavailableError: Nothing is lost; call again.
        """
        while self._outbox.forget_before(self._clock() - KEPT_FOR, most=FORGOTTEN_AT_ONCE) == FORGOTTEN_AT_ONCE:
            pass

    async def _begin_lanes(self) -> None:
        free = MOST_LANES - len(self._lanes)
        if free <= 0:
            return
        lease, now = uuid4(), self._clock()
        for webhook_id in await to_thread(self._outbox.claim, lease, now, until=now + LEASE, most=free):
            lane = asyncio.create_task(self._lane(webhook_id, lease))
            self._lanes.add(lane)
            lane.add_done_callback(self._leave)

    async def _finish(self) -> None:
        if self._lanes:
            await asyncio.wait(self._lanes, timeout=GRACE_S)
        cut_off = list(self._lanes)
        for lane in cut_off:
            lane.cancel()
        await asyncio.gather(*cut_off, return_exceptions=True)

    def _leave(self, lane: asyncio.Task[None]) -> None:
        self._lanes.discard(lane)
        self._wake.set()  # what was announced while the lane was about to end

    async def _lane(self, webhook_id: UUID, lease: UUID) -> None:
        try:
            for _ in range(TURNS):
                now = self._clock()
                batch = await to_thread(self._outbox.take, webhook_id, lease, now, until=now + LEASE, most=SIDE_BY_SIDE)
                if batch is None or not batch.messages or not await self._send_all(webhook_id, lease, batch):
                    break
                if self._is_ending:
                    break
            await to_thread(self._outbox.release, webhook_id, lease, self._clock())
        except MailpulseError as error:  # the lease ends by itself, and what was sent is sent once more
            self._note_away(error)
            await asyncio.sleep(PAUSE_S)
        except Exception:
            logger.exception("A webhook is not served", extra={"event": "webhook_not_served", "webhook": webhook_id})
            await asyncio.sleep(PAUSE_S)

    async def _send_all(self, webhook_id: UUID, lease: UUID, batch: Batch) -> bool:
        """Send a batch and record it; gives whether the receiver may be sent more at once."""
        messages = batch.messages[:1] if batch.health.failures else batch.messages
        results = await asyncio.gather(*(self._send(batch, message) for message in messages))
        now = self._clock()
        attempts = [result.attempt for result in results]
        health = health_after(
            batch.health,
            [attempt.outcome for attempt in attempts],
            now,
            chance=self._chance(),
            wish=max(attempt.wish for attempt in attempts),
        )
        if not await to_thread(self._outbox.record, webhook_id, lease, results, health, now):
            return False
        if health.switched_off:
            logger.warning(
                "A webhook is switched off",
                extra={"event": "webhook_off", "webhook": webhook_id, "reason": health.switched_off.value},
            )
        return health.switched_off is None and health.paused_until is None

    async def _send(self, batch: Batch, message: Message) -> Result:
        at = self._clock()
        attempt = await self._attempt(batch, message)
        again_at = None
        if attempt.outcome is not Outcome.DELIVERED:
            again_at = next_attempt_at(message.attempts + 1, self._clock(), chance=self._chance())
        return Result(delivery_id=message.delivery_id, attempt=attempt, at=at, next_attempt_at=again_at)

    async def _attempt(self, batch: Batch, message: Message) -> Attempt:
        try:
            return await self._courier.send(batch.url, batch.secrets, message, self._clock())
        except Exception:  # a message that cannot even be sent counts as tried: it must not hold up the others
            logger.exception("A delivery failed", extra={"event": "delivery_failed", "delivery": message.delivery_id})
            return Attempt(outcome=Outcome.UNREACHABLE, status=None, duration_ms=0)

    def _note_away(self, error: MailpulseError) -> None:
        if not self._is_away:
            self._is_away = True
            logger.warning("Deliveries wait", extra={"event": "deliveries_wait", "reason": error.code})

"""Rings for the workers through dramatiq, beside the path of the request."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from redis.exceptions import RedisError

from adapters.redis.outage import RedisOutage

logger = logging.getLogger(__name__)

DRAIN_ACTOR: Final = "drain_inbox"
INBOX_QUEUE: Final = "inbox"
INTERVAL_S: Final = 0.03
"""Drains begin 40 ms apart (ADR 0008): closer rings cost Redis, bell and worker a message each, for nothing."""
_ENOUGH_WAITING: Final = 16
"""Rings in the queue beyond which one more wakes nobody: each drains all there is."""
_CLOSING_S: Final = 6.0


class DramatiqBell:
    """Enqueues the drain of the inbox; many rings within an interval become one.

    Args:
        broker: Whose workers drain.
        interval_s: Shortest time between two messages of this process.
        lost: Called for each ring that did not reach Redis.
    """

    def __init__(
        self, broker: RedisBroker, *, interval_s: float = INTERVAL_S, lost: Callable[[], None] = lambda: None
    ) -> None:
        self._broker = broker
        self._interval_s = interval_s
        self._lost = lost
        self._rung = threading.Event()
        self._closing = threading.Event()
        self._ringer: threading.Thread | None = None
        self._outage = RedisOutage(
            logger, "rings are lost, work waits for the sweeper", begins="bell_lost", ends="bell_back"
        )

    def ring(self) -> None:
        if self._ringer is None:  # not before: a thread does not survive the fork into a server's process
            self._ringer = threading.Thread(target=self._keep_ringing, name="bell", daemon=True)
            self._ringer.start()
        self._rung.set()

    def close(self) -> None:
        """Pass on the last ring, then stop."""
        self._closing.set()
        self._rung.set()
        if self._ringer is not None:
            self._ringer.join(_CLOSING_S)

    def _keep_ringing(self) -> None:
        while not self._closing.is_set():
            self._rung.wait()
            self._rung.clear()
            self._pass_on()
            self._closing.wait(self._interval_s)
        if self._rung.is_set():
            self._pass_on()

    def _pass_on(self) -> None:
        try:
            # While no worker runs, rings must not fill Redis: the list of dramatiq's queue holds what nobody took yet.
            if self._broker.client.llen(f"{self._broker.namespace}:{INBOX_QUEUE}") < _ENOUGH_WAITING:
                self._broker.enqueue(Message(INBOX_QUEUE, DRAIN_ACTOR, (), {}, {}))
        except RedisError as error:
            self._lost()
            self._outage.note_away(error)
        else:
            self._outage.note_back()

"""The jobs that workers take from Redis."""

from collections.abc import Callable

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from adapters.dramatiq.bell import DRAIN_ACTOR, INBOX_QUEUE


def declare_drain(broker: RedisBroker, drain: Callable[[], None]) -> None:
    """Have workers of this broker drain the inbox when the bell rings.

    A drain that fails is not retried by message: the sweeper looks after whatever is due.
    """
    dramatiq.actor(actor_name=DRAIN_ACTOR, queue_name=INBOX_QUEUE, broker=broker, max_retries=0)(drain)

"""Dramatiq's broker on Redis, for whoever enqueues or works."""

from typing import Final

import redis
from dramatiq.middleware import Retries
from redis.backoff import NoBackoff
from redis.retry import Retry

from adapters.dramatiq.woken_broker import WokenBroker

NAMESPACE: Final = "mailpulse"
_TIMEOUT_S: Final = 5.0


def redis_broker(redis_url: str, *, timeout_s: float = _TIMEOUT_S) -> WokenBroker:
    """Give a broker that connects when first used.

    Jobs here say what to look at and carry no results, so of the default middleware only the retries are kept; time
    limits in particular would interrupt a transaction.

    Args:
        redis_url: ``redis://``, ``rediss://`` or ``unix://``.
        timeout_s: Longest wait for a connection or an answer; work that is enqueued meanwhile is lost.
    """
    client = redis.Redis.from_url(
        redis_url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 1),  # a connection that Redis closed while it was idle
    )
    return WokenBroker(client=client, namespace=NAMESPACE, middleware=[Retries()])  # type: ignore[no-untyped-call]  # dramatiq's

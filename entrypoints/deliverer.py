"""The part of a worker process that sends to outgoing webhooks: a thread with an event loop of its own."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Iterable

from application.deliver_notifications import DeliverNotifications
from application.ports.presence import Person
from application.ports.rings import RingListener
from domain.ip import IpNetwork
from domain.policies.outgoing_addresses import risks_of

logger = logging.getLogger(__name__)


def warn_of_opened(networks: Iterable[IpNetwork]) -> None:
    """Log what an operator opened and perhaps did not mean to."""
    for network in networks:
        for risk in risks_of(network):
            logger.warning(
                "Outgoing webhooks may call more than is wise",
                extra={"event": "outgoing_network_risky", "network": str(network), "opens": risk},
            )


class Ears:
    """Hears the rings of the streams: whatever is announced to a person is announced to webhooks as well.

    Args:
        deliver: Is woken.
    """

    def __init__(self, deliver: DeliverNotifications) -> None:
        self._deliver = deliver

    def ring(self, person: Person) -> None:  # noqa: ARG002  the outbox knows for whom
        """See `application.ports.rings.Heard`."""
        self._deliver.wake()

    def listening(self) -> None:
        """See `application.ports.rings.Heard`."""
        self._deliver.wake()

    def deaf(self) -> None:
        """See `application.ports.rings.Heard`; the outbox is looked at every second anyway."""


class Deliverer:
    """Sends from `start` until it is asked to stop.

    Args:
        deliver: Sends.
        listener: Hears that there is something to send.
        close: Closes what both opened, in their event loop.
    """

    def __init__(
        self, deliver: DeliverNotifications, listener: RingListener, close: Callable[[], Awaitable[None]]
    ) -> None:
        self._deliver = deliver
        self._listener = listener
        self._close = close
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="deliverer")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Begin nothing more."""
        self._loop.call_soon_threadsafe(self._deliver.end)

    def wait(self) -> None:
        """Return when what was under way is recorded, or was cut off."""
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._work())

    async def _work(self) -> None:
        listening = asyncio.create_task(self._listener.listen(Ears(self._deliver)))
        try:
            await self._deliver.run()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await self._close()

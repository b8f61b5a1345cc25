"""The worker process: drains the inbox when the bell rings, sweeps in case it did not, sends to outgoing webhooks."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from typing import Final

import dramatiq
import msgspec

from application.ports.expired_records import RetentionBusyError
from application.purge_expired import PurgeExpired
from domain.errors import MailpulseError, PortError
from entrypoints.bootstrap import Backend
from entrypoints.deliverer import Deliverer, warn_of_opened
from entrypoints.interpreter import tune_interpreter
from entrypoints.pace import Pace

logger = logging.getLogger(__name__)

SWEEP_INTERVAL_S: Final = 1.0
REMATCH_INTERVAL_S: Final = 5.0
CONFIRMATION_INTERVAL_S: Final = 2.0
SIGHTINGS_INTERVAL_S: Final = 60.0
RETENTION_INTERVAL_S: Final = 3_600.0
ENDED_TOKENS_INTERVAL_S: Final = 3_600.0
OUTGOING_LOG_INTERVAL_S: Final = 600.0
STOP_TIMEOUT_MS: Final = 6_000
CONFIRMATION_STOP_S: Final = 1.0
"""For a confirmation that is under way in the end; what is cut off is confirmed once more."""


class Drainer:
    """Drains for all threads of this process, one at a time: they would only wait for each other.

    Args:
        drain_all: Drains what is due; asks between batches whether to go on.
    """

    def __init__(self, drain_all: Callable[[Callable[[], bool]], int]) -> None:
        self._drain_all = drain_all
        self._draining = threading.Lock()
        self._rung = threading.Event()
        self._stopping = threading.Event()
        self._pace = Pace()

    def drain(self) -> None:
        """Drain, or have the thread that drains look once more."""
        self._rung.set()
        while self._rung.is_set() and not self._stopping.is_set():
            if not self._draining.acquire(blocking=False):
                return
            try:
                self._stopping.wait(self._pace.wait_s())
                self._rung.clear()
                with self._pace.round():
                    self._drain_all(lambda: not self._stopping.is_set())
            except PortError as error:
                # Whatever is not drained is still in the inbox, and the sweeper looks at it within a second.
                logger.warning("The inbox cannot be drained now", extra={"event": "drain_waits", "reason": error.code})
                return
            finally:
                self._draining.release()

    def stop(self) -> None:
        """Finish the batch that is being drained, and begin no other."""
        self._stopping.set()


class Chore(msgspec.Struct, frozen=True):
    """Something to be done again and again, whether or not Redis is there.

    Attributes:
        interval_s: From the end of one time to the begin of the next.
    """

    name: str
    interval_s: float
    do: Callable[[], object]


class Sweeper:
    """Does the chores of one process in a thread; a chore that fails is done again at its next time.

    Args:
        chores: What is done, each waiting for the others.
        patience_s: How long `stop` waits for the chore at hand, which is then cut off with the process; ``None``: until
            it is done.
    """

    def __init__(self, chores: list[Chore], patience_s: float | None = None) -> None:
        self._chores = chores
        self._patience_s = patience_s
        self._stopping = threading.Event()
        self._failing: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the chore at hand, if patience lasts, and end."""
        self._stopping.set()
        self._thread.join(self._patience_s)

    def _run(self) -> None:
        due = {chore.name: 0.0 for chore in self._chores}
        while not self._stopping.wait(max(0.05, min(due.values()) - time.monotonic())):
            for chore in self._chores:
                if due[chore.name] <= time.monotonic() and not self._stopping.is_set():
                    self._do(chore)
                    due[chore.name] = time.monotonic() + chore.interval_s

    def _do(self, chore: Chore) -> None:
        try:
            chore.do()
        except MailpulseError as error:
            if chore.name not in self._failing:  # once an outage, not once a second
                logger.warning(
                    "A chore cannot be done",
                    extra={"event": "chore_failed", "chore": chore.name, "reason": error.code},
                )
                logger.debug("Why", extra={"event": "chore_failed", "chore": chore.name, "error": str(error)})
            self._failing.add(chore.name)
        except Exception:  # a broken chore must not end the thread that does the others
            logger.exception("A chore failed", extra={"event": "chore_failed", "chore": chore.name})
        else:
            self._failing.discard(chore.name)


def purge(purge_expired: PurgeExpired, stop: threading.Event) -> None:
    """Let go of what is kept beyond its time, unless another worker does or this process is to stop."""
    try:
        purge_expired(keep_on=lambda: not stop.is_set())
    except RetentionBusyError:
        logger.debug("Another worker purges", extra={"event": "retention_busy"})


def sweepers_of(backend: Backend, drainer: Drainer, stop: threading.Event) -> list[Sweeper]:
    """Give who does the chores of a worker, apart where they must not wait for each other.

    Args:
        backend: Of this process.
        drainer: Drains what is due.
        stop: Set when the process is to stop.
    """
    confirm, forget_tokens = backend.confirm_subscriptions, backend.forget_tokens

    def sweep() -> None:
        if backend.operations.has_due_delivery():
            drainer.drain()

    sweeper = Sweeper(
        [
            Chore("drain", SWEEP_INTERVAL_S, sweep),
            Chore("rematch", REMATCH_INTERVAL_S, backend.rematch.sweep),
            Chore("sightings", SIGHTINGS_INTERVAL_S, backend.forget_sightings),
            Chore("outgoing log", OUTGOING_LOG_INTERVAL_S, backend.deliver_notifications.forget),
        ]
    )
    purger = Sweeper(
        [
            Chore("ended tokens", ENDED_TOKENS_INTERVAL_S, lambda: forget_tokens(keep_on=lambda: not stop.is_set())),
            Chore("retention", RETENTION_INTERVAL_S, lambda: purge(backend.purge_expired, stop)),
        ]
    )
    # A provider that is silent is waited for, confirmation by confirmation.
    confirmer = Sweeper(
        [Chore("confirm", CONFIRMATION_INTERVAL_S, lambda: confirm(keep_on=lambda: not stop.is_set()))],
        patience_s=CONFIRMATION_STOP_S,
    )
    return [sweeper, purger, confirmer]


def run(backend: Backend) -> None:
    """Work until SIGTERM or SIGINT; then finish what is in hand.

    Args:
        backend: Of this process.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    tune_interpreter()
    warn_of_opened(backend.settings.outgoing_networks)
    drainer = Drainer(backend.drain.drain_all)
    sweepers = sweepers_of(backend, drainer, stop)
    # Apart from all of them: receivers are strangers, and may take their time.
    deliverer = Deliverer(backend.deliver_notifications, backend.ring_listener, backend.close_outgoing)
    backend.declare_drain(drainer.drain)
    worker = dramatiq.Worker(backend.broker, worker_threads=backend.settings.worker_threads)
    worker.start()
    for sweeper in sweepers:
        sweeper.start()
    deliverer.start()
    logger.info("The worker works", extra={"event": "worker_started"})
    stop.wait()
    deliverer.ask_to_stop()
    drainer.stop()
    for sweeper in sweepers:
        sweeper.stop()
    deliverer.wait()
    worker.stop(timeout=STOP_TIMEOUT_MS)
    backend.close()
    logger.info("The worker has stopped", extra={"event": "worker_stopped"})

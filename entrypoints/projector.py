"""The projector process: keeps the read models up with the events. A second one stands by."""

import logging
import signal
import threading
import time
from typing import Final

from domain.errors import PortError
from entrypoints.bootstrap import Backend
from entrypoints.collector import tune_collector
from read_models.runner import StandingByError, catch_up

logger = logging.getLogger(__name__)

WAIT_S: Final = 1.0
DECAY_INTERVAL_S: Final = 30.0


def run(backend: Backend) -> None:
    """Project until SIGTERM or SIGINT; then finish the batch in hand.

    Args:
        backend: Of this process.

    Source:
        SCORE: a list sorted by score is never older than an hour; here, half a minute.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    tune_collector()
    wake_up = backend.wake_up()
    models = backend.read_models()
    ranking = backend.scores_model()
    decayed_at = 0.0
    trouble = ""
    logger.info("The projector works", extra={"event": "projector_started", "read_models": [m.name for m in models]})
    while not stop.is_set():
        try:
            catch_up(models, lambda: not stop.is_set())
            if time.monotonic() - decayed_at > DECAY_INTERVAL_S:
                ranking.decay()
                decayed_at = time.monotonic()
            trouble = ""
        except PortError as error:
            if trouble != error.code:  # once an outage
                trouble = error.code
                level = logging.INFO if isinstance(error, StandingByError) else logging.WARNING
                logger.log(level, "The projector waits", extra={"event": "projector_waits", "reason": error.code})
            stop.wait(WAIT_S)
            continue
        wake_up.wait(WAIT_S)
    wake_up.close()
    backend.close()
    logger.info("The projector has stopped", extra={"event": "projector_stopped"})

"""The projector process: keeps the read models up with the events. A second one stands by."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from typing import Final

from domain.errors import PortError
from entrypoints.bootstrap import Backend
from entrypoints.interpreter import tune_interpreter
from entrypoints.pace import Pace
from read_models.runner import ReadModel, StandingByError, catch_up
from read_models.scores.projection import NAME as SCORES

logger = logging.getLogger(__name__)

WAIT_S: Final = 1.0
DECAY_INTERVAL_S: Final = 30.0


def pace_of(read_model: str) -> Pace:
    """Give a read model's pace.

    A candidate's own page counts live; the ranking may be a second old, and a few when there is so much to do that it
    would take more than a tenth of the time.
    """
    return Pace(1.0, 5.0, per_work=10.0) if read_model == SCORES else Pace()


class Paced:
    """A read model that is brought up to date at a pace.

    Args:
        model: To be brought up to date.
        pace: Of its rounds.

    Attributes:
        behind: Whether there may be events that the model has not taken in.
    """

    def __init__(self, model: ReadModel, pace: Pace) -> None:
        self.model = model
        self.behind = True
        self._pace = pace

    def wait_s(self) -> float:
        """Seconds until its time comes; 0.0 if it has."""
        return self._pace.wait_s()

    def catch_up(self, keep_on: Callable[[], bool]) -> None:
        """Bring it up to date if its time has come and there may be something to take in."""
        if self.behind and self.wait_s() == 0.0:
            self.behind = False
            with self._pace.round():
                catch_up([self.model], keep_on)


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
    tune_interpreter()
    wake_up = backend.wake_up()
    models = [Paced(model, pace_of(model.name)) for model in backend.read_models()]
    ranking = backend.scores_model()
    decayed_at = 0.0
    trouble = ""
    names = [paced.model.name for paced in models]
    logger.info("The projector works", extra={"event": "projector_started", "read_models": names})
    while not stop.is_set():
        try:
            for paced in models:
                paced.catch_up(lambda: not stop.is_set())
            if time.monotonic() - decayed_at > DECAY_INTERVAL_S:
                ranking.decay()
                decayed_at = time.monotonic()
            trouble = ""
        except PortError as error:
            if trouble != error.code:  # once an outage
                trouble = error.code
                level = logging.INFO if isinstance(error, StandingByError) else logging.WARNING
                logger.log(level, "The projector waits", extra={"event": "projector_waits", "reason": error.code})
            for paced in models:
                paced.behind = True
            stop.wait(WAIT_S)
            continue
        wait_s = min((paced.wait_s() for paced in models if paced.behind), default=WAIT_S)
        if wake_up.wait(wait_s) or wait_s == WAIT_S:
            for paced in models:
                paced.behind = True
    wake_up.close()
    backend.close()
    logger.info("The projector has stopped", extra={"event": "projector_stopped"})

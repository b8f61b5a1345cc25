"""The projector process: keeps the read models up with the events. A second one stands by."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from domain.errors import PortError
from entrypoints.bootstrap import Backend
from entrypoints.interpreter import tune_interpreter
from entrypoints.pace import Pace
from read_models.runner import ReadModel, StandingByError
from read_models.scores.projection import NAME as SCORES

logger = logging.getLogger(__name__)

WAIT_S: Final = 1.0
DECAY_INTERVAL_S: Final = 30.0


def pace_of(read_model: str) -> Pace:
    """Give a read model's pace.

    A candidate's own page counts live; the ranking may be a second old, and a few while there is a backlog, if it would
    take more than a tenth of the time.
    """
    return Pace(1.0, 5.0, per_work=10.0) if read_model == SCORES else Pace()


class Paced:
    """A read model that is brought up to date in rounds, which keep a pace.

    A round goes on while batches are full, one at a turn.

    Args:
        model: To be brought up to date.
        pace: Of its rounds.

    Attributes:
        behind: Whether there may be events that the model has not taken in.
        has_backlog: Whether its last batch was full.
        is_held: Whether another process held it at its last turn: a projector, or a rebuild that takes its place.
    """

    def __init__(self, model: ReadModel, pace: Pace) -> None:
        self.behind = True
        self.has_backlog = False
        self.is_held = False
        self._model = model
        self._pace = pace

    def wait_s(self, *, is_busy: bool) -> float:
        """Seconds until its next turn; 0.0 if it may take it now; see `Pace.wait_s`."""
        return 0.0 if self.has_backlog else self._pace.wait_s(is_busy=is_busy)

    def take_turn(self) -> int:
        """Take in a batch, of the round under way or of a new one; while another process holds the model, try seldom.

        Returns:
            Number of events taken in.

        Raises:
            PortError: It cannot be taken in now; the round is over.
        """
        if not self.has_backlog:
            self._pace.begin()
        taken, held = 0, False
        try:
            taken = self._model.advance()
        except StandingByError as error:
            held = True
            if not self.is_held:  # once a stay
                extra = {"event": "projector_waits", "reason": error.code, "read_model": self._model.name}
                logger.info("Another process holds a read model", extra=extra)
        finally:
            self.is_held = held
            self.behind = taken > 0 or held
            self.has_backlog = taken >= self._model.most_events
            if not self.has_backlog:
                self._pace.end()
        if held:
            self._pace.put_off(WAIT_S)
        return taken


class Turns:
    """Several read models that are brought up to date together: none waits for another's backlog, nor for who holds it.

    Args:
        models: Those that read what others keep come after them.
    """

    def __init__(self, models: Sequence[ReadModel]) -> None:
        self._paced = [Paced(model, pace_of(model.name)) for model in models]

    def rouse(self) -> None:
        """Say that there may be new events."""
        for paced in self._paced:
            paced.behind = True

    def take(self, keep_on: Callable[[], bool] = lambda: True) -> None:
        """Give a turn to each whose time has come and that may be behind, until `keep_on` says no.

        Raises:
            PortError: One of them cannot take anything in now.
        """
        for place, paced in enumerate(self._paced):
            if keep_on() and paced.behind and not self._wait_s(paced) and (paced.take_turn() or paced.is_held):
                for follower in self._paced[place + 1 :]:
                    follower.behind = True

    def wait_s(self) -> float | None:
        """Seconds until somebody's next turn; ``None`` if nobody is behind."""
        return min((self._wait_s(paced) for paced in self._paced if paced.behind), default=None)

    def _wait_s(self, paced: Paced) -> float:
        return paced.wait_s(is_busy=any(other.has_backlog for other in self._paced))


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
    models, ranking = backend.read_models(), backend.scores_model()
    turns = Turns(models)
    decayed_at = 0.0
    trouble = ""
    names = [model.name for model in models]
    logger.info("The projector works", extra={"event": "projector_started", "read_models": names})
    while not stop.is_set():
        try:
            turns.take(lambda: not stop.is_set())
            if time.monotonic() - decayed_at > DECAY_INTERVAL_S:
                with suppress(StandingByError):  # whoever holds the ranking looks after it
                    ranking.decay()
                decayed_at = time.monotonic()
            trouble = ""
        except PortError as error:
            if trouble != error.code:  # once an outage
                trouble = error.code
                logger.warning("The projector waits", extra={"event": "projector_waits", "reason": error.code})
            turns.rouse()
            stop.wait(WAIT_S)
            continue
        wait_s = turns.wait_s()
        if wake_up.wait(WAIT_S if wait_s is None else wait_s) or wait_s is None:
            turns.rouse()
    wake_up.close()
    backend.close()
    logger.info("The projector has stopped", extra={"event": "projector_stopped"})

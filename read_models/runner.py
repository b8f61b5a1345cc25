"""Keep read models up with the events: rows and position in one transaction, poison set aside, nothing skipped."""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Generic, Protocol, TypeVar

from domain.errors import PortError
from read_models.events import EventLog, LoggedFact, UnreadableEvent

logger = logging.getLogger(__name__)

V_co = TypeVar("V_co", covariant=True)


class StandingByError(PortError):
    """Another projector holds this read model; this one takes over when that one is gone."""

    code = "standing_by"


class Progress(Protocol[V_co]):
    """One transaction over a read model's rows and its position."""

    @property
    def view(self) -> V_co:
        """The rows."""
        ...

    @property
    def log(self) -> EventLog:
        """The events."""
        ...

    @property
    def position(self) -> int:
        """Place of the last event that the rows contain."""
        ...

    def move_to(self, position: int) -> None:
        """Say that the rows contain everything up to a place."""
        ...

    def set_aside(self, place: int, error: str) -> None:
        """Keep a poison event's place and error for the operator."""
        ...


class ReadModelStore(Protocol[V_co]):
    """Begins transactions over one read model."""

    def begin(self) -> AbstractContextManager[Progress[V_co]]:
        """Begin one and hold the read model until it ends.

        Raises:
            StandingByError: Another projector holds it.
        """
        ...


class ReadModel(Protocol):
    """Something that can be brought closer to the newest event."""

    @property
    def name(self) -> str:
        """Stable; the position is kept under it."""
        ...

    @property
    def most_events(self) -> int:
        """Of one batch; behind one that is full there is more."""
        ...

    def advance(self) -> int:
        """Take in the next batch.

        Returns:
            Number of events taken in; 0 if the read model is up to date.

        Raises:
            StandingByError: Another projector holds it.
        """
        ...


class FoldingReadModel(Generic[V_co]):
    """A read model that folds every fact, in order, exactly once.

    Args:
        name: Of the read model.
        store: Of its rows and position.
        project: Folds a batch into a view; says how many of its facts it took in, because it may take in fewer.
        on_commit: Called after each committed batch.
    """

    most_events = 5_000

    def __init__(
        self,
        name: str,
        store: ReadModelStore[V_co],
        project: Callable[[V_co, EventLog, Sequence[LoggedFact]], int],
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self._store = store
        self._project = project
        self._on_commit = on_commit

    def advance(self) -> int:
        """Take in the next batch; if it fails, event by event, setting aside what cannot be taken in."""
        try:
            return self._take_in(self.most_events)
        except PortError:
            raise
        except Exception:  # whatever one event does, the others are taken in
            logger.exception("A batch failed; its events are taken in one by one", extra={"event": "projection_failed"})
            return self._take_in_singly()

    def _take_in(self, most: int) -> int:
        taken = self._fold(most)
        if taken:
            self._on_commit()
        return taken

    def _fold(self, most: int) -> int:
        with self._store.begin() as progress:
            batch = progress.log.after(progress.position, most=most)
            if not batch:
                return 0
            facts = [logged for logged in batch if isinstance(logged, LoggedFact)]
            if facts:
                taken = self._project(progress.view, progress.log, facts)
                if taken < len(facts):
                    batch = [logged for logged in batch if logged.place < facts[taken].place]
            for logged in batch:
                if isinstance(logged, UnreadableEvent):
                    progress.set_aside(logged.place, logged.error)
                    logger.error(
                        "An event cannot be read and was set aside",
                        extra={"event": "poison_event", "read_model": self.name, "place": logged.place},
                    )
            progress.move_to(batch[-1].place)
            return len(batch)

    def _take_in_singly(self) -> int:
        taken = 0
        for _ in range(self.most_events):
            try:
                one = self._take_in(1)
            except PortError:
                raise
            except Exception as error:
                logger.exception("An event was set aside", extra={"event": "poison_event", "read_model": self.name})
                self._skip_next(error)
                return taken + 1
            if one == 0:
                break
            taken += one
        return taken

    def _skip_next(self, error: Exception) -> None:
        with self._store.begin() as progress:
            for logged in progress.log.after(progress.position, most=1):
                # The error's text may quote personal data; its type does not.
                progress.set_aside(logged.place, type(error).__name__)
                progress.move_to(logged.place)

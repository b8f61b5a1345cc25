"""A read model's transactions in memory, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Generic, TypeVar

from adapters.memory.store import MemoryEventLog, MemoryStore
from read_models.events import EventLog
from read_models.runner import StandingByError

V = TypeVar("V")


class MemoryReadModelStore(Generic[V]):
    """See `read_models.runner.ReadModelStore`.

    Args:
        store: Holds the events.
        view: Holds the rows in attributes; those named in `tables` are undone with a transaction.
    """

    def __init__(self, name: str, store: MemoryStore, view: V, *, tables: tuple[str, ...]) -> None:
        self.view = view
        self.position = 0
        self.poison: dict[int, str] = {}
        self._name = name
        self._tables = tables
        self._store = store
        self._is_held = False

    @contextmanager
    def begin(self) -> Iterator["MemoryProgress[V]"]:
        if self._is_held:
            raise StandingByError(f"another projector holds the read model {self._name}")
        before = deepcopy({table: getattr(self.view, table) for table in self._tables})
        progress = MemoryProgress(self.view, MemoryEventLog(self._store, self.poison), self.position, dict(self.poison))
        self._is_held = True
        try:
            yield progress
        except BaseException:
            for table, rows in before.items():
                setattr(self.view, table, rows)
            raise
        else:
            self.position, self.poison = progress.position, progress.poison
        finally:
            self._is_held = False


class MemoryProgress(Generic[V]):
    """See `read_models.runner.Progress`."""

    def __init__(self, view: V, log: EventLog, position: int, poison: dict[int, str]) -> None:
        self.view = view
        self.log = log
        self.position = position
        self.poison = poison

    def move_to(self, position: int) -> None:
        self.position = position

    def set_aside(self, place: int, error: str) -> None:
        self.poison.setdefault(place, error)

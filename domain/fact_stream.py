"""What aggregates have in common: a stream of facts, read back one by one and added to."""

from collections.abc import Sequence
from typing import Generic, TypeVar
from uuid import UUID

from domain.email_facts import AnyFact, Recorded

F = TypeVar("F", bound=AnyFact)


class FactStream(Generic[F]):
    """An aggregate's facts so far; satisfies `eventsourcing`'s protocol for collecting events."""

    __slots__ = ("_id", "_pending", "_version")

    def __init__(self, stream_id: UUID) -> None:
        """Begin with nothing known."""
        self._id = stream_id
        self._version = 0
        self._pending: list[Recorded] = []

    @property
    def id(self) -> UUID:
        """Name of the stream."""
        return self._id

    @property
    def version(self) -> int:
        """Number of facts in the stream, pending ones included."""
        return self._version

    def collect_events(self) -> Sequence[Recorded]:
        """Hand over what was decided since the last call, in stream order."""
        pending, self._pending = self._pending, []
        return pending

    def replay(self, fact: F) -> None:
        """Fold the next fact of the stream."""
        self._version += 1
        self._evolve(fact)

    def _record(self, fact: F) -> None:
        self.replay(fact)
        self._pending.append(Recorded(self._id, self._version, fact))

    def _evolve(self, fact: F) -> None:
        raise NotImplementedError

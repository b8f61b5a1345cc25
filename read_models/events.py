"""Recorded facts as the read side sees them: one global order without gaps."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from domain.email_facts import AnyFact


class LoggedFact(msgspec.Struct, frozen=True, gc=False):
    """A fact and its place.

    Attributes:
        place: Position in the global order; ascending, unique.
        stream_id: Whom the fact is about: an email, an organisation, or an addressee.
    """

    place: int
    stream_id: UUID
    fact: AnyFact


class UnreadableEvent(msgspec.Struct, frozen=True):
    """A stored event that this version cannot read; it is set aside and alarmed.

    Attributes:
        error: Why; no personal data.
    """

    place: int
    error: str


class EventLog(Protocol):
    """Reads the global order of events."""

    def after(self, position: int, *, most: int) -> Sequence[LoggedFact | UnreadableEvent]:
        """Give the next events after a position, in order; never skips one that commits late."""
        ...

    def streams(self, ids: Collection[UUID], *, until: int) -> Sequence[LoggedFact]:
        """Give everything that some streams hold up to a place, stream by stream, each in its order.

        Events that this version cannot read, or that were set aside, are left out.
        """
        ...

    def registrations(self, ids: Collection[UUID]) -> Mapping[UUID, LoggedFact]:
        """Give how some emails were registered; those whose streams are gone or cannot be read are left out."""
        ...

    def lengths(self, ids: Collection[UUID]) -> Mapping[UUID, int]:
        """Give the number of events in some streams; those without any are left out."""
        ...

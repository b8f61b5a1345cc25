"""Who is online: whoever holds a stream of notifications open."""

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

import msgspec


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A user of an organisation."""

    organization_id: UUID
    user_id: str


class Presence(Protocol):
    """Remembers for seconds who was seen, over all processes; forgets by itself who is seen no more."""

    async def note(self, people: Collection[Person]) -> None:
        """Remember that these people are here now; never fails, who is not noted counts as away."""
        ...

    async def is_online(self, person: Person) -> bool:
        """Tell whether a person was seen within seconds; while nobody can tell, they were not."""
        ...

"""What all workers together saw of addresses in the last minutes, within a transaction."""

from collections.abc import Sequence
from typing import Protocol

from domain.policies.detection.sightings import Sighting


class AddressSightings(Protocol):
    """Remembers for minutes, under keyed digests, which addresses showed up on whom."""

    def note(self, sightings: Sequence[Sighting]) -> list[int]:
        """Remember sightings and say on how many recipients of its campaign each address was seen within a minute."""
        ...

    def forget_old(self) -> int:
        """Forget what is older than any batch could ask for.

        Returns:
            Number of sightings.
        """
        ...

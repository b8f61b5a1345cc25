"""Sightings of addresses in memory, for tests; a transaction that is undone leaves its own behind."""

from collections.abc import Sequence

from adapters.memory.store import MemoryStore
from domain.policies.detection.sightings import Sighting, recipients_seen


class MemoryAddressSightings:
    """See `application.ports.address_sightings.AddressSightings`."""

    def __init__(self, store: MemoryStore) -> None:
        self._seen = store.sightings

    def note(self, sightings: Sequence[Sighting]) -> list[int]:
        for one in sightings:
            self._seen.setdefault((one.campaign_id, one.ip_address), []).append((one.at, one.recipient))
        return [recipients_seen(sorted(self._seen[one.campaign_id, one.ip_address]), one.at) for one in sightings]

    def forget_old(self) -> int:
        forgotten = sum(map(len, self._seen.values()))
        self._seen.clear()
        return forgotten

"""Sightings of addresses in an unlogged table, under keyed digests."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

from psycopg import Cursor

from adapters.postgres.arrays import as_instant, bytes_array, instant_array
from domain.policies.detection.sightings import SIGHTING_TIME, Sighting, recipients_seen

KEPT_FOR: Final = "10 minutes"
_NOTE: Final = f"""
WITH noted AS (
    INSERT INTO ops.address_sightings (place, recipient, seen_at)
    SELECT place, recipient, {as_instant("at")}
    FROM unnest(%s::bytea[], %s::bytea[], %s::bigint[]) AS s (place, recipient, at)
)
SELECT place, recipient, seen_at FROM ops.address_sightings
WHERE place = ANY(%s::bytea[]) AND seen_at BETWEEN %s AND %s
"""  # noqa: S608 - constants


class PostgresAddressSightings:
    """See `application.ports.address_sightings.AddressSightings`.

    Args:
        cursor: Of the transaction.
        key: Of the digests; 16 to 64 bytes.
    """

    def __init__(self, cursor: Cursor[Any], key: bytes) -> None:
        self._cursor = cursor
        self._key = key

    def note(self, sightings: Sequence[Sighting]) -> list[int]:
        places = [self._digest(one.campaign_id.bytes + one.ip_address.encode()) for one in sightings]
        people = [self._digest(one.recipient) for one in sightings]
        moments = [one.at for one in sightings]
        seen: dict[bytes, list[tuple[datetime, bytes]]] = {}
        for place, recipient, at in zip(places, people, moments, strict=True):
            seen.setdefault(place, []).append((at, recipient))
        # What this statement adds, its own look does not see.
        around = (min(moments) - SIGHTING_TIME, max(moments) + SIGHTING_TIME)
        self._cursor.execute(
            _NOTE,
            (bytes_array(places), bytes_array(people), instant_array(moments), bytes_array(seen), *around),
            binary=True,
        )
        for place, recipient, at in self._cursor.fetchall():
            seen[place].append((at, recipient))
        for found in seen.values():
            found.sort()
        return [recipients_seen(seen[place], at) for place, at in zip(places, moments, strict=True)]

    def forget_old(self) -> int:
        self._cursor.execute("DELETE FROM ops.address_sightings WHERE noted_at < now() - %s::interval", (KEPT_FOR,))
        return self._cursor.rowcount

    def _digest(self, told: bytes) -> bytes:
        return blake2b(told, digest_size=12, key=self._key).digest()

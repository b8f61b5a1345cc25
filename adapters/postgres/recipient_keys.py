"""The keys of people: made with the first email to somebody, destroyed to erase them."""

from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from threading import Lock
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import Cursor

from adapters.postgres.arrays import uuid_array
from adapters.secrets import SecretBox

SEAL_PURPOSE: Final = "recipient-keys"
MOST_KEPT: Final = 50_000
"""Keys that a process keeps, at about 0.4 kB each."""

_DESTROYED: Final = b"SELECT coalesce(sum(keys), 0)::bigint FROM ops.key_destructions"
_FIND: Final = "SELECT uuid_send(key_id), addressee_id, wrapped FROM ops.recipient_keys WHERE key_id = ANY(%s::uuid[])"
_STILL_THERE: Final = "SELECT uuid_send(key_id) FROM ops.recipient_keys WHERE key_id = ANY(%s::uuid[])"
_FIND_OF_ADDRESSEES: Final = (
    "SELECT uuid_send(key_id), addressee_id, wrapped FROM ops.recipient_keys WHERE addressee_id = ANY(%s::uuid[])"
)
_ADD: Final = (
    "INSERT INTO ops.recipient_keys (key_id, addressee_id, organization_id, wrapped)"
    " SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::bytea[]) ON CONFLICT (addressee_id) DO NOTHING"
)


class RecipientKey(NamedTuple):
    """A person's key, ready for use.

    Attributes:
        id: 16 bytes, as every sealed part begins.
        secret: 32 bytes.
    """

    id: bytes
    addressee_id: UUID
    secret: bytes

    def cipher(self) -> AESGCM:
        """Give what seals and opens. Made where it is used, in 0.6 µs: kept, each would take 2 kB."""
        return AESGCM(self.secret)

    def __repr__(self) -> str:
        return f"RecipientKey({self.id.hex()})"


class RecipientKeys:
    """Makes and finds keys within somebody else's transaction.

    What was unwrapped once is kept: a key never changes, it is only destroyed. Threads may share one of these.

    Args:
        box: For `SEAL_PURPOSE`.
        most_kept: Keys that are kept; the oldest half of them is let go of at once.
    """

    def __init__(self, box: SecretBox, *, most_kept: int = MOST_KEPT) -> None:
        self._box = box
        self._most_kept = most_kept
        self._kept: dict[bytes, RecipientKey] = {}
        self._kept_of: dict[UUID, bytes] = {}
        self._destroyed = 0
        self._seen: set[bytes] = set()
        """Of the keys that are kept, those seen since so many were destroyed."""
        self._changing = Lock()

    def found(self, cursor: Cursor[Any], key_ids: Iterable[bytes]) -> dict[bytes, RecipientKey]:
        """Give those of the keys that were not destroyed, as the database has them now.

        Raises:
            SealBrokenError: A key was wrapped with a secret key that is no longer configured.
        """
        destroyed = self._destroyed_by_now(cursor)
        found: dict[bytes, RecipientKey] = {}
        doubtful: dict[bytes, RecipientKey] = {}
        new: list[bytes] = []
        for key_id in key_ids:
            kept = self._kept.get(key_id)
            if kept is None:
                new.append(key_id)
            elif key_id in self._seen:
                found[key_id] = kept
            else:
                doubtful[key_id] = kept
        seen = {key.id: key for key in self._read(cursor, _FIND, _hex_array(new))}
        if doubtful:  # all that is asked is whether it was destroyed
            cursor.execute(_STILL_THERE.encode(), (_hex_array(doubtful),), binary=True)
            for (key_id,) in cursor.fetchall():
                seen[key_id] = doubtful.pop(key_id)
            for key in doubtful.values():
                self.forget(key.addressee_id)
        with self._changing:
            if destroyed == self._destroyed:
                self._seen |= seen.keys() & self._kept.keys()
        return found | seen

    def _destroyed_by_now(self, cursor: Cursor[Any]) -> int:
        """Say how many keys were ever destroyed; if that is news, no key that is kept is trusted unseen."""
        cursor.execute(_DESTROYED, binary=True)
        ((destroyed,),) = cursor.fetchall()
        with self._changing:
            if destroyed != self._destroyed:
                self._destroyed = destroyed
                self._seen = set()
        return int(destroyed)

    def of_addressees(self, cursor: Cursor[Any], organizations: Mapping[UUID, UUID]) -> dict[UUID, RecipientKey]:
        """Give the keys of people; who has none gets one.

        Whoever else is making one for the same person is waited for, and theirs is given.

        Args:
            cursor: Of the transaction that will write with the keys.
            organizations: By addressee.

        Raises:
            SealBrokenError: As `found`.
        """
        keys = {key.addressee_id: key for key in self._read(cursor, _FIND_OF_ADDRESSEES, uuid_array(organizations))}
        # In one order everywhere, so that transactions wait for each other and never in a circle.
        if missing := sorted(organizations.keys() - keys.keys()):
            new_ids = [uuid4() for _ in missing]
            wrapped = [self._box.seal(AESGCM.generate_key(256), bound_to=key_id.bytes) for key_id in new_ids]
            cursor.execute(
                _ADD,
                (uuid_array(new_ids), uuid_array(missing), uuid_array(organizations[a] for a in missing), wrapped),
                binary=True,
            )
            keys |= {key.addressee_id: key for key in self._read(cursor, _FIND_OF_ADDRESSEES, uuid_array(missing))}
        return keys

    def for_reading(self, cursor: Cursor[Any], key_ids: Collection[bytes]) -> Mapping[bytes, RecipientKey]:
        """Give keys, also such as an earlier call found; those that were destroyed are left out.

        A key may be given that was destroyed since: for reading in the order of events, which tells of it in its turn
        (see `forget`).

        Raises:
            SealBrokenError: As `found`.
        """
        known = {key_id: key for key_id in key_ids if (key := self._kept.get(key_id))}
        missing = [key_id for key_id in key_ids if key_id not in known]
        known |= {key.id: key for key in self._read(cursor, _FIND, _hex_array(missing))}
        return known

    def forget(self, addressee_id: UUID) -> None:
        """Keep a person's key no longer."""
        with self._changing:
            self._let_go_of(addressee_id)

    def _read(self, cursor: Cursor[Any], query: str, wanted: str) -> list[RecipientKey]:
        if wanted == "{}":
            return []
        cursor.execute(query.encode(), (wanted,), binary=True)
        return [self._kept.get(key_id) or self._keep(key_id, *wrapped) for key_id, *wrapped in cursor.fetchall()]

    def _keep(self, key_id: bytes, addressee_id: UUID, wrapped: bytes) -> RecipientKey:
        key = RecipientKey(key_id, addressee_id, self._box.open(wrapped, bound_to=key_id))
        with self._changing:
            if len(self._kept) >= self._most_kept:
                for oldest in list(islice(self._kept_of, (self._most_kept + 1) // 2)):
                    self._let_go_of(oldest)
            self._let_go_of(addressee_id)  # of an earlier key: each person has one at a time
            self._kept[key_id] = key
            self._kept_of[addressee_id] = key_id
        return key

    def _let_go_of(self, addressee_id: UUID) -> None:
        if key_id := self._kept_of.pop(addressee_id, None):
            del self._kept[key_id]
            self._seen.discard(key_id)


def _hex_array(ids: Iterable[bytes]) -> str:
    return "{" + ",".join([id_.hex() for id_ in ids]) + "}"

"""What of a fact tells who somebody is, sealed with the person's key (SEC-6).

In the stored bytes ``personal``, ``metadata`` and ``subject`` are left out and ``sealed`` stands last: the key's id,
a nonce, and what AES-GCM makes of the three, bound to the stream and the fact.
"""

from os import urandom
from typing import Final
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.persistence import MapperDeserialisationError
from msgspec.structs import force_setattr, replace

from adapters.postgres.recipient_keys import RecipientKey
from domain.email_facts import NOBODY, AnyFact, Fact, Metadata, Personal, Sent

_ID_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_FIELD: Final = b"\xa6sealed"
_FIX_MAP, _FIX_MAP_FULL, _MAP_16 = 0x80, 0x8F, 0xDE


class _Hidden(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    personal: Personal = NOBODY
    metadata: Metadata | None = None
    subject: str = ""


class _Envelope(msgspec.Struct, frozen=True, gc=False):
    sealed: bytes = b""


_encode = msgspec.msgpack.Encoder(uuid_format="bytes").encode
_encode_hidden = msgspec.msgpack.Encoder().encode
_decode_hidden = msgspec.msgpack.Decoder(_Hidden).decode
_decode_envelope = msgspec.msgpack.Decoder(_Envelope).decode


def tells_who(fact: AnyFact) -> bool:
    """Whether there is anything in a fact to seal."""
    if isinstance(fact, Fact):
        return fact.metadata is not None or (fact.personal is not NOBODY and fact.personal != NOBODY)
    return isinstance(fact, Sent)


def nonces(count: int) -> list[bytes]:
    """Give nonces for so many facts; asking the system once for all costs a tenth of asking for each."""
    random = urandom(count * _NONCE_BYTES)
    return [random[start : start + _NONCE_BYTES] for start in range(0, len(random), _NONCE_BYTES)]


def sealed_state(fact: Fact | Sent, stream_id: UUID, key: RecipientKey, nonce: bytes) -> bytes:
    """Give a fact's bytes with everything sealed that tells who somebody is.

    Args:
        fact: Complete.
        stream_id: Of its email.
        key: Of the person.
        nonce: One of `nonces`, for nothing else.
    """
    if isinstance(fact, Fact):
        hidden = _Hidden(fact.personal, fact.metadata)
        bare: Fact | Sent = replace(fact, personal=NOBODY, metadata=None)
    else:
        hidden = _Hidden(fact.personal, None, fact.subject)
        bare = replace(fact, personal=NOBODY, subject="")
    box = key.cipher().encrypt(nonce, _encode_hidden(hidden), _bound_to(fact, stream_id))
    return _with_field(_encode(bare), key.id + nonce + box)


def state_without(fact: Fact | Sent) -> bytes:
    """Give a fact's bytes without what tells who somebody is: the person was erased, there is no key to seal it."""
    if isinstance(fact, Fact):
        return _encode(replace(fact, personal=NOBODY, metadata=None))
    return _encode(replace(fact, personal=NOBODY, subject=""))


def sealed_part(state: bytes) -> bytes:
    """Give what is sealed in a fact's bytes; b"" if nothing is."""
    try:
        return _decode_envelope(state).sealed
    except msgspec.MsgspecError as error:
        raise MapperDeserialisationError(f"the sealed part does not fit: {error}") from error


def key_id_of(sealed: bytes) -> bytes:
    """Give the id of the key that opens a sealed part."""
    return sealed[:_ID_BYTES]


def open_into(fact: AnyFact, stream_id: UUID, sealed: bytes, cipher: AESGCM) -> None:
    """Give a fact that was just read its sealed fields back.

    Raises:
        MapperDeserialisationError: The bytes were changed, or belong to another fact.
    """
    hidden = _opened(fact, stream_id, sealed, cipher)
    # Nobody else has the fact yet.
    force_setattr(fact, "personal", hidden.personal)
    if isinstance(fact, Sent):
        force_setattr(fact, "subject", hidden.subject)
    else:
        force_setattr(fact, "metadata", hidden.metadata)


def sealed_personal(fact: Fact | Sent, stream_id: UUID, sealed: bytes, cipher: AESGCM) -> Personal:
    """Give the personal fields of a fact that stays as it is.

    Raises:
        MapperDeserialisationError: As `open_into`.
    """
    return _opened(fact, stream_id, sealed, cipher).personal


def _opened(fact: AnyFact | Fact, stream_id: UUID, sealed: bytes, cipher: AESGCM) -> _Hidden:
    nonce_ends = _ID_BYTES + _NONCE_BYTES
    try:
        plain = cipher.decrypt(sealed[_ID_BYTES:nonce_ends], sealed[nonce_ends:], _bound_to(fact, stream_id))
        return _decode_hidden(plain)
    except (InvalidTag, ValueError, msgspec.MsgspecError) as error:
        raise MapperDeserialisationError("the sealed part was changed") from error


def _bound_to(fact: object, stream_id: UUID) -> bytes:
    return stream_id.bytes + fact.key if isinstance(fact, Fact) else stream_id.bytes


def _with_field(state: bytes, sealed: bytes) -> bytes:
    """Add a last field to a msgpack map, without reading and writing the others again."""
    head = state[0]
    if head < _FIX_MAP_FULL:
        begin = bytes((head + 1,)) + state[1:]
    elif head == _FIX_MAP_FULL:
        begin = bytes((_MAP_16, 0, head - _FIX_MAP + 1)) + state[1:]
    else:
        begin = state[:1] + (int.from_bytes(state[1:3], "big") + 1).to_bytes(2, "big") + state[3:]
    return begin + _FIELD + _encode(sealed)

"""How facts become bytes and come back: msgpack by topic, old topics upcast on reading."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, MapperDeserialisationError, StoredEvent

from domain.email_facts import FACTS, AnyFact, Fact, Recorded, Sent

Upcast = Callable[[dict[str, Any]], AnyFact]

UPCASTS: Final[Mapping[str, Upcast]] = {}
"""Retired topics, such as ``EmailMessage.Opened.v1``, and what turns their fields into a fact of today."""


class FactMapper(Mapper[UUID]):
    """The library's mapper for frozen msgspec facts, twenty times as quick as its JSON transcoder.

    Args:
        facts: Every class that may be stored; each names its own ``TOPIC``.
        upcasts: For topics that are no longer written.
    """

    def __init__(self, facts: Sequence[type[Any]] = FACTS, upcasts: Mapping[str, Upcast] = UPCASTS) -> None:
        self._encode = msgspec.msgpack.Encoder(uuid_format="bytes").encode
        self._decode: dict[str, Callable[[bytes], Any]] = {
            fact.TOPIC: msgspec.msgpack.Decoder(fact).decode for fact in facts
        }
        self._decode_sealed = self._decode | {
            fact.TOPIC: msgspec.msgpack.Decoder(_with_sealed_part(fact)).decode
            for fact in facts
            if issubclass(fact, Fact | Sent)
        }
        for topic, upcast in upcasts.items():
            self._decode[topic] = self._decode_sealed[topic] = _upcasting(upcast)

    def encode(self, fact: AnyFact) -> bytes:
        """Give a fact's bytes, without its place in the stream."""
        return self._encode(fact)

    def decode(self, topic: str, state: bytes) -> AnyFact:
        """Give back a fact.

        Raises:
            MapperDeserialisationError: The topic is unknown to this version, or the bytes do not fit it.
        """
        try:
            fact: AnyFact = self._decode[topic](state)
        except KeyError:
            raise _unknown(topic) from None
        except msgspec.MsgspecError as error:
            raise _misfit(topic, error) from error
        return fact

    def decode_sealed(self, topic: str, state: bytes) -> AnyFact:
        """Give back a fact that keeps, as an attribute ``sealed``, what is sealed in its bytes, in one go.

        Raises:
            MapperDeserialisationError: As `decode`.
        """
        try:
            fact: AnyFact = self._decode_sealed[topic](state)
        except KeyError:
            raise _unknown(topic) from None
        except msgspec.MsgspecError as error:
            raise _misfit(topic, error) from error
        return fact

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        """Convert for the library's recorders."""
        if not isinstance(domain_event, Recorded):
            raise TypeError(f"{type(domain_event).__name__} is no recorded fact")
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=domain_event.fact.TOPIC,
            state=self._encode(domain_event.fact),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Recorded:
        """Convert what the library's recorders return."""
        if not isinstance(stored_event.originator_id, UUID):
            raise TypeError("emails are named by UUIDs")
        fact = self.decode(stored_event.topic, stored_event.state)
        return Recorded(stored_event.originator_id, stored_event.originator_version, fact)


def _unknown(topic: str) -> MapperDeserialisationError:
    return MapperDeserialisationError(f"unknown topic {topic!r}: written by a newer version?")


def _misfit(topic: str, error: msgspec.MsgspecError) -> MapperDeserialisationError:
    return MapperDeserialisationError(f"state does not fit topic {topic!r}: {error}")


def _with_sealed_part(fact: type[Any]) -> type[Any]:
    return msgspec.defstruct(
        fact.__name__,
        [("sealed", bytes, b"")],
        bases=(fact,),
        frozen=True,
        kw_only=True,
        omit_defaults=True,
        gc=False,
    )


def _upcasting(upcast: Upcast) -> Callable[[bytes], AnyFact]:
    read_fields = msgspec.msgpack.Decoder(dict[str, Any]).decode
    return lambda state: upcast(read_fields(state))

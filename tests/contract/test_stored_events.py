"""What databases hold stays readable: bytes written by version 0.1, and what each must be read as."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from eventsourcing.persistence import MapperDeserialisationError, StoredEvent
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.event_codec import FactMapper
from domain.email_facts import FACTS, Opened, Personal, Recorded
from domain.values import Verdict

SAMPLES = sorted((Path(__file__).parent / "events").glob("*.json"))
BY_TOPIC = {fact.TOPIC: fact for fact in FACTS}
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Sample(msgspec.Struct, frozen=True):
    topic: str
    state: str
    fact: dict


def read(path):
    return msgspec.json.decode(path.read_bytes(), type=Sample)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_stored_bytes_are_read_as_what_was_recorded(path):
    sample = read(path)

    fact = FactMapper().decode(sample.topic, bytes.fromhex(sample.state))

    assert fact == msgspec.convert(sample.fact, type(fact), strict=False)
    assert sample.topic == type(fact).TOPIC


@pytest.mark.parametrize("topic", sorted(BY_TOPIC))
def test_every_topic_has_a_full_and_a_least_sample(topic):
    kinds = {path.stem.split(".")[1] for path in SAMPLES if read(path).topic == topic}

    assert kinds >= {"full", "least"}


@pytest.mark.parametrize("topic", sorted(BY_TOPIC))
def test_the_full_sample_of_a_topic_fills_every_field(topic):
    [fact] = [read(path).fact for path in SAMPLES if read(path).topic == topic and path.stem.endswith("full")]

    assert fact.keys() == set(BY_TOPIC[topic].__struct_encode_fields__)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_what_is_written_today_has_the_same_bytes(path):
    sample, mapper = read(path), FactMapper()

    assert mapper.encode(mapper.decode(sample.topic, bytes.fromhex(sample.state))).hex() == sample.state


def test_a_field_that_a_newer_version_added_is_passed_over():
    mapper = FactMapper()
    fact = Opened(key=b"k" * 16, occurred_at=NOON, recorded_at=NOON)
    fields = msgspec.msgpack.decode(mapper.encode(fact)) | {"country": "DE"}

    assert mapper.decode(Opened.TOPIC, msgspec.msgpack.encode(fields)) == fact


def test_a_retired_topic_is_read_as_a_fact_of_today():
    def from_first_version(fields):
        return Opened(
            key=fields["key"],
            occurred_at=fields["at"],
            recorded_at=fields["at"],
            verdict=Verdict.SCANNER if fields["is_bot"] else Verdict.HUMAN,
        )

    mapper = FactMapper(upcasts={"EmailMessage.Opened.v1": from_first_version})
    old = msgspec.msgpack.encode({"key": b"k" * 16, "at": NOON, "is_bot": True})

    assert mapper.decode("EmailMessage.Opened.v1", old) == Opened(
        key=b"k" * 16, occurred_at=NOON, recorded_at=NOON, verdict=Verdict.SCANNER
    )


@pytest.mark.parametrize(
    "topic, state, error",
    [
        ("EmailMessage.Teleported", b"\x80", "unknown topic 'EmailMessage.Teleported'"),
        ("EmailMessage.Opened", b"\x80", "does not fit topic 'EmailMessage.Opened'"),
        ("EmailMessage.Opened", b"", "does not fit topic"),
        ("EmailMessage.Opened", b"\xc1", "does not fit topic"),
    ],
)
def test_what_cannot_be_read_is_named(topic, state, error):
    with pytest.raises(MapperDeserialisationError, match=error):
        FactMapper().decode(topic, state)


def test_the_librarys_stored_events_hold_the_place_beside_the_fact():
    mapper, email_id = FactMapper(), uuid4()
    recorded = Recorded(email_id, 3, Opened(key=b"k" * 16, occurred_at=NOON, recorded_at=NOON))

    stored = mapper.to_stored_event(recorded)

    assert (stored.originator_id, stored.originator_version, stored.topic) == (email_id, 3, "EmailMessage.Opened")
    assert mapper.to_domain_event(stored) == recorded
    with pytest.raises(TypeError):
        mapper.to_domain_event(StoredEvent("no uuid", 1, stored.topic, stored.state))


instants = st.integers(-(10**15), 7 * 10**15).map(lambda count: NOON + timedelta(microseconds=count))
texts = st.text(st.characters(codec="utf-8"), max_size=20)
metadata = st.dictionaries(
    texts, texts | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.none() | st.floats(allow_nan=False), max_size=3
)


@given(
    st.builds(
        Opened,
        key=st.binary(min_size=16, max_size=16),
        occurred_at=instants,
        recorded_at=instants,
        delivery_id=st.integers(0, 2**63 - 1),
        personal=st.builds(Personal, address=texts, name=texts, ip_address=texts, user_agent=texts, detail=texts),
        metadata=st.none() | metadata,
        verdict=st.sampled_from(Verdict),
        reasons=st.lists(texts, max_size=3).map(tuple),
        confidence=st.floats(0, 1),
    )
)
def test_a_fact_comes_back_as_it_was_whatever_it_holds(fact):
    mapper = FactMapper()

    assert mapper.decode(Opened.TOPIC, mapper.encode(fact)) == fact

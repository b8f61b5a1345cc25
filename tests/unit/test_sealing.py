"""What tells who somebody is, sealed in the bytes of a fact."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.persistence import MapperDeserialisationError
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.event_codec import FactMapper
from adapters.postgres.recipient_keys import RecipientKey
from adapters.postgres.sealing import key_id_of, nonces, open_into, sealed_part, sealed_state, state_without, tells_who
from domain.email_facts import NOBODY, Clicked, Delivered, JobReference, Opened, Party, Personal, Sent
from domain.values import Verdict

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
EMAIL = uuid4()
KEY = RecipientKey(uuid4().bytes, uuid4(), AESGCM.generate_key(256))
MAPPER = FactMapper()

REGISTERED = Sent(
    organization_id=uuid4(),
    provider="email",
    message_id="m-1",
    sent_at=NOON,
    recorded_at=NOON,
    subject="An offer for John",
    recipient_type="Candidate",
    recipient_id="c-1",
    sender=Party(id="r-7", name="Ada"),
    tracking_id="t",
    tracking=False,
    job=JobReference(id="j"),
    template=Party(id="t"),
    campaign_id=uuid4(),
    campaign_contact_id=uuid4(),
    addressee_id=uuid4(),
    personal=Personal(address="john@example.com", name="John Smith"),
)
OPENED = Opened(
    key=b"k" * 16,
    occurred_at=NOON,
    recorded_at=NOON,
    personal=Personal(ip_address="192.0.2.7", user_agent="Mozilla"),
    metadata={"campaign": "john"},
)


def opened(fact, state, stream_id=EMAIL, key=KEY):
    read = MAPPER.decode(fact.TOPIC, state)
    open_into(read, stream_id, sealed_part(state), key.cipher())
    return read


@pytest.mark.parametrize("fact", [REGISTERED, OPENED], ids=["registration", "open"])
def test_the_stored_bytes_do_not_tell_and_the_key_opens_them(fact):
    state = sealed_state(fact, EMAIL, KEY, *nonces(1))

    for text in (b"john", b"John", b"192.0.2.7", b"Mozilla"):
        assert text not in state
    assert key_id_of(sealed_part(state)) == KEY.id
    assert opened(fact, state) == fact


@pytest.mark.parametrize("fact", [REGISTERED, OPENED], ids=["registration", "open"])
def test_without_the_key_everything_else_is_still_read(fact):
    bare = {"personal": NOBODY} | ({"subject": ""} if isinstance(fact, Sent) else {"metadata": None})

    for state in (sealed_state(fact, EMAIL, KEY, *nonces(1)), state_without(fact)):
        assert MAPPER.decode(fact.TOPIC, state) == msgspec.structs.replace(fact, **bare)


def test_what_was_stored_before_has_nothing_sealed_and_tells_all():
    state = MAPPER.encode(OPENED)

    assert sealed_part(state) == b""
    assert MAPPER.decode(Opened.TOPIC, state) == OPENED


def test_the_same_fact_is_never_sealed_to_the_same_bytes():
    assert sealed_state(OPENED, EMAIL, KEY, *nonces(1)) != sealed_state(OPENED, EMAIL, KEY, *nonces(1))


@pytest.mark.parametrize(
    "stream_id, other",
    [(uuid4(), OPENED), (EMAIL, msgspec.structs.replace(OPENED, key=b"j" * 16))],
    ids=["another email's", "another fact's"],
)
def test_a_sealed_part_opens_for_its_own_fact_only(stream_id, other):
    part = sealed_part(sealed_state(OPENED, EMAIL, KEY, *nonces(1)))

    with pytest.raises(MapperDeserialisationError):
        open_into(MAPPER.decode(Opened.TOPIC, MAPPER.encode(other)), stream_id, part, KEY.cipher())


@pytest.mark.parametrize("place", range(-40, 0))
def test_changed_bytes_do_not_open(place):
    state = bytearray(sealed_state(OPENED, EMAIL, KEY, *nonces(1)))
    state[place] ^= 1

    with pytest.raises(MapperDeserialisationError):
        opened(OPENED, bytes(state))


def test_a_fact_about_nobody_has_nothing_to_seal():
    assert not tells_who(Delivered(key=b"k" * 16, occurred_at=NOON, recorded_at=NOON))
    assert tells_who(OPENED)
    assert tells_who(REGISTERED)


texts = st.text(st.characters(codec="utf-8"), max_size=20)
people = st.builds(Personal, address=texts, name=texts, ip_address=texts, user_agent=texts, detail=texts)
extras = st.none() | st.dictionaries(texts, texts | st.integers(-(2**63), 2**63 - 1) | st.none(), max_size=3)


@given(
    st.builds(
        Clicked,
        key=st.binary(min_size=16, max_size=16),
        occurred_at=st.integers(0, 10**12).map(lambda count: NOON + timedelta(microseconds=count)),
        recorded_at=st.just(NOON),
        delivery_id=st.integers(0, 2**63 - 1),
        personal=people,
        metadata=extras,
        verdict=st.sampled_from(Verdict),
        url=texts,
        link_position=texts,
        link_text=texts,
        withheld=st.booleans(),
    ),
    st.uuids(),
)
def test_a_sealed_fact_comes_back_as_it_was_whatever_it_holds(fact, stream_id):
    state = sealed_state(fact, stream_id, KEY, *nonces(1))

    assert opened(fact, state, stream_id) == fact


@given(st.sets(st.sampled_from(["job", "template", "campaign_id", "campaign_contact_id", "addressee_id"])), people)
def test_a_sealed_registration_comes_back_however_many_fields_it_has(left_out, person):
    # From 12 to 16 fields: the bytes' head changes its form in between.
    sent = msgspec.structs.replace(REGISTERED, personal=person, **dict.fromkeys(left_out))

    assert opened(sent, sealed_state(sent, UUID(int=1), KEY, *nonces(1)), UUID(int=1)) == sent

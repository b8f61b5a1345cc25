"""Whatever JSON a provider sends: nothing but a defined refusal, and no item costs another."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.payloads.fields import InvalidFieldError
from adapters.payloads.instants import EARLIEST, read_instant
from adapters.payloads.items import without_unstorable_characters
from adapters.providers import registry
from adapters.providers.sendgrid import UsualItem
from application.ports.provider import ConfirmSubscription, Ignored, MalformedDeliveryError, Rejected
from domain.commands import AnyReport
from tests.support.signed_deliveries import OneCertificate, notification

PROVIDERS = registry(OneCertificate())
SENDGRID_FIELDS = {field.encode_name for field in msgspec.structs.fields(UsualItem)}
SAMPLES = Path(__file__).parents[1] / "contract" / "samples"

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.sampled_from(
        ["open", "click", "bounce", "john@example.com", "\x00", "1e999", "2026-11-21T09:00:05Z", 1795251605]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def items_of(name):
    """Every item of the samples, as one flat list."""
    for path in sorted((SAMPLES / name).glob("*.json")):
        body = msgspec.json.decode(path.read_bytes())["body"]
        yield from (item for item in (body if isinstance(body, list) else [body]) if isinstance(item, dict))


def places_in(value, path=()):
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places_in(inner, (*path, key))


def replaced(value, path, replacement):
    if not path:
        return replacement
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], replacement)
    return copy


@st.composite
def spoilt_item(draw, name):
    item = draw(st.sampled_from(list(items_of(name))))
    for _ in range(draw(st.integers(1, 3))):
        item = replaced(item, draw(st.sampled_from(list(places_in(item)))), draw(json_values))
    return item


def texts_in(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from texts_in(inner)


def check_outcome(outcome):
    assert isinstance(outcome, AnyReport | Ignored | Rejected | ConfirmSubscription)
    if isinstance(outcome, AnyReport):
        assert outcome.occurred_at.tzinfo is UTC
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(outcome), type=AnyReport) == outcome
        assert "\x00" not in "".join(texts_in(msgspec.to_builtins(outcome)))
    if isinstance(outcome, Rejected):
        assert outcome.reason


@pytest.mark.parametrize("name", ["sendgrid", "email"])
@given(data=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_item_costs_its_neighbours(name, data):
    spoilt = data.draw(spoilt_item(name))
    good = next(items_of(name))
    (meant,) = PROVIDERS[name].translate({}, msgspec.json.encode([good]))

    first, between, last = PROVIDERS[name].translate({}, msgspec.json.encode([good, spoilt, good]))

    assert first == last == meant
    check_outcome(between)
    if isinstance(between, Rejected):
        assert PROVIDERS[name].translate({}, between.body) == [between]


@st.composite
def usual_items(draw):
    """Items without custom arguments, a few of them spoilt, so that whole deliveries of usual ones occur."""
    spoilt = draw(st.lists(spoilt_item("sendgrid"), max_size=2))
    good = draw(st.lists(st.sampled_from(list(items_of("sendgrid"))), max_size=6))
    items = draw(st.permutations([*good, *spoilt]))
    return [
        {name: value for name, value in item.items() if name in SENDGRID_FIELDS} if isinstance(item, dict) else item
        for item in items
    ]


@given(usual_items())
@example([{"event": "open", "email": " ", "timestamp": 1795251605, "sg_message_id": "m", "sg_event_id": "e"}])
@example([{"event": "open", "email": "a@b.example", "timestamp": 1795251605, "sg_message_id": " ", "sg_event_id": "e"}])
@example([{"event": "open", "email": "a@b.example", "timestamp": 5, "sg_message_id": "m", "sg_event_id": "e"}])
@example([
    {"event": "click", "email": "A@B.example", "timestamp": 1795251605, "sg_message_id": "m", "sg_event_id": "e"},
    {"event": "click", "email": "a@b.example", "timestamp": 1795251605, "sg_message_id": "m.x", "sg_event_id": "",
     "url": "https://a.example", "url_offset": {"index": 2}, "useragent": " ", "ip": "::1", "category": ["a", "b"]},
    {"event": "delivered", "email": "a@b.example", "timestamp": 1795251605, "sg_message_id": "<a@b>", "sg_event_id": "",
     "response": " 250 OK ", "category": "", "smtp-id": "x", "useragent": "", "sg_machine_open": True},
])  # fmt: skip
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_reading_usual_items_at_once_and_reading_each_closely_are_the_same(items):
    closely = {"event": "processed", "a custom argument": "has each item of the delivery read closely"}

    *outcomes, _ = PROVIDERS["sendgrid"].translate({}, msgspec.json.encode([*items, closely]))

    assert PROVIDERS["sendgrid"].translate({}, msgspec.json.encode(items)) == outcomes


def test_a_name_that_stands_twice_in_an_item_means_the_same_whichever_way_it_is_read():
    body = b"""[{"event": "click", "event": "open", "email": "c@d.example", "email": "a@b.example", "sg_event_id": "e",
        "timestamp": 1795251605, "sg_message_id": "m", "ip": "203.0.113.7", "ip": "203.0.113.8"}%s]"""

    [usual] = PROVIDERS["sendgrid"].translate({}, body % b"")
    [closely, _] = PROVIDERS["sendgrid"].translate({}, body % b', {"event": "processed", "a custom argument": 1}')

    assert usual == closely


@given(data=st.data())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_ses_event_raises(data):
    sample = data.draw(
        st.sampled_from([item["Message"] for item in items_of("ses") if isinstance(item["Message"], dict)])
    )
    spoilt = replaced(sample, data.draw(st.sampled_from(list(places_in(sample)))), data.draw(json_values))
    body = msgspec.json.encode(notification(msgspec.json.encode(spoilt).decode()))

    for outcome in PROVIDERS["ses"].translate({}, body):
        check_outcome(outcome)


@pytest.mark.parametrize("name", PROVIDERS)
@given(
    body=st.binary()
    | json_values.map(msgspec.json.encode)
    | st.text().map(lambda text: text.encode("utf-8", "replace"))
)
@example(b'["\\ud800"]')
@example(
    b'{"Type":"Notification","MessageId":"\\udc00","TopicArn":"","Message":"{\\"eventType\\":1e999}","Timestamp":""}'
)
def test_any_bytes_are_outcomes_or_a_malformed_delivery(name, body):
    try:
        outcomes = PROVIDERS[name].translate({}, body)
    except MalformedDeliveryError:
        return

    for outcome in outcomes:
        check_outcome(outcome)


@given(json_values)
def test_a_time_is_an_aware_utc_moment_or_a_refused_field(value):
    try:
        instant = read_instant(value, "when")
    except InvalidFieldError:
        return

    assert instant.tzinfo is UTC
    assert instant >= EARLIEST


offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(2000, 1, 2), datetime(2100, 1, 1), timezones=offsets))  # noqa: DTZ001 - Hypothesis adds it
def test_every_way_of_writing_a_moment_gives_that_moment(moment):
    microseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    assert read_instant(moment.isoformat()) == moment
    assert read_instant(moment.astimezone(UTC).isoformat().replace("+00:00", "Z")) == moment
    assert read_instant(moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ")) == moment
    assert read_instant(microseconds) == moment
    assert read_instant(microseconds // 1000) == read_instant(str(microseconds // 1000))
    assert read_instant(microseconds // 10**6) == moment - timedelta(microseconds=microseconds % 10**6)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_only_characters_that_cannot_be_stored_are_replaced(text):
    body = msgspec.json.encode(text)

    assert msgspec.json.decode(without_unstorable_characters(body)) == text.replace("\x00", "�")

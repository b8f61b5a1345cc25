"""One suite for every provider: what it proves, what it reads, and what it survives.

A sample is a file in ``samples/<provider>/``: the delivery as the provider sends it and the outcomes expected of it.
"""

import asyncio
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from adapters.providers import registry
from application.ports.inbound_mail import InboundMail
from application.ports.provider import (
    ConfirmSubscription,
    Ignored,
    InvalidVerificationKeyError,
    MalformedDeliveryError,
    Rejected,
    SignatureRefusedError,
)
from domain.commands import AnyReport
from domain.errors import InvalidMessageIdError
from tests.support.signed_deliveries import NOW, SIGNERS, OneCertificate, notification

SAMPLES = Path(__file__).parent / "samples"
PROVIDERS = registry(OneCertificate())
EVERY_SAMPLE = sorted(path for name in PROVIDERS for path in (SAMPLES / name).glob("*.json"))

# One item as the provider sends it, where a delivery holds several.
AN_ITEM = {
    "sendgrid": {
        "event": "spamreport",
        "email": "john@example.com",
        "timestamp": 1795251605,
        "sg_message_id": "14c5d75ce93.filter.0",
    },
    "email": {
        "event_type": "spam",
        "recipient": "john@example.com",
        "timestamp": "2026-11-21T09:00:05Z",
        "message_id": "14c5d75ce93",
    },
}


@pytest.fixture(params=PROVIDERS, ids=str)
def name(request):
    return request.param


@pytest.fixture
def provider(name):
    return PROVIDERS[name]


@pytest.fixture
def signer(name):
    return SIGNERS[name]


@pytest.fixture
def a_body(name):
    return body_of(min((SAMPLES / name).glob("*.json")))


def body_of(path):
    body = msgspec.json.decode(path.read_bytes())["body"]
    if path.parent.name == "ses":
        return msgspec.json.encode(notification(body["Message"], **{k: v for k, v in body.items() if k != "Message"}))
    return msgspec.json.encode(body)


def verify(provider, headers, body, keys, *, now=NOW, tolerance_s=None):
    asyncio.run(provider.verify(headers, body, keys, now=now, tolerance_s=tolerance_s))


def outcome_expected(expected, body):
    match expected:
        case {"ignored": reason}:
            return Ignored(reason)
        case {"mail": mail}:
            return msgspec.convert(mail, InboundMail)
        case {"confirm": url}:
            return ConfirmSubscription(url)
        case {"rejected": reason}:
            alone = msgspec.json.encode(expected["body"]) if "body" in expected else body
            return Rejected(reason, alone, expected.get("message_id", ""))
        case _:
            return msgspec.convert(expected, AnyReport)


# What it reads


def test_every_provider_has_samples_and_a_signer(name):
    assert list((SAMPLES / name).glob("*.json")), f"record what {name} sends in {SAMPLES / name}"
    assert name in SIGNERS


def test_every_folder_of_samples_belongs_to_a_provider():
    assert {path.name for path in SAMPLES.iterdir()} == set(PROVIDERS)


@pytest.mark.parametrize("path", EVERY_SAMPLE, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_sample_means_what_it_says(path):
    sample = msgspec.json.decode(path.read_bytes())
    body = body_of(path)

    outcomes = PROVIDERS[path.parent.name].translate(sample.get("headers", {}), body)

    assert outcomes == [outcome_expected(expected, body) for expected in sample["outcomes"]]


@pytest.mark.parametrize("path", EVERY_SAMPLE, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_was_set_aside_is_a_delivery_that_says_the_same_again(path):
    provider = PROVIDERS[path.parent.name]
    set_aside = [one for one in provider.translate({}, body_of(path)) if isinstance(one, Rejected)]

    again = [one for rejected in set_aside for one in provider.translate({}, rejected.body)]

    assert [one for one in again if isinstance(one, Rejected)] == set_aside


def test_reports_survive_storage_as_text_and_json(name):
    for path in sorted((SAMPLES / name).glob("*.json")):
        for outcome in PROVIDERS[name].translate({}, body_of(path)):
            if isinstance(outcome, AnyReport):
                assert msgspec.msgpack.decode(msgspec.msgpack.encode(outcome), type=AnyReport) == outcome


# What it proves


def test_a_delivery_signed_by_the_provider_is_accepted(provider, signer, a_body):
    headers, body = signer.sign(a_body)

    verify(provider, headers, body, [signer.key])


def test_any_of_several_active_keys_will_do(provider, signer, a_body):
    headers, body = signer.sign(a_body)

    verify(provider, headers, body, [signer.other_key, signer.key])


def test_a_delivery_is_refused_without_any_key(provider, signer, a_body):
    headers, body = signer.sign(a_body)

    with pytest.raises(SignatureRefusedError):
        verify(provider, headers, body, [])


def test_another_key_is_refused(provider, signer, a_body):
    headers, body = signer.sign(a_body)

    with pytest.raises(SignatureRefusedError) as refused:
        verify(provider, headers, body, [signer.other_key])

    assert refused.value.reason in {"mismatch", "foreign_topic"}


def test_a_changed_body_is_refused(provider, signer, a_body):
    headers, body = signer.sign(a_body)
    changed = body.replace(b"john@example.com", b"mary@example.com").replace(b'"Timestamp":"2026', b'"Timestamp":"2025')
    assert changed != body

    with pytest.raises(SignatureRefusedError) as refused:
        verify(provider, headers, changed, [signer.key])

    assert refused.value.reason == "mismatch"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda signature: signature[:-8],
        lambda signature: signature[:8],
        lambda signature: "",
        lambda signature: "garbage",
        lambda signature: "v1,",
        lambda signature: "v9,AAAA",
        lambda signature: "\x00\xff é 💥",
        lambda signature: "A" * 100_000,
        lambda signature: signature.swapcase(),
    ],
    ids=["truncated", "stub", "empty", "garbage", "only a version", "unknown version", "binary", "huge", "swapped"],
)
def test_a_spoilt_signature_is_refused(provider, signer, a_body, spoil):
    headers, body = signer.sign(a_body)
    headers, body = signer.with_signature(headers, body, spoil(signer.signature_of(headers, body)))

    with pytest.raises(SignatureRefusedError) as refused:
        verify(provider, headers, body, [signer.key])

    assert refused.value.reason in {"missing", "malformed", "mismatch"}


def test_an_unsigned_delivery_is_refused(provider, signer, a_body):
    with pytest.raises(SignatureRefusedError) as refused:
        verify(provider, {}, a_body, [signer.key])

    assert refused.value.reason == "missing"


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"[" * 100_000, b"null", b"5"], ids=["", "bytes", "deep", "null", "5"]
)
def test_no_unsigned_body_gets_past_the_signature(provider, signer, body):
    with pytest.raises(SignatureRefusedError):
        verify(provider, {}, body, [signer.key])


def test_an_old_signature_is_accepted_within_the_tolerance_only(provider, signer, a_body):
    headers, body = signer.sign(a_body, now=NOW)
    late = NOW + timedelta(seconds=301)

    verify(provider, headers, body, [signer.key], now=late, tolerance_s=None)
    verify(provider, headers, body, [signer.key], now=NOW + timedelta(seconds=299), tolerance_s=300)
    for wrong in (late, NOW - timedelta(seconds=301)):
        with pytest.raises(SignatureRefusedError) as refused:
            verify(provider, headers, body, [signer.key], now=wrong, tolerance_s=300)
        assert refused.value.reason == "expired"


def test_keys_are_taken_in_the_form_the_provider_shows_them(provider, signer):
    provider.check_key(signer.key)
    provider.check_key(signer.other_key)


@pytest.mark.parametrize("key", ["", "x", "whsec_", "whsec_!!", "whsec_QQ==", "arn:aws:s3:::bucket", "MIIB", "é" * 40])
def test_other_keys_are_refused_with_the_form_that_is_expected(provider, key):
    with pytest.raises(InvalidVerificationKeyError, match="expected"):
        provider.check_key(key)


# What it survives


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"null",
        b"5",
        b'"text"',
        b"true",
        b"{",
        b'[{"a": 1}',
        b"[{]",
        b"[1] trailing",
        b"\xff\xfe\x00",
        b'[{"event": "\xff"}]',
        b"[NaN]",
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"event=open&email=john%40example.com",
        b"<xml/>",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_delivery_that_cannot_be_taken_apart_is_refused_with_a_reason(provider, body):
    with pytest.raises(MalformedDeliveryError) as malformed:
        provider.translate({}, body)

    assert len(str(malformed.value)) > len("the body")


@pytest.mark.parametrize("bad", [b"null", b"{}", b"[]", b"1e999", b'"\\ud800"', b'{"event": 1e999}', b"1" * 5000])
@pytest.mark.parametrize("name", AN_ITEM, indirect=False)
def test_one_bad_item_of_a_thousand_costs_only_itself(name, bad):
    item = msgspec.json.encode(AN_ITEM[name])
    body = b"[" + b",".join([item] * 499 + [bad] + [item] * 500) + b"]"

    outcomes = PROVIDERS[name].translate({}, body)

    assert len(outcomes) == 1000
    assert [index for index, one in enumerate(outcomes) if not isinstance(one, AnyReport)] == [499]
    assert isinstance(outcomes[499], Rejected)


@pytest.mark.parametrize("name", AN_ITEM, indirect=False)
def test_the_last_of_a_repeated_key_counts(name):
    item = msgspec.json.encode(AN_ITEM[name])
    field, value = ("email", b"mary@example.com") if name == "sendgrid" else ("recipient", b"mary@example.com")
    body = item[:-1] + b',"' + field.encode() + b'":"' + value + b'"}'

    (outcome,) = PROVIDERS[name].translate({}, body)

    assert outcome.recipient == "mary@example.com"


@pytest.mark.parametrize("name", AN_ITEM, indirect=False)
def test_characters_that_no_database_stores_become_replacement_characters(name):
    kind, agent = ("event", "useragent") if name == "sendgrid" else ("event_type", "user_agent")
    item = msgspec.json.encode(AN_ITEM[name] | {kind: "open"})
    body = item[:-1] + b',"' + agent.encode() + rb'":"a\u0000b\ud800c\\u0000d\ud83d\ude00"}'

    (outcome,) = PROVIDERS[name].translate({}, body)

    assert outcome.user_agent == "a�b�c\\u0000d\N{GRINNING FACE}"


@pytest.mark.parametrize("name", AN_ITEM, indirect=False)
def test_describing_fields_are_cut_and_others_refused_when_they_are_too_long(name):
    kind, agent, extra = (
        ("event", "useragent", {f"argument-{i}": "x" * 999 for i in range(50)})
        if name == "sendgrid"
        else ("event_type", "user_agent", {"metadata": {f"argument-{i}": "x" * 999 for i in range(50)}})
    )
    click = AN_ITEM[name] | {kind: "click", agent: "x" * 100_000, "url": "https://a.example/"} | extra

    fitting, too_long = PROVIDERS[name].translate({}, msgspec.json.encode([click, click | {"url": "x" * 8193}]))

    assert len(fitting.user_agent) == 1024
    assert len(fitting.metadata) == 20
    assert {len(value) for value in fitting.metadata.values()} == {256}
    assert too_long.reason == "url: longer than 8192 characters"


def test_message_ids_meet_in_one_form(provider):
    assert provider.normalise_message_id(" <14c5d75ce93> ") == "14c5d75ce93"
    for nothing in ("", " ", "<>", "x" * 1000, "a\x00b"):
        with pytest.raises(InvalidMessageIdError):
            provider.normalise_message_id(nothing)


@pytest.mark.parametrize(
    "name, raw, normal",
    [
        ("sendgrid", "14c5d75ce93.filterdrecv-5645d9c87f-78xtx-1-5D3F.0", "14c5d75ce93"),
        ("sendgrid", "<14c5d75ce93.dfd.64b469@ismtpd-555>", "14c5d75ce93"),
        ("sendgrid", "<euo2iKxdSayPF4YE4--I7A@geopod-ismtpd-canary-0>", "euo2iKxdSayPF4YE4--I7A"),
        ("sendgrid", "<jobs.2026.17@corp.example>", "jobs.2026.17@corp.example"),
        ("ses", "<0102019a-5d3c-000000@eu-west-1.amazonses.com>", "0102019a-5d3c-000000"),
        ("ses", "<own@corp.example>", "own@corp.example"),
        ("email", "<invite-17@mail.corp.example>", "invite-17@mail.corp.example"),
    ],
)
def test_each_provider_knows_the_forms_of_its_own_ids(name, raw, normal):
    assert PROVIDERS[name].normalise_message_id(raw) == normal

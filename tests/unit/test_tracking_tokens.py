"""Tokens: opaque, good for one purpose, and nobody else can make one (SEC-4)."""

import random
import string
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

import pytest

from adapters.tracking_tokens import SealedTokens
from application.ports.tracking_tokens import BrokenTokenError, EmailReference, TrackedLink

OLD, NEW, FOREIGN = "the old secret key", "the new secret key", "somebody else's secret key"
ACME = UUID("a0000000-0000-4000-8000-000000000001")
EMAIL = EmailReference(ACME, UUID("e0000000-0000-5000-8000-000000000002"))
LINK = TrackedLink(
    url="https://example.com/interviews/42?a=1&b=%20", position="3", text="Choose a time, José", counted_as="x"
)
ALPHABET = string.ascii_letters + string.digits + "-_"
MUTATIONS = 100_000


@pytest.fixture
def tokens():
    return SealedTokens([NEW])


def readers(tokens):
    return {"open": tokens.read_open, "click": tokens.read_click, "unsubscribe": tokens.read_unsubscribe}


def one_of_each(tokens):
    return {
        "open": tokens.for_open(EMAIL),
        "click": tokens.for_click(EMAIL, LINK),
        "unsubscribe": tokens.for_unsubscribe(EMAIL),
    }


def test_a_token_says_again_what_it_was_made_of(tokens):
    made = one_of_each(tokens)

    assert tokens.read_open(made["open"]) == EMAIL
    assert tokens.read_click(made["click"]) == (EMAIL, LINK)
    assert tokens.read_unsubscribe(made["unsubscribe"]) == EMAIL


def test_a_token_fits_into_a_url_as_it_is_and_is_short(tokens):
    made = one_of_each(tokens)

    assert all(set(token) <= set(ALPHABET) for token in made.values())
    assert len(made["open"]) == len(made["unsubscribe"]) == 64
    assert len(made["click"]) < 2 * len(LINK.url) + 100


def test_a_token_shows_nothing_of_what_it_was_made_of(tokens):
    for token in one_of_each(tokens).values():
        shown = urlsafe_b64decode(token + "=" * (-len(token) % 4))

        assert EMAIL.email_id.bytes not in shown
        assert EMAIL.organization_id.bytes not in shown
        assert b"example" not in shown
        assert "José".encode() not in shown


def test_the_same_email_has_the_same_tokens(tokens):
    assert one_of_each(tokens) == one_of_each(SealedTokens([NEW]))


@pytest.mark.parametrize("purpose", ["open", "click", "unsubscribe"])
def test_a_token_is_good_for_its_own_purpose_only(tokens, purpose):
    for other, token in one_of_each(tokens).items():
        if other != purpose:
            with pytest.raises(BrokenTokenError):
                readers(tokens)[purpose](token)


def test_tokens_of_an_older_secret_key_hold_while_it_is_configured():
    made = one_of_each(SealedTokens([OLD]))

    for purpose, read in readers(SealedTokens([NEW, OLD])).items():
        read(made[purpose])
    for purpose, read in readers(SealedTokens([NEW])).items():
        with pytest.raises(BrokenTokenError):
            read(made[purpose])


def test_the_newest_secret_key_seals():
    assert one_of_each(SealedTokens([NEW, OLD])) == one_of_each(SealedTokens([NEW]))


def test_a_foreign_token_is_broken(tokens):
    made = one_of_each(SealedTokens([FOREIGN]))

    for purpose, read in readers(tokens).items():
        with pytest.raises(BrokenTokenError):
            read(made[purpose])


@pytest.mark.parametrize(
    "mangled",
    ["", "x", "\n", "%00", "é" * 64, "a" * 8_001, "=" * 64, "AAAA", " ", "../" * 30, "A" * 64, "A" * 65],
)
def test_what_has_not_the_form_of_a_token_is_broken(tokens, mangled):
    for read in readers(tokens).values():
        with pytest.raises(BrokenTokenError):
            read(mangled)


@pytest.mark.parametrize("added", ["\n", " ", "=", "==", ".gif", "\r\n", "%0a"])
def test_nothing_may_be_added_to_a_token(tokens, added):
    for purpose, token in one_of_each(tokens).items():
        for changed in (token + added, added + token):
            with pytest.raises(BrokenTokenError):
                readers(tokens)[purpose](changed)


def test_every_other_spelling_of_the_same_bytes_is_broken(tokens):
    token = tokens.for_click(EMAIL, TrackedLink(url="https://example.com/", position="1"))
    assert len(token) % 4 in (2, 3), "this needs a token whose last character has bits to spare"
    same = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    spellings = [
        token[:-1] + last
        for last in ALPHABET
        if urlsafe_b64decode(token[:-1] + last + "=" * (-len(token) % 4)) == same and last != token[-1]
    ]

    assert spellings
    for spelling in spellings:
        with pytest.raises(BrokenTokenError):
            tokens.read_click(spelling)


def test_none_of_a_hundred_thousand_mutated_tokens_is_accepted(tokens):
    chance = random.Random(558)
    made = one_of_each(tokens)
    genuine = {token: purpose for purpose, token in made.items()}
    read = readers(SealedTokens([NEW, OLD]))
    accepted, tried = [], 0
    while tried < MUTATIONS:
        purpose, token = chance.choice(list(made.items()))
        changed = _mutated(chance, token, made)
        aim = chance.choice(list(read)) if chance.random() < 0.2 else purpose
        if genuine.get(changed) == aim:
            continue
        tried += 1
        try:
            read[aim](changed)
        except BrokenTokenError:
            continue
        accepted.append((aim, changed))

    assert accepted == []


def _mutated(chance, token, made):
    raw = bytearray(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    place = chance.randrange(len(raw))
    kind = chance.randrange(7)
    if kind == 0:
        raw[place] ^= 1 << chance.randrange(8)
    elif kind == 1:
        raw[place:] = raw[place:][::-1]
    elif kind == 2:
        del raw[place]
    elif kind == 3:
        raw.insert(place, chance.randrange(256))
    elif kind == 4:  # the head of one, the tail of another
        other = chance.choice(list(made.values()))
        raw[place:] = urlsafe_b64decode(other + "=" * (-len(other) % 4))[place:]
    elif kind == 5:
        at = chance.randrange(len(token))
        return token[:at] + chance.choice(ALPHABET) + token[at + 1 :]
    else:
        return token[: chance.randrange(len(token))]
    return urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()

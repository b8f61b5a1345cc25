from contextlib import suppress
from unicodedata import normalize

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidAddressError, InvalidMessageIdError
from domain.values import Verdict, email_id_for, normalise_address, normalise_message_id
from tests.support.emails import ACME, GLOBEX

GOLDEN_ID = "9a4bc4e9-6fb3-5dba-86ff-51fe0e7d60ed"


@pytest.mark.parametrize(
    "raw, address",
    [
        ("john@example.com", "john@example.com"),
        ("  John@Example.COM ", "john@example.com"),
        ("John Smith <John@Example.com>", "john@example.com"),
        ('"<odd>" <john@example.com>', "john@example.com"),
        ("jürgen@münchen.example", "jürgen@münchen.example"),
        ("a@b@example.com", "a@b@example.com"),
        ("Smith, John <john@example.com>", "john@example.com"),
        ('"a,b@c"@example.com', '"a,b@c"@example.com'),
        ("ju\u0308rgen@mu\u0308nchen.example", "jürgen@münchen.example"),
        ("JÜRGEN@MÜNCHEN.example", "jürgen@münchen.example"),
        ("jürgen@xn--mnchen-3ya.example", "jürgen@münchen.example"),
        ("jürgen@XN--MNCHEN-3YA.example", "jürgen@münchen.example"),
        ("john@straße.example", "john@straße.example"),
        ("john@under_score.example", "john@under_score.example"),
        ("x" * 308 + "@example.com", "x" * 308 + "@example.com"),
    ],
)
def test_an_address_has_one_spelling(raw, address):
    assert normalise_address(raw) == address


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " ",
        "john",
        "@example.com",
        "john@",
        "<>",
        "john smith@example.com",
        "john@exa\nmple.com",
        "x@\x00",
        "x" * 321,
    ],
)
def test_what_is_no_address_is_refused_without_quoting_it(raw):
    with pytest.raises(InvalidAddressError, match=r"\Arecipient is not an email address\Z"):
        normalise_address(raw)


@pytest.mark.parametrize(
    "raw",
    [
        "a@b.example,c@d.example",
        "a@b.example; <c@d.example>",
        "<a@b.example>, <c@d.example>",
        "Ada <a@b.example>, Bob <c@d.example>",
        "a@b.example, Bob <c@d.example>",
        "a@b.example,c",
    ],
)
def test_a_list_of_addresses_is_refused_as_what_it_is(raw):
    with pytest.raises(InvalidAddressError, match=r"\Arecipient holds more than one address"):
        normalise_address(raw)


@pytest.mark.parametrize("raw", ["mailto:john@example.com", "MAILTO:john@example.com?subject=Hello"])
def test_the_address_of_a_link_is_refused_as_what_it_is(raw):
    with pytest.raises(InvalidAddressError, match=r"\Arecipient begins with mailto:"):
        normalise_address(raw)


letters = st.text(st.characters(categories=["Ll", "Lu", "Lo", "Mn", "Nd"]), min_size=1, max_size=12)


@given(letters, letters, st.sampled_from(["NFC", "NFD"]), st.booleans())
def test_however_somebody_is_spelt_they_are_one_person(local, host, form, in_punycode):
    address = f"{local}@{host}.example"
    known = normalise_address(address)
    # What upper-casing cannot bring back (ß) was another letter to begin with.
    shouted = address.upper() if address.upper().lower() == address.lower() else address
    there = f"{host}.example"
    with suppress(idna.IDNAError):
        there = idna.encode(there, uts46=True).decode() if in_punycode else there

    assert normalise_address(known) == known
    assert normalise_address(normalize(form, address)) == known
    assert normalise_address(f"{local}@{there}") == known
    assert normalise_address(normalize(form, shouted)) == known


def test_an_address_longer_than_the_standard_allows_is_refused():
    with pytest.raises(InvalidAddressError):
        normalise_address("x" * 309 + "@example.com")


@pytest.mark.parametrize("raw", ["<14c5d75ce93@mail>", " 14c5d75ce93@mail ", "< 14c5d75ce93@mail >"])
def test_a_message_id_is_freed_of_its_wrapping(raw):
    assert normalise_message_id(raw) == "14c5d75ce93@mail"


@pytest.mark.parametrize("raw", ["", "<>", "  ", "a\nb", "a\x00b", "x" * 999])
def test_what_can_be_no_message_id_is_refused(raw):
    with pytest.raises(InvalidMessageIdError):
        normalise_message_id(raw)


def test_an_emails_id_never_changes_from_release_to_release():
    assert str(email_id_for(ACME, "sendgrid", "14c5d75ce93", "john@example.com")) == GOLDEN_ID


@pytest.mark.parametrize(
    "other",
    [
        (GLOBEX, "sendgrid", "m-1", "john@example.com"),
        (ACME, "ses", "m-1", "john@example.com"),
        (ACME, "sendgrid", "m-2", "john@example.com"),
        (ACME, "sendgrid", "m-1", "jane@example.com"),
    ],
)
def test_emails_differ_by_organisation_provider_message_and_recipient(other):
    assert email_id_for(ACME, "sendgrid", "m-1", "john@example.com") != email_id_for(*other)


def test_people_and_image_proxies_count_as_human():
    assert {verdict for verdict in Verdict if verdict.is_human} == {Verdict.HUMAN, Verdict.PROXY_OPEN}
    assert {verdict for verdict in Verdict if verdict.is_counted_apart} == {Verdict.MACHINE_OPEN, Verdict.SCANNER}

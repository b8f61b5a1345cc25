import random
from uuid import UUID

import pytest

from adapters.reply_addresses import SignedReplyAddresses
from tests.support.emails import ACME, GLOBEX, email_id

OLD, NEW = "the first secret key", "the second secret key"


@pytest.fixture
def addresses():
    return SignedReplyAddresses([OLD])


def token_of(address):
    return address.removeprefix("reply+").partition("@")[0]


def test_an_address_says_which_email_is_answered(addresses):
    address = addresses.address_for(ACME, email_id(), "reply.example.com")

    assert address.endswith("@reply.example.com")
    assert addresses.email_id_of(ACME, token_of(address)) == email_id()


def test_the_local_part_is_as_short_as_mail_allows_and_survives_lower_case(addresses):
    local = addresses.address_for(ACME, UUID(int=2**128 - 1), "x.example").partition("@")[0]

    assert len(local) <= 64
    assert local == local.lower()


def test_an_address_of_another_organisation_says_nothing(addresses):
    assert addresses.email_id_of(GLOBEX, token_of(addresses.address_for(ACME, email_id(), "x.example"))) is None


def test_addresses_outlive_a_new_secret_key_until_the_old_one_is_withdrawn(addresses):
    token = token_of(addresses.address_for(ACME, email_id(), "x.example"))

    assert SignedReplyAddresses([NEW, OLD]).email_id_of(ACME, token) == email_id()
    assert SignedReplyAddresses([NEW]).email_id_of(ACME, token) is None


def test_none_of_100_000_mutated_tokens_is_accepted(addresses):
    alphabet, chance = "abcdefghijklmnopqrstuvwxyz234567", random.Random(558)
    token = token_of(addresses.address_for(ACME, email_id(), "x.example"))
    mutated = {token[:place] + letter + token[place + 1 :] for place in range(len(token)) for letter in alphabet}
    while len(mutated) < 100_000:
        letters = list(token)
        for _ in range(chance.randint(1, 5)):
            letters[chance.randrange(len(letters))] = chance.choice(alphabet)
        mutated.add("".join(letters))
    mutated.discard(token)

    assert [one for one in mutated if addresses.email_id_of(ACME, one) is not None] == []


@pytest.mark.parametrize("token", ["", "a", "A" * 47, "1" * 47, "a" * 46, "a" * 48, "é" * 47, "a" * 46 + "\n"])
def test_what_is_no_token_is_none(addresses, token):
    assert addresses.email_id_of(ACME, token) is None


def test_there_must_be_a_key():
    with pytest.raises(ValueError, match="at least one"):
        SignedReplyAddresses([])

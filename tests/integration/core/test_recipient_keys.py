from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from uuid import uuid4

import psycopg
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.postgres.recipient_keys import SEAL_PURPOSE, RecipientKeys
from adapters.secrets import SecretBox
from tests.support.emails import ACME

BOX = SecretBox(["a secret key of these tests"], purpose=SEAL_PURPOSE)


@pytest.fixture
def cursor(core):
    with psycopg.connect(core.database_url) as connection, connection.cursor() as cursor:
        yield cursor
        connection.rollback()


@pytest.fixture
def stored(cursor):
    """Seven people's secrets by the ids of their keys, and whose each is."""
    secrets, addressees = {}, {}
    for _ in range(7):
        key_id, addressee_id, secret = uuid4(), uuid4(), AESGCM.generate_key(256)
        cursor.execute(
            "INSERT INTO ops.recipient_keys (key_id, addressee_id, organization_id, wrapped) VALUES (%s, %s, %s, %s)",
            (key_id, addressee_id, ACME, BOX.seal(secret, bound_to=key_id.bytes)),
        )
        secrets[key_id.bytes], addressees[key_id.bytes] = secret, addressee_id
    return secrets, addressees


@pytest.mark.parametrize("most_kept", [1, 2, 4, 100])
def test_more_people_than_are_kept_are_found_all_the_same_each_time(cursor, stored, most_kept):
    secrets, _ = stored
    keys = RecipientKeys(BOX, most_kept=most_kept)

    for wanted in [list(secrets), list(secrets)[:3], list(secrets)[::-1]]:
        expected = {key_id: secrets[key_id] for key_id in wanted}
        assert {id_: key.secret for id_, key in keys.for_reading(cursor, wanted).items()} == expected
        assert {id_: key.secret for id_, key in keys.found(cursor, wanted).items()} == expected

    assert len(keys._kept) <= most_kept
    assert set(keys._kept_of.values()) == keys._kept.keys()


def test_a_key_that_is_kept_is_not_found_once_it_is_destroyed_but_reads_until_its_erasure_is_read(cursor, stored):
    secrets, addressees = stored
    keys = RecipientKeys(BOX)
    gone, *others = keys.found(cursor, secrets)

    cursor.execute("DELETE FROM ops.recipient_keys WHERE addressee_id = %s", (addressees[gone],))

    assert gone in keys.for_reading(cursor, secrets)
    assert keys.found(cursor, secrets).keys() == set(others)
    assert keys.for_reading(cursor, secrets).keys() == set(others)


class Interrupted:
    """A cursor between whose answers to the first question about keys and the caller something else happens."""

    def __init__(self, cursor, interruption):
        self._cursor, self._interruption = cursor, interruption
        self.asked = []

    def execute(self, query, parameters=(), **told):
        self.asked.append(query)
        self._cursor.execute(query, parameters, **told)

    def fetchall(self):
        rows = self._cursor.fetchall()
        if self._interruption and b"recipient_keys" in self.asked[-1]:
            self._interruption = self._interruption()
        return rows


@pytest.fixture
def elsewhere(core, cursor, stored):
    """Another connection, which sees the stored keys."""
    cursor.connection.commit()
    with psycopg.connect(core.database_url) as connection:
        yield connection


def test_a_key_counts_as_destroyed_when_its_destruction_is_there_for_everybody(cursor, stored, elsewhere):
    secrets, addressees = stored
    keys = RecipientKeys(BOX)
    cursor.connection.autocommit = True
    gone, *others = keys.found(cursor, secrets)

    elsewhere.execute("DELETE FROM ops.recipient_keys WHERE addressee_id = %s", (addressees[gone],))
    assert keys.found(cursor, secrets).keys() == set(secrets)
    assert keys.found(cursor, secrets).keys() == set(secrets)
    elsewhere.commit()

    assert keys.found(cursor, secrets).keys() == set(others)


def test_keys_that_were_seen_are_not_looked_for_again_until_any_is_destroyed(cursor, stored):
    secrets, addressees = stored
    keys = RecipientKeys(BOX)
    gone, *others = keys.found(cursor, secrets)
    watched = Interrupted(cursor, None)

    assert keys.found(watched, others).keys() == set(others)
    assert not [query for query in watched.asked if b"recipient_keys" in query]

    cursor.execute("DELETE FROM ops.recipient_keys WHERE addressee_id = %s", (addressees[gone],))
    assert keys.found(watched, others).keys() == set(others)
    assert [query for query in watched.asked if b"recipient_keys" in query]


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_key_that_is_destroyed_while_another_thread_has_just_seen_it_is_not_trusted_afterwards(
    core, cursor, stored, elsewhere, is_kept
):
    secrets, addressees = stored
    keys = RecipientKeys(BOX)
    cursor.connection.autocommit = True
    gone, *others = secrets
    if is_kept:
        keys.for_reading(cursor, secrets)

    def destroy_it_and_have_others_notice():
        elsewhere.execute("DELETE FROM ops.recipient_keys WHERE addressee_id = %s", (addressees[gone],))
        elsewhere.commit()
        keys.found(elsewhere.cursor(), others)

    keys.found(Interrupted(cursor, destroy_it_and_have_others_notice), secrets)

    assert keys.found(cursor, secrets).keys() == set(others)


def test_destroyed_keys_are_counted_by_organisation(cursor, stored):
    _, addressees = stored

    def destroyed(how_many):
        whose = list(addressees.values())[:how_many]
        cursor.execute("DELETE FROM ops.recipient_keys WHERE addressee_id = ANY(%s)", (whose,))
        return dict(cursor.execute("SELECT * FROM ops.key_destructions").fetchall())[ACME]

    first = destroyed(3)

    assert (destroyed(4), destroyed(4), destroyed(7)) == (first + 1, first + 1, first + 4)


def test_a_key_is_read_with_until_its_owner_is_forgotten(cursor, stored):
    secrets, addressees = stored
    keys = RecipientKeys(BOX)
    gone, *others = keys.for_reading(cursor, secrets)
    cursor.execute("DELETE FROM ops.recipient_keys WHERE addressee_id = %s", (addressees[gone],))

    keys.forget(addressees[gone])

    assert keys.for_reading(cursor, secrets).keys() == set(others)


def test_of_a_person_who_comes_back_only_the_new_key_is_kept(cursor, stored):
    secrets, addressees = stored
    keys = RecipientKeys(BOX)
    old, *others = keys.for_reading(cursor, secrets)
    new = uuid4()
    cursor.execute(
        "UPDATE ops.recipient_keys SET key_id = %s, wrapped = %s WHERE addressee_id = %s",
        (new, BOX.seal(secrets[old], bound_to=new.bytes), addressees[old]),
    )

    assert keys.found(cursor, [new.bytes])[new.bytes].secret == secrets[old]

    assert keys._kept.keys() == {new.bytes, *others}


def test_a_key_does_not_show_its_secret(cursor, stored):
    secrets, _ = stored
    for key_id, key in RecipientKeys(BOX).found(cursor, secrets).items():
        assert repr(key) == f"RecipientKey({key_id.hex()})"


def test_threads_that_share_them_find_every_key(core, cursor, stored):
    secrets, addressees = stored
    cursor.connection.commit()
    keys = RecipientKeys(BOX, most_kept=3)

    def find_and_forget(round_):
        with psycopg.connect(core.database_url) as connection, connection.cursor() as own:
            wanted = sorted(secrets, key=lambda key_id: key_id[round_ % 16])
            found = [keys.found(own, wanted), keys.for_reading(own, wanted)]
            keys.forget(addressees[wanted[round_ % 7]])
            return found

    with ThreadPoolExecutor(8) as threads:
        rounds = list(threads.map(find_and_forget, range(64)))

    for found in chain.from_iterable(rounds):
        assert {id_: key.secret for id_, key in found.items()} == secrets
    assert set(keys._kept_of.values()) == keys._kept.keys()

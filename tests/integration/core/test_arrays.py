"""Arrays that are written as text: PostgreSQL reads what was meant."""

from datetime import UTC, datetime

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.arrays import as_instant, instant_array, number_array, text_array, uuid_array

STORABLE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
SPECIAL = st.text(st.sampled_from('\\"{}, \t\nNULLé'))


@pytest.fixture
def read_back(shared_database_url):
    with psycopg.connect(shared_database_url, autocommit=True) as connection:
        yield lambda kind, written: connection.execute(f"SELECT %s::{kind}[]", (written,)).fetchone()[0]


def test_texts_come_back_whatever_they_hold(read_back):
    @given(st.lists(st.none() | STORABLE | SPECIAL | st.just("NULL"), max_size=5))
    def check(texts):
        assert read_back("text", text_array(texts)) == texts

    check()


def test_instants_come_back_to_the_microsecond(shared_database_url):
    until = datetime(2255, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone

    @given(st.lists(st.none() | st.datetimes(datetime(1700, 1, 1), until, timezones=st.just(UTC)), max_size=5))  # noqa: DTZ001
    def check(instants):
        query = f"SELECT {as_instant('at')} FROM unnest(%s::bigint[]) WITH ORDINALITY AS s (at, n) ORDER BY n"
        found = connection.execute(query, (instant_array(instants),)).fetchall()
        assert [at for (at,) in found] == instants

    with psycopg.connect(shared_database_url, autocommit=True) as connection:
        check()


def test_ids_and_numbers_come_back_and_no_campaign_stays_none(read_back):
    @given(
        st.lists(st.none() | st.uuids(), max_size=5),
        st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=5),
    )
    def check(ids, numbers):
        assert read_back("uuid", uuid_array(ids)) == ids
        assert read_back("bigint", number_array(numbers)) == numbers

    check()

"""Rows that are written as the text of COPY: PostgreSQL reads what was meant."""

import psycopg
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.postgres.copied_rows import copied
from application.email_registrations import Recipient
from tests.support.core import item, registration
from tests.support.emails import NOON

STORABLE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
SPECIAL = st.text(st.sampled_from("\\N.\b\t\n\v\f\rbtnvfr é\x85\u2028"))


def test_texts_come_back_whatever_they_hold(shared_database_url):
    @settings(deadline=None)  # a busy machine is no wrong text
    @given(st.lists(st.none() | STORABLE | SPECIAL | st.just("\\N") | st.just("\\."), max_size=5))
    def check(texts):
        with connection.transaction(force_rollback=True):
            with connection.cursor().copy("COPY pg_temp.lines FROM STDIN") as copy:
                copy.write("".join(f"{n}\t{copied(text)}\tafter\n" for n, text in enumerate(texts)))
            found = connection.execute("SELECT text, after FROM pg_temp.lines ORDER BY n").fetchall()
        assert found == [(text, "after") for text in texts]

    with psycopg.connect(shared_database_url, autocommit=True) as connection:
        connection.execute("CREATE TEMPORARY TABLE lines (n integer, text text, after text)")
        check()


def test_every_table_shows_odd_texts_as_they_were(core):
    odd = "a\\N\t'b'\n{\"c\"}"
    url = "https://example.org/?a=\\N&b=\\t"
    core.register(registration("m-1", subject=odd, recipient=Recipient(id="c\\1", email="john@example.com", name=odd)))
    core.receive(item("click", NOON, "m-1", url=url, useragent=odd), item("open", NOON, "m-1", useragent=odd))
    core.drain()

    core.project()

    assert core.query("SELECT subject, recipient_name, recipient_id FROM email_logs") == [(odd, odd, "c\\1")]
    clicked = core.query("SELECT url, user_agent FROM email_engagement_events WHERE event_type = 'click'")
    assert clicked == core.query("SELECT clicked_url, user_agent FROM engagement_tracking WHERE event_type = 'clicked'")
    assert clicked == core.query("SELECT url, %s FROM email_links", clicked[0][1])
    assert clicked[0][0] == url

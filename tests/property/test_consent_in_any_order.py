"""What somebody said last about being tracked holds, however late reports tell of it (BR-558.1)."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.recipient import Recipient
from domain.tracking_terms import Consent, ConsentSource
from domain.values import addressee_id_for
from tests.support.emails import ACME, JOHN, NOON

told_at_once = st.tuples(st.sampled_from(Consent), st.integers(0, 20), st.none())
reported = st.tuples(st.just(Consent.OPTED_OUT), st.integers(0, 20), st.integers(0, 20))


def known_after(statements):
    """Have statements become known in the order in which they do; gives the person and the stream."""
    john = Recipient(addressee_id_for(ACME, JOHN))
    for consent, at, delay in sorted(statements, key=lambda one: (one[1] + (one[2] or 0), one[2] is None)):
        said_at = NOON + timedelta(minutes=at)
        john.change_consent(
            consent,
            organization_id=ACME,
            changed_at=said_at + timedelta(minutes=delay or 0),
            source=ConsentSource.API if delay is None else ConsentSource.UNSUBSCRIBE,
            said_at=None if delay is None else said_at,
        )
    return john, [recorded.fact for recorded in john.collect_events()]


@given(st.lists(st.one_of(told_at_once, reported), max_size=8, unique_by=lambda statement: statement[1]))
@settings(max_examples=500, deadline=None)
def test_what_was_said_last_holds_however_late_it_is_told(statements):
    john, _ = known_after(statements)

    last = max(statements, key=lambda statement: statement[1], default=(None,))
    assert john.consent is last[0]


@given(st.lists(st.one_of(told_at_once, reported), max_size=8, unique_by=lambda statement: statement[1]))
@settings(max_examples=500, deadline=None)
def test_reports_that_are_repeated_change_nothing_and_a_history_is_read_as_it_was_written(statements):
    john, facts = known_after(statements)
    again = Recipient(john.id)
    for fact in facts:
        again.replay(fact)

    for consent, at, delay in statements:
        if delay is not None:
            said_at = NOON + timedelta(minutes=at)
            assert not again.change_consent(
                consent,
                organization_id=ACME,
                changed_at=NOON + timedelta(hours=2),
                source=ConsentSource.UNSUBSCRIBE,
                said_at=said_at,
            )
    assert (again.consent, again.consent_said_at) == (john.consent, john.consent_said_at)

"""One notification per person and cause, whatever the order of reports and however often they come."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.values import Verdict
from tests.support.batches import take_in_batches_of
from tests.support.emails import JOB_AD, NOON, an_open, click, hours, reply, seconds
from tests.support.notified import MANAGER, Notified

instants = st.integers(0, 2 * 3600).map(lambda n: NOON + seconds(n))
verdicts = st.sampled_from([Verdict.HUMAN, Verdict.PROXY_OPEN, Verdict.MACHINE_OPEN])
messages = st.sampled_from(["m-1", "m-2"])
reports = st.one_of(
    st.builds(an_open, instants, message_id=messages, provider_verdict=verdicts),
    st.builds(click, instants, message_id=messages, provider_verdict=verdicts, url=st.just(JOB_AD)),
    st.builds(reply, instants, message_id=messages),
)


@st.composite
def tellings(draw):
    """The same reports twice: once each, and repeated in any order."""
    found = {}
    for report in draw(st.lists(reports, max_size=10)):
        found.setdefault((type(report), report.message_id, report.occurred_at), report)
    once = list(found.values())
    repeated = [report for report in once for _ in range(draw(st.integers(1, 3)))]
    return once, draw(st.permutations(repeated)), draw(st.integers(1, 4))


def told_of(all_reports, batch_size):
    notified = Notified()
    notified.now = NOON + hours(3)
    notified.prefers(MANAGER, my_jobs=True)
    for message_id in ("m-1", "m-2"):
        notified.register(message_id)
    for report in all_reports:
        notified.record(report, message_id=report.message_id)
    with pytest.MonkeyPatch.context() as patch:
        take_in_batches_of(batch_size, patch)
        notified.tell()
    return {
        (told.user_id, told.email_id, told.occasion): (told.causes, told.title, told.occurred_at)
        for told in notified.view.told.values()
    }, len(notified.view.told)


@settings(max_examples=60, deadline=None)
@given(tellings())
def test_the_same_is_told(telling):
    once, as_sent, batch_size = telling

    told, how_many = told_of(as_sent, batch_size)

    assert (told, how_many) == told_of(once, 5_000)
    assert how_many == len(told)
    human = {(report.message_id, type(report), report.occurred_at) for report in once if _is_human(report)}
    assert sum(len(causes) for causes, _, _ in told.values()) == 2 * len(human)


def _is_human(report):
    return getattr(report, "provider_verdict", None) in (None, Verdict.HUMAN, Verdict.PROXY_OPEN)

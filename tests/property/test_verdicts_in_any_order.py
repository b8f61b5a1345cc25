"""BR-558.7: who is thought to have opened and clicked depends on what happened, not on when it was reported."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import engagements
from domain.commands import RecordClick, RecordOpen
from domain.email_message import EmailMessage
from domain.policies.detection.detection import BUILT_IN
from domain.policies.detection.neighbours import Circumstances
from domain.policies.detection.sightings import doubted_by
from domain.tracking_terms import OPEN_TERMS, IpHandling, TrackingPolicy, TrackingTerms
from domain.values import Signal, Verdict
from tests.support.emails import NOON, an_open, click, delivery, email_id, seconds, sent
from tests.support.known import known_of

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Version/18.6 Safari/604.1"
AGENTS = ["", CHROME, SAFARI, "Mozilla/5.0", "python-requests/2.32", "okhttp/5.0", "Barracuda", "GoogleImageProxy"]
ADDRESSES = ["", "198.51.100.7", "203.0.113.9", "40.107.1.2", "209.222.80.5", "2001:db8::7"]

# Where rules begin and end: seconds, their limits, and half an hour.
moments = st.sampled_from([0, 1, 2, 9, 10, 11, 15, 16, 40, 60, 61, 300, 899, 900, 901, 960, 1800, 2700]).map(
    lambda n: NOON + seconds(n)
)
about = {
    "ip_address": st.sampled_from(ADDRESSES),
    "user_agent": st.sampled_from(AGENTS),
    "event_id": st.integers(1, 10**9).map(str),
    "provider_verdict": st.sampled_from([None, None, None, Verdict.MACHINE_OPEN, Verdict.SCANNER, Verdict.PROXY_OPEN]),
    "signals": st.sampled_from([(), (), (), (Signal.HEAD,), (Signal.NO_AGENT,), (Signal.OWN_VIEW,)]),
}
any_report = st.one_of(
    st.builds(delivery, moments, event_id=about["event_id"]),
    st.builds(an_open, moments, **about),
    st.builds(
        click, moments, st.sampled_from(["https://a.example/1", "https://a.example/2", "https://a.example/3"]), **about
    ),
)
told = st.lists(any_report, max_size=14, unique_by=lambda report: report.key_for(email_id()))


def stored_after(batches, *, sightings=1, terms=OPEN_TERMS):
    """Report batch by batch; each finds the email as the store gives it back."""
    stream = [sent(sent_at=NOON, links=3)]
    for batch in batches:
        message = replayed(stream)
        for report in batch:
            impression = None
            if isinstance(report, RecordOpen | RecordClick):
                impression = doubted_by(BUILT_IN.impression_of(report), sightings)
            message.record(report, received_at=NOON, impression=impression, terms=terms)
        stream += [recorded.fact for recorded in message.collect_events()]
    return stream


def replayed(stream):
    message = EmailMessage(email_id())
    for fact in stream:
        message.replay(fact)
    return message


def verdicts(stream):
    judged = {}
    for fact in stream:
        if hasattr(fact, "verdict"):
            judged[fact.key] = _of_machines(fact)
        for revised in getattr(fact, "judgements", ()):
            judged[revised.key] = _of_machines(revised)
    return judged


def _of_machines(judged):
    """Reasons say why somebody is thought to be no person; what made people suspicious for a while may differ."""
    return judged.verdict if judged.verdict.is_human else (judged.verdict, judged.reasons, judged.confidence)


@st.composite
def as_it_arrives(draw):
    """What happened, and the same shuffled, repeated and cut into batches."""
    reports = draw(told)
    repeated = [report for report in reports for _ in range(draw(st.integers(1, 3)))]
    shuffled = draw(st.permutations(repeated))
    cuts = sorted(draw(st.sets(st.integers(0, len(shuffled)), max_size=5)))
    bounds = [0, *cuts, len(shuffled)]
    return reports, [shuffled[start:end] for start, end in pairwise(bounds)]


@given(as_it_arrives())
@settings(max_examples=600, deadline=None)
def test_verdicts_and_counts_are_those_of_the_whole(arrival):
    reports, batches = arrival
    at_once, in_batches = stored_after([reports]), stored_after(batches)

    assert verdicts(in_batches) == verdicts(at_once)
    assert known_of(in_batches) == known_of(at_once)


@given(as_it_arrives())
@settings(max_examples=200, deadline=None)
def test_one_by_one_is_the_same_as_at_once(arrival):
    reports, _ = arrival

    assert verdicts(stored_after([[report] for report in reports])) == verdicts(stored_after([reports]))


@given(as_it_arrives())
@settings(max_examples=200, deadline=None)
def test_rejudging_by_the_rules_that_judged_finds_nothing(arrival):
    _, batches = arrival
    message = replayed(stored_after(batches, sightings=7))

    assert not message.rejudge(BUILT_IN, at=NOON)
    assert message.collect_events() == []


@given(as_it_arrives())
@settings(max_examples=200, deadline=None)
def test_a_message_that_lives_on_judges_as_one_that_is_read_back(arrival):
    _, batches = arrival
    live = replayed([sent(sent_at=NOON, links=3)])
    stream = [sent(sent_at=NOON, links=3)]
    for batch in batches:
        for report in batch:
            live.record(report, received_at=NOON)
        stream += [recorded.fact for recorded in live.collect_events()]

    assert verdicts(stream) == verdicts(stored_after(batches))
    assert known_of(stream) == known_of(stored_after(batches))
    assert not live.rejudge(BUILT_IN, at=NOON)
    assert not replayed(stream).rejudge(BUILT_IN, at=NOON)


def _compared(opens):
    return opens._compared(Circumstances(sent_at=NOON), everything=False)


@given(as_it_arrives())
@settings(max_examples=400, deadline=None)
def test_who_is_judged_alone_would_be_judged_the_same_in_comparison(arrival):
    _, batches = arrival
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(engagements, "may_compare", lambda glances, *, everything: True)
        patched.setattr(engagements.Engagements, "_opens_alone", _compared)
        compared = stored_after(batches)

    assert stored_after(batches) == compared


def test_an_agent_that_was_never_told_leaves_a_verdict_open_to_what_follows():
    an_open_without_agent = an_open(NOON, ip_address="198.51.100.7", event_id="1")
    by_a_library = click(
        NOON, "https://a.example/1", ip_address="198.51.100.7", user_agent="python-requests/2.32", event_id="2"
    )
    flagged = an_open(
        NOON, ip_address="198.51.100.7", user_agent=CHROME, event_id="3", provider_verdict=Verdict.MACHINE_OPEN
    )
    reports = [an_open_without_agent, by_a_library, flagged]

    assert verdicts(stored_after([[report] for report in reports])) == verdicts(stored_after([reports]))


def test_addresses_that_were_cut_accuse_no_neighbour():
    scanned = an_open(NOON, ip_address="198.51.100.7", event_id="1", provider_verdict=Verdict.SCANNER)
    by_a_neighbour = an_open(NOON + seconds(10), ip_address="198.51.100.8", user_agent=CHROME, event_id="2")
    later = click(NOON + seconds(60), "https://a.example/1", ip_address="203.0.113.9", user_agent=SAFARI, event_id="3")
    terms = TrackingTerms(TrackingPolicy(ip_handling=IpHandling.TRUNCATE))

    stream = stored_after([[scanned], [by_a_neighbour], [later]], terms=terms)

    assert verdicts(stream)[by_a_neighbour.key_for(email_id())] is Verdict.HUMAN

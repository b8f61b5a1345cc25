"""BR-558.5 and TRUST.md: duplicates 1 to 46 times, any order, over 30 hours: the same state as once, in order."""

from itertools import pairwise
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.agents import read_agent
from adapters.memory.engagement_view import MemoryEngagementView
from domain.email_facts import Engagement, Personal, Recorded, Rejudged, Rejudgement
from domain.email_message import EmailMessage
from domain.recipient_facts import Erased
from domain.tracking_terms import OPEN_TERMS, TrackingPolicy, TrackingTerms
from domain.values import BounceKind, Verdict, addressee_id_for
from read_models.engagement import again
from read_models.engagement.projection import ProjectEngagement
from read_models.engagement.totals import contribution
from read_models.events import LoggedFact
from tests.support.batches import take_in_batches_of
from tests.support.emails import (
    ACME,
    CALENDAR,
    JOB_AD,
    NOON,
    an_open,
    bounce,
    click,
    deferral,
    delivery,
    drop,
    email_id,
    reply,
    seconds,
    sent,
    spam_report,
    unsubscribe,
)
from tests.support.known import KNOWN, known_of, news_of
from tests.support.storages import MemoryStorage, PostgresStorage

MESSAGES = ("m-1", "m-2", "m-3")

# Whole seconds, few of them: collisions are what this is about.
instants = st.integers(-5, 30 * 3600).map(lambda n: NOON + seconds(n)) | st.integers(0, 3).map(
    lambda n: NOON + seconds(n)
)
messages = st.sampled_from(MESSAGES)
event_ids = st.sampled_from(["", "", "e-1", "e-2"])
verdicts = st.sampled_from([None, None, *Verdict])


def reports(make, **told):
    return st.builds(make, instants, message_id=messages, event_id=event_ids, **told)


any_report = st.one_of(
    reports(delivery),
    reports(deferral),
    reports(an_open, provider_verdict=verdicts),
    reports(
        click,
        url=st.sampled_from([JOB_AD, CALENDAR]),
        link_position=st.sampled_from(["", "header", "footer"]),
        provider_verdict=verdicts,
    ),
    reports(bounce, kind=st.sampled_from(BounceKind), reason=st.sampled_from(["", "mailbox_full", "spam_content"])),
    reports(drop, reason=st.sampled_from(["", "bounced_address"])),
    reports(spam_report),
    reports(unsubscribe),
    reports(reply),
)


@st.composite
def report_sets(draw):
    """Reports that differ, as a provider's do: no two share an identity and disagree about the rest."""
    found = {}
    for report in draw(st.lists(any_report, max_size=12)):
        found.setdefault(report.key_for(email_id(report.message_id)), report)
    return list(found.values())


@st.composite
def deliveries(draw):
    """The same reports twice: once each in order of time, and as a provider on a bad day sends them."""
    told = draw(report_sets())
    in_order = sorted(told, key=lambda report: report.occurred_at)
    repeated = [
        report for report in told for _ in range(draw(st.integers(1, 46) if len(told) < 3 else st.integers(1, 4)))
    ]
    return in_order, draw(st.permutations(repeated))


def held_by(message):
    """What an email holds to decide on further reports, besides who is thought to have opened and clicked."""
    names = [name for name in EmailMessage.__slots__ if not name.startswith("_")]
    return {name: getattr(message, name) for name in names} | {
        "version": message.version,
        "was_engaged": message.was_engaged,
    }


def told_to_one_email(all_reports):
    message = EmailMessage(email_id("m-1"))
    message.register(sent("m-1"))
    tell(message, all_reports)
    return message


def tell(message, all_reports):
    for report in all_reports:
        if report.message_id == "m-1":
            message.record(report, received_at=NOON)


@given(deliveries())
def test_an_email_knows_the_same(told):
    in_order, as_sent = told

    one, other = told_to_one_email(in_order), told_to_one_email(as_sent)

    assert held_by(one) == held_by(other)
    assert known_of(news_of(one)) == known_of(news_of(other))


@given(report_sets(), report_sets())
def test_an_email_that_is_read_back_holds_and_decides_what_the_live_one_does(all_reports, further):
    live = told_to_one_email(all_reports)
    stream = news_of(live)
    replayed = EmailMessage(live.id)
    for fact in stream:
        replayed.replay(fact)

    assert held_by(replayed) == held_by(live)
    assert live.delivered_at == known_of(stream).delivered_at
    for message in (live, replayed):
        tell(message, further)
    assert held_by(replayed) == held_by(live)
    assert known_of(stream + news_of(replayed)) == known_of(stream + news_of(live))


def rows_after(all_reports, storage=None):
    storage = storage or MemoryStorage()
    for message_id in MESSAGES:
        storage.register(message_id, tracking=message_id != "m-3")
    for report in all_reports:
        storage.record(report, message_id=report.message_id)
    storage.project()
    return storage


def comparable_rows(storage):
    # How many opens came before one is the one thing in a row that tells the order of arrival.
    events = [(*row[:7], row[8]) for row in storage.events()]
    return storage.emails(), sorted(events, key=str), storage.automated(), storage.links(), storage.totals()


@given(deliveries())
@settings(max_examples=150, deadline=None)
def test_the_rows_and_totals_are_the_same(told):
    in_order, as_sent = told

    assert comparable_rows(rows_after(in_order)) == comparable_rows(rows_after(as_sent))


@given(report_sets())
@settings(max_examples=150, deadline=None)
def test_rows_say_what_the_email_knows(all_reports):
    storage = rows_after(all_reports)
    row, found = storage.emails()["m-1"], known_of(storage.facts("m-1"))

    assert {name: row[name] for name in KNOWN} == {name: getattr(found, name) for name in KNOWN}


class Change(msgspec.Struct, frozen=True):
    """Something that shows an email in a new light; `which` of the reports before it, and what it is now."""

    message_id: str
    which: int
    verdict: Verdict
    erases: bool = False


changes_of_mind = st.builds(
    Change, messages, st.integers(0, 20), st.sampled_from(Verdict), erases=st.sampled_from([False, False, False, True])
)
PRIVATE = TrackingTerms(TrackingPolicy(privacy_mode=True))
any_terms = st.sampled_from([OPEN_TERMS, OPEN_TERMS, PRIVATE])
any_news = st.tuples(any_report, any_terms) | changes_of_mind


def logged_facts(news, at_once=()):
    """A global order: registrations, each with reports right behind it, then the other reports and changes of mind."""
    emails = {message_id: EmailMessage(email_id(message_id)) for message_id in MESSAGES}
    recorded, erasures = [], 0
    for message_id, email in emails.items():
        email.register(sent(message_id, tracking=message_id != "m-3", personal=Personal(address=to(message_id))))
        for report, terms in at_once:
            if report.message_id == message_id:
                email.record(report, received_at=NOON, terms=terms)
        recorded += email.collect_events()
    for one in news:
        if isinstance(one, tuple):
            report, terms = one
            emails[report.message_id].record(report, received_at=NOON, terms=terms)
            recorded += emails[report.message_id].collect_events()
        elif one.erases:
            erasures += 1
            erased = Erased(organization_id=ACME, erased_at=NOON)
            recorded.append(Recorded(addressee_id_for(ACME, to(one.message_id)), erasures, erased))
        else:
            recorded += judged_anew(emails[one.message_id], recorded, one)
    return [LoggedFact(place, event.originator_id, event.fact) for place, event in enumerate(recorded, 1)]


def to(message_id):
    return f"{message_id}@example.com"


def judged_anew(email, recorded, change):
    keys = [event.fact.key for event in recorded if event.originator_id == email.id and is_judged(event.fact)]
    if not keys:
        return []
    judgement = Rejudgement(keys[change.which % len(keys)], change.verdict, ("burst",), 0.5)
    email._record(Rejudged(judgements=(judgement,), rule_version=2, recorded_at=NOON))
    return email.collect_events()


def is_judged(fact):
    return isinstance(fact, Engagement)


class LogOf:
    """The events so far, for emails that are folded again."""

    def __init__(self, log):
        self._log = log

    def streams(self, ids, *, until):
        return [logged for id_ in ids for logged in self._log if logged.stream_id == id_ and logged.place <= until]

    def lengths(self, ids):
        return {id_: sum(logged.stream_id == id_ for logged in self._log) for id_ in ids}


def projected(log, cuts):
    view = MemoryEngagementView()
    bounds = [0, *sorted(cuts), len(log)]
    for start, end in pairwise(bounds):
        batch = log[start:end]
        while batch:
            batch = batch[ProjectEngagement(view, LogOf(log), read_agent)(batch) :]
    return vars(view)


@given(
    st.lists(any_news, max_size=15),
    st.lists(st.tuples(any_report, any_terms), max_size=3),
    st.sets(st.integers(0, 21)),
    st.sampled_from([1, 4, 50_000]),
)
@settings(max_examples=300, deadline=None)
def test_rows_do_not_tell_how_events_were_batched(news, at_once, cuts, fit):
    log = logged_facts(news, at_once)

    in_one = projected(log, ())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(again, "MOST_FACTS_FOLDED_AGAIN", fit)
        in_many = projected(log, [cut for cut in cuts if cut < len(log)])

    assert in_one == in_many


@given(st.lists(any_news, max_size=15), st.sets(st.integers(0, 18)))
@settings(max_examples=200, deadline=None)
def test_rows_are_those_of_the_verdicts_that_hold_in_the_end(news, cuts):
    log = logged_facts(news)
    judgements = [judged for logged in log if isinstance(logged.fact, Rejudged) for judged in logged.fact.judgements]
    verdicts = {judged.key: judged for judged in judgements}
    as_if_judged_so_at_once = [
        LoggedFact(logged.place, logged.stream_id, with_verdict(logged.fact, verdicts))
        for logged in log
        if not isinstance(logged.fact, Rejudged)
    ]

    tables = projected(log, [cut for cut in cuts if cut < len(log)])

    assert tables == projected(as_if_judged_so_at_once, ())


def with_verdict(fact, verdicts):
    if not is_judged(fact) or fact.key not in verdicts:
        return fact
    judged = verdicts[fact.key]
    return msgspec.structs.replace(
        fact, verdict=judged.verdict, reasons=judged.reasons, confidence=judged.confidence, rule_version=2
    )


@given(st.lists(any_news, max_size=15), st.sets(st.integers(0, 18)))
@settings(max_examples=200, deadline=None)
def test_totals_always_equal_a_recount_of_the_rows(news, cuts):
    log = logged_facts(news)

    tables = projected(log, [cut for cut in cuts if cut < len(log)])

    recount = [sum(column) for column in zip(*map(contribution, tables["email_logs"].values()), strict=True)]
    [kept] = tables["totals"].values()
    assert kept == recount


@given(st.lists(any_news, max_size=15), st.sets(st.integers(0, 18)))
@settings(max_examples=200, deadline=None)
def test_an_email_has_an_implied_open_exactly_when_a_click_is_all_that_shows_it(news, cuts):
    log = logged_facts(news)
    tables = projected(log, [cut for cut in cuts if cut < len(log)])

    for email in tables["email_logs"].values():
        human = [row for row in tables["events"].values() if row.email.email_id == email.email_id]
        opens = [row for row in human if row.event_word == "open"]
        clicks = [row for row in human if row.event_word == "click"]
        assert any(row.place < 0 for row in opens) == bool(clicks and not email.open_count)
        if clicks and not email.open_count:
            assert len(opens) == 1
            assert opens[0].occurred_at == min(row.occurred_at for row in clicks)


@pytest.mark.parametrize("seed", [558, 2026, 46])
def test_postgresql_keeps_the_rows_that_memory_keeps(core, seed, monkeypatch):
    # Batches of seven, so that a backlog is worked off in many, some of them still being written.
    take_in_batches_of(7, monkeypatch)
    random = Random(seed)
    news = [(report, random.choice([OPEN_TERMS, OPEN_TERMS, PRIVATE])) for report in some_reports(random, how_many=150)]
    for _ in range(25):
        change = Change(random.choice(MESSAGES), random.randrange(99), random.choice([*Verdict]), random.random() < 0.2)
        news.insert(random.randrange(20, len(news)), change)

    memory, postgres = rows_of(news, MemoryStorage()), rows_of(news, PostgresStorage(core))

    assert any(email["erased_by"] for email in memory.emails().values())
    assert postgres.set_aside() == []
    assert memory.scanned_links() == postgres.scanned_links()
    assert memory.emails() == postgres.emails()
    assert memory.events() == postgres.events()
    assert memory.automated() == postgres.automated()
    assert memory.links() == postgres.links()
    assert memory.totals() == postgres.totals()
    assert memory.ranked() == postgres.ranked()


def rows_of(news, storage):
    for message_id in MESSAGES:
        storage.register(
            message_id, tracking=message_id != "m-3", personal=Personal(address=to(message_id), name=message_id)
        )
    for one in news:
        if not isinstance(one, Change):
            report, terms = one
            storage.record(report, message_id=report.message_id, terms=terms)
        elif one.erases:
            storage.erase(to(one.message_id))
        elif keys := sorted(storage.history(one.message_id).seen):
            storage.judge_anew(one.verdict, keys[one.which % len(keys)], message_id=one.message_id)
    storage.project()
    return storage


def some_reports(random, how_many):
    makers = [
        delivery,
        deferral,
        an_open,
        lambda at, **told: an_open(at, provider_verdict=random.choice([*Verdict]), **told),
        lambda at, **told: click(at, random.choice([JOB_AD, CALENDAR]), link_position=random.choice("12"), **told),
        lambda at, **told: click(at, provider_verdict=random.choice([*Verdict]), **told),
        lambda at, **told: bounce(at, random.choice([*BounceKind]), **told),
        drop,
        spam_report,
        unsubscribe,
        reply,
    ]
    return [
        random.choice(makers)(NOON + seconds(random.randint(0, 600)), message_id=random.choice(MESSAGES))
        for _ in range(how_many)
    ]

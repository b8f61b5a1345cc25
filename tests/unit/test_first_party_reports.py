"""From a reader's request to the email's facts: signals, details, and what every request is."""

from uuid import UUID

import msgspec
import pytest

from adapters.first_party import FirstParty
from application.first_party_reports import NO_ENDPOINT, PROVIDER
from application.ports.provider import MalformedDeliveryError
from application.ports.tracking_tokens import BrokenTokenError, EmailReference, TrackedLink
from domain.email_facts import NOBODY, Clicked, Opened, Unsubscribed
from domain.values import Signal, Verdict
from tests.support.emails import ACME, NOON
from tests.support.readers import CHROME, LATER, LINK, Readers


@pytest.fixture
def readers():
    return Readers()


def test_an_open_is_recorded_with_who_and_when(readers):
    readers.open()

    [fact] = readers.facts()
    assert isinstance(fact, Opened)
    assert (fact.verdict, fact.occurred_at) == (Verdict.HUMAN, NOON + LATER)
    assert (fact.personal.ip_address, fact.personal.user_agent) == ("203.0.113.7", CHROME)


def test_a_click_is_recorded_with_address_position_and_text(readers):
    assert readers.click() == LINK.url

    [fact] = readers.facts()
    assert isinstance(fact, Clicked)
    assert (fact.url, fact.link_position, fact.link_text) == (LINK.url, "2", "Choose a time")
    assert fact.verdict is Verdict.HUMAN


def test_a_click_is_counted_under_the_address_that_names_nobody(readers):
    url, counted_as = "https://a.example/?who=j%40x.example", "https://a.example/?who=[recipient]"
    named = msgspec.structs.replace(LINK, url=url, counted_as=counted_as)

    assert readers.click(named) == named.url

    [fact] = readers.facts()
    assert fact.url == "https://a.example/?who=[recipient]"


def test_an_unsubscription_is_recorded_and_waited_for(readers):
    readers.unsubscribe()

    [fact] = readers.facts()
    assert isinstance(fact, Unsubscribed)
    assert fact.personal == NOBODY
    assert readers.spool.durable_until == 1


def test_every_request_counts_and_a_report_that_comes_twice_counts_once(readers):
    readers.open()
    readers.open()
    readers.spool.kept *= 3

    assert len(readers.facts()) == 2


@pytest.mark.parametrize(
    "request_told, signals",
    [
        ({"method": "HEAD"}, (Signal.HEAD,)),
        ({"sec_purpose": "prefetch;prerender"}, (Signal.PREFETCH,)),
        ({"purpose": "Prefetch"}, (Signal.PREFETCH,)),
        ({"x_purpose": "preview"}, (Signal.PREFETCH,)),
        ({"x_moz": "prefetch"}, (Signal.PREFETCH,)),
        ({"method": "HEAD", "x_moz": "prefetch"}, (Signal.HEAD, Signal.PREFETCH)),
        ({"sec_purpose": "navigation"}, ()),
        ({"user_agent": ""}, (Signal.NO_AGENT,)),
    ],
)
def test_what_a_request_says_about_itself_is_told(readers, request_told, signals):
    readers.click(**request_told)

    [about] = FirstParty().translate({}, readers.spool.kept[0].body)
    assert about.report.signals == signals


@pytest.mark.parametrize(
    "request_told, verdict",
    [
        ({"method": "HEAD"}, Verdict.SCANNER),
        ({"sec_purpose": "prefetch"}, Verdict.MACHINE_OPEN),
        ({"user_agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"}, Verdict.PREVIEW),
        ({}, Verdict.HUMAN),
    ],
)
def test_the_detection_policy_sees_readers_requests(readers, request_told, verdict):
    readers.open(**request_told)

    [fact] = readers.facts()
    assert fact.verdict is verdict


@pytest.mark.parametrize("wish", [{"sec_gpc": "1"}, {"dnt": "1"}])
def test_who_asks_for_privacy_is_counted_without_details(readers, wish):
    readers.open(**wish)
    readers.click(**wish)

    assert [(fact.personal, fact.verdict) for fact in readers.facts()] == [(NOBODY, Verdict.HUMAN)] * 2


def test_without_a_wish_details_are_kept(readers):
    readers.open(dnt="0", sec_gpc="0")

    [fact] = readers.facts()
    assert fact.personal.ip_address == "203.0.113.7"


def test_a_reader_whose_address_is_unknown_is_recorded_all_the_same(readers):
    readers.open(client=None)

    [fact] = readers.facts()
    assert fact.personal.ip_address == ""


def test_an_agent_of_any_length_is_cut_and_storable(readers):
    readers.open(user_agent="x\x00" * 50_000)

    [fact] = readers.facts()
    assert fact.personal.user_agent == "x" * 1024


def test_a_report_names_neither_endpoint_nor_person(readers):
    readers.click()

    [report] = readers.spool.kept
    assert (report.endpoint_id, report.provider, report.organization_id) == (NO_ENDPOINT, PROVIDER, ACME)
    assert b"john" not in report.body


def test_an_email_that_was_purged_is_reported_to_nobody(readers):
    readers.email = EmailReference(ACME, UUID(int=7))
    readers.open()

    assert readers.facts() == []
    assert readers.scene.store.parked == {}
    assert readers.scene.store.outcomes["ignored_purged_email"] == 1


def test_a_link_that_leads_to_no_page_is_broken(readers):
    token = readers.tokens.for_click(readers.email, TrackedLink(url="javascript:alert(1)", position="1"))

    with pytest.raises(BrokenTokenError):
        readers.reception.target_of(token)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"kind":"spam"}', b"\xff"])
def test_a_body_that_is_no_report_is_malformed(body):
    with pytest.raises(MalformedDeliveryError):
        FirstParty().translate({}, body)

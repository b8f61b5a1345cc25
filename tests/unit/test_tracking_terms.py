import pytest
from msgspec.structs import replace

from domain.email_facts import NOBODY, Clicked, Delivered, Opened
from domain.email_message import EmailMessage
from domain.organization import Organization
from domain.policies.detection.detection import BUILT_IN
from domain.policies.parking import parked_under
from domain.policies.privacy import truncated
from domain.recipient import Recipient
from domain.tracking_terms import (
    Consent,
    ConsentMode,
    ConsentSource,
    IpHandling,
    TrackingPolicy,
    TrackingTerms,
)
from domain.values import Verdict, addressee_id_for
from tests.support.emails import (
    ACME,
    GLOBEX,
    JOB_AD,
    JOHN,
    NOON,
    an_open,
    bounce,
    click,
    delivery,
    email_id,
    hours,
    minutes,
    reply,
    seconds,
    sent,
    spam_report,
    unsubscribe,
)
from tests.support.known import known_of, news_of

OPT_IN = TrackingPolicy(consent_mode=ConsentMode.OPT_IN)
PRIVATE = TrackingPolicy(privacy_mode=True)
THUNDERBIRD = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.0"
AN_OPEN = an_open(
    NOON + hours(1),
    ip_address="198.51.100.77",
    user_agent=THUNDERBIRD,
    detail="x",
    metadata={"wave": 2},
    event_id="o-1",
)
A_CLICK = click(
    NOON + hours(2), link_position="2", link_text="Apply", ip_address="198.51.100.77", user_agent=THUNDERBIRD
)


def known(**told):
    message = EmailMessage(email_id())
    message.register(sent(**told))
    message.collect_events()
    return message


def recorded(policy, report, **told):
    """The fact that is kept of a report on a known email."""
    message = known()
    message.record(report, received_at=NOON + hours(3), delivery_id=7, terms=TrackingTerms(policy), **told)
    [event] = message.collect_events()
    return event.fact


# What may be recorded


@pytest.mark.parametrize(
    "policy, consent, refusal",
    [
        (TrackingPolicy(), None, ""),
        (TrackingPolicy(), Consent.OPTED_IN, ""),
        (TrackingPolicy(), Consent.OPTED_OUT, "no_consent"),
        (OPT_IN, None, "no_consent"),
        (OPT_IN, Consent.OPTED_IN, ""),
        (OPT_IN, Consent.OPTED_OUT, "no_consent"),
        (TrackingPolicy(tracking_enabled=False), None, "tracking_disabled"),
        (TrackingPolicy(tracking_enabled=False), Consent.OPTED_IN, "tracking_disabled"),
        (PRIVATE, None, ""),
    ],
)
@pytest.mark.parametrize("engagement", [an_open(), click()], ids=["open", "click"])
def test_opens_and_clicks_are_recorded_as_policy_and_consent_allow(policy, consent, refusal, engagement):
    message, terms = known(), TrackingTerms(policy, consent)

    assert message.refusal_of(engagement, terms) == refusal
    assert message.record(engagement, received_at=NOON, terms=terms) is (refusal == "")
    assert len(message.collect_events()) == (refusal == "")


@pytest.mark.parametrize("report", [delivery(), bounce(), spam_report(), unsubscribe(), reply()], ids=lambda r: r.KIND)
@pytest.mark.parametrize("policy", [TrackingPolicy(tracking_enabled=False), OPT_IN], ids=["off", "opt-in"])
def test_what_is_no_engagement_is_recorded_whatever_policy_and_consent_are(report, policy):
    assert known().record(report, received_at=NOON, terms=TrackingTerms(policy, Consent.OPTED_OUT))


def test_an_email_that_was_sent_untracked_stays_so_whatever_holds_later():
    message = known(tracking=False)

    assert message.refusal_of(an_open(), TrackingTerms(consent=Consent.OPTED_IN)) == "tracking_disabled"
    assert not message.record(an_open(), received_at=NOON)


def test_a_report_that_was_refused_is_news_once_it_is_allowed():
    message = known()
    message.record(an_open(), received_at=NOON, terms=TrackingTerms(consent=Consent.OPTED_OUT))

    assert message.record(an_open(), received_at=NOON)


# IP addresses (SEC-5)


@pytest.mark.parametrize(
    "address, network",
    [
        ("198.51.100.77", "198.51.100.0"),
        ("10.0.0.255", "10.0.0.0"),
        ("2001:db8:1234:5678:9abc:def0:1234:5678", "2001:db8:1234::"),
        ("::ffff:198.51.100.77", "198.51.100.0"),
        ("::FFFF:C633:644D", "198.51.100.0"),
        ("2002:c633:644d::1", "2002:c633:6400::"),
        ("64:ff9b::c633:644d", "64:ff9b::"),
        ("::198.51.100.77", "::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
        ("198.51.100.77, 203.0.113.9", ""),
        ("198.51.100.77:443", ""),
        ("john's phone", ""),
    ],
)
def test_of_an_address_its_network_is_kept_and_of_anything_else_nothing(address, network):
    assert truncated(address) == network


@pytest.mark.parametrize(
    "handling, ip_address, hidden, is_cut",
    [
        (IpHandling.KEEP, "198.51.100.77", "", False),
        (IpHandling.TRUNCATE, "198.51.100.0", "", True),
        (IpHandling.ENCRYPT, "", "198.51.100.77", False),
        (IpHandling.DROP, "", "", True),
    ],
)
@pytest.mark.parametrize("report", [AN_OPEN, A_CLICK], ids=["open", "click"])
def test_addresses_of_opens_and_clicks_are_handled_as_the_policy_says(handling, ip_address, hidden, is_cut, report):
    fact = recorded(TrackingPolicy(ip_handling=handling), report)

    kept = fact.personal
    assert (kept.ip_address, kept.hidden_ip_address, kept.is_ip_address_cut) == (ip_address, hidden, is_cut)
    assert (fact.personal.user_agent, fact.occurred_at, fact.withheld) == (THUNDERBIRD, report.occurred_at, False)


# Privacy mode (BR-558.8)


@pytest.mark.parametrize("handling", IpHandling)
def test_in_privacy_mode_an_open_leaves_its_verdict_and_nothing_of_who_and_when(handling):
    fact = recorded(TrackingPolicy(privacy_mode=True, ip_handling=handling), AN_OPEN)

    assert fact == Opened(
        key=AN_OPEN.key_for(email_id()),
        occurred_at=sent().sent_at,
        recorded_at=sent().recorded_at,
        withheld=True,
        verdict=fact.verdict,
        reasons=fact.reasons,
        confidence=fact.confidence,
        rule_version=fact.rule_version,
    )


def test_in_privacy_mode_a_click_leaves_its_link_too():
    fact = recorded(PRIVATE, A_CLICK)

    assert isinstance(fact, Clicked)
    assert (fact.url, fact.link_position, fact.link_text) == (JOB_AD, "2", "Apply")
    assert (fact.personal, fact.withheld, fact.occurred_at) == (NOBODY, True, sent().sent_at)


def test_in_privacy_mode_other_facts_keep_their_time_but_nobodys_words():
    fact = recorded(PRIVATE, delivery(NOON + minutes(1), detail="250 OK john@example.com", metadata={"who": JOHN}))

    assert isinstance(fact, Delivered)
    assert (fact.personal, fact.metadata, fact.withheld) == (NOBODY, None, False)
    assert (fact.occurred_at, fact.recorded_at, fact.delivery_id) == (NOON + minutes(1), NOON + hours(3), 7)


def test_in_privacy_mode_the_verdict_is_reached_with_everything_in_sight():
    told = {"ip_address": "40.94.0.1", "user_agent": "python-requests/2.32"}

    open_here, open_there = recorded(PRIVATE, an_open(**told)), recorded(TrackingPolicy(), an_open(**told))

    assert (open_here.verdict, open_here.reasons) == (open_there.verdict, open_there.reasons)


def test_in_privacy_mode_counts_stay_and_times_do_not():
    message = known()
    for report in (AN_OPEN, A_CLICK):
        assert message.record(report, received_at=NOON, terms=TrackingTerms(PRIVATE))

    found = known_of(news_of(message))
    assert (found.open_count, found.click_count, found.unique_click_count) == (1, 1, 1)
    assert (found.opened_at, found.clicked_at) == (None, None)


def test_in_privacy_mode_a_repeated_report_is_recognised():
    message = known()
    for _ in range(2):
        message.record(AN_OPEN, received_at=NOON, terms=TrackingTerms(PRIVATE))

    assert known_of(news_of(message)).open_count == 1


def test_what_is_judged_anew_because_of_a_withheld_click_does_not_tell_when_that_was():
    message, at = known(), NOON + hours(2)
    for n in range(2):
        message.record(click(at + seconds(4 * n), url=f"https://acme.example/{n}"), received_at=at)
    message.collect_events()

    message.record(click(at + seconds(8), url=JOB_AD), received_at=at + hours(1), terms=TrackingTerms(PRIVATE))

    facts = [event.fact for event in message.collect_events()]
    assert {type(fact).__name__ for fact in facts} == {"Clicked", "Rejudged"}, "three links in ten seconds are a burst"
    assert all(fact.recorded_at <= at for fact in facts)


# What waits for its email


def parked(policy, report):
    return parked_under(policy, report, email_id(), NOON + hours(3), BUILT_IN)


def test_what_is_parked_in_privacy_mode_says_neither_who_nor_when_but_is_recognised():
    kept = parked(PRIVATE, AN_OPEN)

    assert (kept.ip_address, kept.user_agent, kept.detail, kept.metadata, kept.event_id) == ("", "", "", None, "")
    assert kept.occurred_at == NOON.replace(hour=0)
    assert kept.key_for(email_id()) == AN_OPEN.key_for(email_id())


def test_what_was_parked_in_privacy_mode_stays_private_whatever_the_policy_is_later():
    fact = recorded(TrackingPolicy(), parked(PRIVATE, A_CLICK))

    judged_by_itself = {"reasons": (), "confidence": fact.confidence}
    assert fact == replace(recorded(PRIVATE, A_CLICK), **judged_by_itself)


@pytest.mark.parametrize("handling, address", [(IpHandling.TRUNCATE, "198.51.100.0"), (IpHandling.DROP, "")])
def test_what_is_parked_has_no_more_of_an_address_than_will_be_kept(handling, address):
    policy = TrackingPolicy(ip_handling=handling)

    kept = parked(policy, AN_OPEN)

    assert (kept.ip_address, kept.user_agent, kept.occurred_at) == (address, THUNDERBIRD, AN_OPEN.occurred_at)
    later, at_once = recorded(policy, kept).personal, recorded(policy, AN_OPEN).personal
    assert replace(later, is_ip_address_cut=True) == at_once


def test_what_is_parked_was_judged_with_everything_in_sight():
    scanned = an_open(provider_verdict=Verdict.SCANNER, ip_address="198.51.100.77")

    fact = recorded(PRIVATE, parked(PRIVATE, scanned))

    assert (fact.verdict, fact.reasons) == (Verdict.SCANNER, recorded(PRIVATE, scanned).reasons)


@pytest.mark.parametrize("handling", [IpHandling.KEEP, IpHandling.ENCRYPT])
def test_otherwise_a_report_is_parked_as_it_came(handling):
    for report in (AN_OPEN, A_CLICK, delivery(detail="x")):
        assert parked(TrackingPolicy(ip_handling=handling), report) == report


def test_other_reports_are_parked_without_words_in_privacy_mode():
    assert parked(PRIVATE, delivery(detail="250 OK", metadata={"who": JOHN})) == delivery()


# Who decides


def test_the_last_policy_holds_and_the_same_one_again_is_no_news():
    organization = Organization(ACME)

    assert organization.change_policy(PRIVATE, changed_at=NOON, changed_by="u-1")
    assert not organization.change_policy(PRIVATE, changed_at=NOON + hours(1), changed_by="u-2")

    assert (organization.policy, organization.version) == (PRIVATE, 1)


def test_what_somebody_said_last_holds_and_the_same_again_is_no_news():
    john = Recipient(addressee_id_for(ACME, JOHN))
    told = {"organization_id": ACME, "source": ConsentSource.API}

    news = [
        john.change_consent(consent, changed_at=NOON + hours(n), **told)
        for n, consent in enumerate([Consent.OPTED_OUT, Consent.OPTED_OUT, Consent.OPTED_IN])
    ]

    assert news == [True, False, True]
    assert (john.consent, john.consent_changed_at) == (Consent.OPTED_IN, NOON + hours(2))


def test_a_history_is_read_as_it_was_written():
    john, again = Recipient(addressee_id_for(ACME, JOHN)), Recipient(addressee_id_for(ACME, JOHN))
    john.change_consent(Consent.OPTED_OUT, organization_id=ACME, changed_at=NOON, source=ConsentSource.UNSUBSCRIBE)

    for event in john.collect_events():
        again.replay(event.fact)

    assert (again.consent, again.consent_source, again.version) == (Consent.OPTED_OUT, ConsentSource.UNSUBSCRIBE, 1)


def test_what_somebody_says_to_one_organisation_says_nothing_to_another():
    assert addressee_id_for(ACME, JOHN) != addressee_id_for(GLOBEX, JOHN)

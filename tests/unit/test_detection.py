"""DETECTION, rule by rule: an email delivered at NOON, and who is thought to have opened it or followed its links."""

import pytest
from msgspec.structs import replace

from domain.commands import RecordClick, RecordOpen
from domain.email_message import EmailMessage
from domain.policies.detection.built_in import built_in_rules
from domain.policies.detection.detection import BUILT_IN, Detection
from domain.policies.detection.rule_file import parse_rules
from domain.policies.detection.rules import DetectionRules
from domain.policies.detection.sightings import doubted_by
from domain.values import Signal, Verdict
from tests.support.emails import NOON, an_open, click, delivery, email_id, hours, minutes, seconds, sent

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Version/18.6 Safari/604.1"
GMAIL_PREFETCH = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
)
GMAIL_PROXY = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
YAHOO_PROXY = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
HOME, OFFICE, ELSEWHERE = "198.51.100.7", "203.0.113.20", "192.0.2.44"
LATER = NOON + hours(2)
LINKS = [f"https://acme.example/jobs/{n}" for n in range(1, 6)]


def an_email(*reports, sightings=1, detection=BUILT_IN, delivered=True, **told):
    """Tell an email of everything at once; gives the verdicts of opens and clicks in the order told."""
    message = EmailMessage(email_id())
    message.register(sent(sent_at=NOON - seconds(3), **told))
    if delivered:
        message.record(delivery(NOON), received_at=NOON)
    for number, report in enumerate(reports):
        told_apart = replace(report, event_id=str(number))
        impression = None
        if isinstance(report, RecordOpen | RecordClick):
            impression = doubted_by(detection.impression_of(told_apart), sightings)
        message.record(told_apart, received_at=NOON, detection=detection, impression=impression)
    return [event.fact for event in message.collect_events() if hasattr(event.fact, "verdict")]


def judged(*reports, **told):
    return [(fact.verdict.value, *fact.reasons) for fact in an_email(*reports, **told)]


def verdict_on(report, **told):
    [(verdict, *_)] = judged(report, **told)
    return verdict


# 1: what the provider says


@pytest.mark.parametrize("said", [Verdict.MACHINE_OPEN, Verdict.SCANNER, Verdict.PROXY_OPEN, Verdict.PREVIEW])
def test_the_provider_is_believed(said):
    assert judged(an_open(LATER, user_agent=CHROME, provider_verdict=said)) == [(said.value, "provider_flag")]


# 2: what a request to a link of our own says about itself


@pytest.mark.parametrize(
    "signal, verdict, reason",
    [
        (Signal.HEAD, "scanner", "head_request"),
        (Signal.PREFETCH, "machine_open", "prefetch_request"),
        (Signal.OWN_VIEW, "self", "own_view"),
    ],
)
def test_a_request_that_says_what_it_is_is_believed(signal, verdict, reason):
    assert judged(an_open(LATER, user_agent=CHROME, signals=(signal,))) == [(verdict, reason)]


# 3: image proxies stand for people


@pytest.mark.parametrize("agent", [GMAIL_PROXY, YAHOO_PROXY])
def test_an_image_proxy_is_a_person_whose_device_is_unknown(agent):
    assert judged(an_open(LATER, user_agent=agent, ip_address="66.249.93.1")) == [("proxy_open", "image_proxy")]


# 4: agents of prefetching


@pytest.mark.parametrize("agent", ["Mozilla/5.0", " Mozilla/5.0 ", GMAIL_PREFETCH])
def test_an_open_by_a_prefetching_agent_is_no_person(agent):
    assert judged(an_open(LATER, user_agent=agent)) == [("machine_open", "prefetch_agent")]


@pytest.mark.parametrize("agent", ["Mozilla/5.0", GMAIL_PREFETCH])
def test_a_prefetching_agent_says_nothing_about_a_click(agent):
    assert verdict_on(click(LATER, user_agent=agent)) == "human"


def test_the_agent_of_apple_is_that_text_and_nothing_more():
    assert verdict_on(an_open(LATER, user_agent="Mozilla/5.0 (Macintosh)")) == "human"


# 5 and 6: gateways, libraries, no agent


@pytest.mark.parametrize(
    "name",
    [
        "Barracuda",
        "mimecast",
        "Proofpoint",
        "urldefense",
        "safelinks",
        "Forcepoint",
        "FireEye",
        "IronPort",
        "CiscoSecureEmail",
        "Symantec",
        "TrendMicro",
        "Sophos",
        "McAfee",
        "Zscaler",
        "Fortinet",
    ],
)
def test_a_gateway_that_gives_its_name_is_a_scanner(name):
    agent = f"Mozilla/5.0 (compatible; {name}/2.1)"

    assert judged(an_open(LATER, user_agent=agent)) == [("scanner", "gateway_agent")]
    assert judged(click(LATER, user_agent=agent)) == [("scanner", "gateway_agent")]


@pytest.mark.parametrize(
    "agent",
    [
        "python-requests/2.32.3",
        "Python/3.12 aiohttp/3.9.5",
        "python-httpx/0.27",
        "curl/8.5.0",
        "Wget/1.21",
        "Go-http-client/1.1",
        "Java/17.0.2",
        "Apache-HttpClient/4.5 (Java/11)",
        "axios/1.7.2",
        "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
        CHROME.replace("Chrome/", "HeadlessChrome/"),
        "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1",
    ],
)
def test_a_library_is_a_scanner(agent):
    assert judged(click(LATER, user_agent=agent)) == [("scanner", "library_agent")]


@pytest.mark.parametrize(
    "agent", ["JavaFX browser", "Security Reader 2", "Robotics Mail", "Securly/1.0", f"{CHROME} java"]
)
def test_bare_words_accuse_nobody(agent):
    assert verdict_on(an_open(LATER, user_agent=agent)) == "human"


@pytest.mark.parametrize("agent", ["okhttp/4.12.0", "MyMail/7 CFNetwork/1494 Darwin/23.4.0"])
def test_libraries_of_apps_are_one_suspicion(agent):
    assert judged(an_open(LATER, user_agent=agent)) == [("human", "suspicious_agent")]
    assert judged(click(LATER, user_agent=agent)) == [("scanner", "suspicious_agent", "click_without_open")]


def test_no_agent_where_there_could_be_one_is_no_person():
    assert judged(an_open(LATER, signals=(Signal.NO_AGENT,))) == [("machine_open", "no_agent")]
    assert judged(click(LATER, signals=(Signal.NO_AGENT,))) == [("scanner", "no_agent")]


def test_an_agent_that_the_provider_does_not_tell_accuses_nobody():
    assert judged(an_open(LATER), click(LATER + minutes(1))) == [("human",), ("human",)]


# 7: previews


@pytest.mark.parametrize(
    "name",
    [
        "Slackbot-LinkExpanding",
        "Slack-ImgProxy",
        "facebookexternalhit",
        "WhatsApp",
        "TelegramBot",
        "SkypeUriPreview",
        "MicrosoftPreview",
        "BingPreview",
        "LinkedInBot",
    ],
)
def test_a_preview_is_neither_person_nor_scanner(name):
    assert judged(click(LATER, user_agent=f"{name}/1.0 (x)")) == [("preview", "preview_agent")]


# 8: the list of crawlers, here two patterns of it


def test_a_listed_crawler_is_a_scanner_unless_an_earlier_rule_knows_better():
    detection = Detection(built_in_rules().with_more(DetectionRules(crawlers="[aA]cmeSpider|GoogleImageProxy|okhttp")))

    assert judged(click(LATER, user_agent="acmeSpider/2"), detection=detection) == [("scanner", "crawler_agent")]
    assert verdict_on(an_open(LATER, user_agent=GMAIL_PROXY), detection=detection) == "proxy_open"
    assert verdict_on(an_open(LATER, user_agent="okhttp/4"), detection=detection) == "human"


# 9: networks


@pytest.mark.parametrize(
    "address",
    [
        "40.92.0.0",
        "40.93.255.255",
        "40.107.9.9",
        "52.100.0.1",
        "52.103.255.255",
        "104.47.127.255",
        "2a01:111:f400::1",
        "2a01:111:f403:ffff::9",
        "::ffff:40.107.9.9",
    ],
)
def test_microsofts_gateways_click_and_its_webmail_opens(address):
    assert judged(click(LATER, ip_address=address, user_agent=CHROME)) == [("scanner", "known_network")]
    assert verdict_on(an_open(LATER, ip_address=address, user_agent=CHROME)) == "human"


@pytest.mark.parametrize("address", ["40.91.255.255", "40.94.0.0", "52.104.0.0", "104.47.128.0", "2a01:111:f401::1"])
def test_the_neighbours_of_a_network_are_not_in_it(address):
    assert verdict_on(click(LATER, ip_address=address, user_agent=CHROME)) == "human"


def test_barracudas_network_neither_opens_nor_clicks_for_a_person():
    address = {"ip_address": "209.222.87.255", "user_agent": CHROME}

    assert judged(an_open(LATER, **address), click(LATER, **address)) == [("scanner", "known_network")] * 2


@pytest.mark.parametrize("address", ["", "unknown", "10.0.0.1:443", "fe80::1%eth0", "999.1.1.1"])
def test_an_address_that_is_none_accuses_nobody(address):
    assert verdict_on(an_open(LATER, ip_address=address, user_agent=CHROME)) == "human"


# 10: instant clicks


@pytest.mark.parametrize(
    "after, verdict", [(-60, "scanner"), (0, "scanner"), (3, "scanner"), (10, "scanner"), (11, "human")]
)
def test_a_click_within_ten_seconds_of_delivery_is_a_scanner(after, verdict):
    assert verdict_on(click(NOON + seconds(after), user_agent=CHROME, ip_address=HOME)) == verdict


@pytest.mark.parametrize("after, verdict", [(0, "scanner"), (60, "scanner"), (61, "human")])
def test_without_a_delivery_the_minute_after_sending_counts(after, verdict):
    report = click(NOON - seconds(3) + seconds(after), user_agent=CHROME)

    assert verdict_on(report, delivered=False) == verdict


def test_a_defender_like_click_with_an_ordinary_agent_three_seconds_after_delivery_is_a_scanner():
    opened = an_open(NOON + seconds(2), user_agent=CHROME)
    clicked = click(NOON + seconds(3), user_agent=CHROME, ip_address=ELSEWHERE)

    assert judged(opened, clicked)[1] == ("scanner", "instant_click")


def test_an_open_may_be_as_quick_as_it_likes():
    assert verdict_on(an_open(NOON + seconds(1), user_agent=CHROME)) == "human"


# 11: bursts


def clicks(*moments, links=LINKS, **told):
    return [click(LATER + seconds(at), link, **told) for at, link in zip(moments, links, strict=False)]


@pytest.mark.parametrize(
    "moments, verdict",
    [((0, 5, 10), "scanner"), ((0, 5, 11), "human"), ((0, 1), "scanner"), ((0, 2), "human"), ((0, 0), "scanner")],
)
def test_three_links_in_ten_seconds_or_two_in_one_are_a_burst(moments, verdict):
    assert {found for found, *_ in judged(an_open(LATER), *clicks(*moments))[1:]} == {verdict}


def test_the_same_link_again_is_no_burst():
    assert {found for found, *_ in judged(*clicks(0, 0, 1, 2, links=[LINKS[0]] * 4))} == {"human"}


@pytest.mark.parametrize(
    "links, moments, verdict",
    [
        (4, (0, 20, 40, 60), "scanner"),
        (4, (0, 20, 40, 61), "human"),
        (5, (0, 20, 40, 60), "human"),
        (0, (0, 20, 40, 60), "human"),
        (2, (0, 20), "human"),
    ],
    ids=["all of them", "too slow", "one was left", "their number is unknown", "two links are few"],
)
def test_all_links_within_a_minute_are_a_burst_where_their_number_is_known(links, moments, verdict):
    facts = an_email(an_open(LATER), *clicks(*moments), links=links)

    assert {fact.verdict for fact in facts[1:]} == {verdict}


def test_a_burst_takes_its_whole_window_and_nothing_more():
    found = judged(an_open(LATER - minutes(1)), *clicks(0, 20, 24, 28, 60))

    assert [verdict for verdict, *_ in found[1:]] == ["human", "scanner", "scanner", "scanner", "human"]


def test_five_links_in_two_seconds_and_the_person_who_follows_one_ten_minutes_later():
    by_scanner = clicks(0, 0, 1, 1, 2, user_agent=CHROME, ip_address=ELSEWHERE)
    by_person = click(LATER + minutes(10), LINKS[2], user_agent=CHROME, ip_address=HOME)

    found = judged(*by_scanner, by_person)

    assert found[:5] == [("scanner", "link_burst")] * 5
    assert found[5] == ("human", "click_without_open")


# 12: one address, many recipients


def test_an_address_on_many_recipients_is_one_suspicion():
    told = {"user_agent": CHROME, "ip_address": OFFICE}

    assert judged(an_open(LATER, **told), sightings=5) == [("human", "shared_address")]
    assert judged(click(LATER, **told), sightings=5) == [("scanner", "shared_address", "click_without_open")]
    assert judged(click(LATER, **told), sightings=4) == [("human", "click_without_open")]


# 13: after a certain hit


GATEWAY = "Barracuda/1"


@pytest.mark.parametrize("after, verdict", [(0, "scanner"), (900, "scanner"), (901, "human")])
def test_the_address_of_a_certain_hit_stays_seen_through_for_a_quarter_of_an_hour(after, verdict):
    hit = click(LATER, user_agent=GATEWAY, ip_address=ELSEWHERE)
    after_it = an_open(LATER + seconds(after), user_agent=CHROME, ip_address=ELSEWHERE)

    assert judged(hit, after_it)[1][0] == verdict


def test_the_agent_of_a_certain_hit_is_seen_through_at_another_address():
    hit = click(LATER, user_agent=CHROME, ip_address=ELSEWHERE, provider_verdict=Verdict.SCANNER)
    after_it = click(LATER + minutes(5), LINKS[1], user_agent=CHROME, ip_address=OFFICE)

    assert judged(hit, after_it)[1] == ("scanner", "after_certain_hit")


def test_what_happened_before_a_certain_hit_is_not_touched():
    before = an_open(LATER - minutes(5), user_agent=CHROME, ip_address=ELSEWHERE)

    assert judged(before, click(LATER, user_agent=GATEWAY, ip_address=ELSEWHERE))[0] == ("human",)


def test_a_network_borrows_the_agents_of_ordinary_browsers():
    hit = click(LATER, user_agent=CHROME, ip_address="40.107.1.1")
    by_person = click(LATER + minutes(5), LINKS[1], user_agent=CHROME, ip_address=HOME)

    assert judged(hit, by_person)[1][0] == "human"


def test_whoever_follows_all_links_at_once_is_seen_through_by_address_later():
    after = click(LATER + minutes(5), LINKS[0], user_agent=SAFARI, ip_address=ELSEWHERE)

    assert judged(*clicks(0, 1, 2, user_agent=CHROME, ip_address=ELSEWHERE), after)[3] == (
        "scanner",
        "after_certain_hit",
    )


def test_apple_fetching_images_says_nothing_about_a_click():
    prefetch = an_open(NOON + seconds(5), user_agent="Mozilla/5.0", ip_address=HOME)
    clicked = click(NOON + minutes(5), user_agent=SAFARI, ip_address=HOME)

    assert judged(prefetch, clicked) == [("machine_open", "prefetch_agent"), ("human",)]


# 14: the same link again, from elsewhere


@pytest.mark.parametrize("after, verdict", [(1, "scanner"), (15, "scanner"), (16, "human")])
def test_the_echo_of_a_persons_click_is_a_scanner(after, verdict):
    by_person = click(LATER, user_agent=SAFARI, ip_address=HOME)
    echo = click(LATER + seconds(after), user_agent=CHROME, ip_address=ELSEWHERE)

    found = judged(an_open(LATER), by_person, echo)

    assert [found[1][0], found[2][0]] == ["human", verdict]


def test_the_person_after_a_scanner_is_no_echo():
    by_scanner = click(LATER, user_agent=CHROME, ip_address="40.107.1.1")
    by_person = click(LATER + seconds(8), user_agent=SAFARI, ip_address=HOME)

    assert judged(by_scanner, by_person)[1][0] == "human"


@pytest.mark.parametrize(
    "told", [{"user_agent": CHROME, "ip_address": HOME}, {"user_agent": SAFARI, "ip_address": OFFICE}]
)
def test_the_same_address_or_system_is_the_same_person_clicking_twice(told):
    by_person = click(LATER, user_agent=SAFARI, ip_address=HOME)

    assert judged(an_open(LATER), by_person, click(LATER + seconds(3), **told))[2][0] == "human"


# 15: clicks without opens


def test_a_click_without_an_open_is_one_suspicion_and_no_more():
    assert judged(click(LATER, user_agent=CHROME)) == [("human", "click_without_open")]


def test_a_click_after_an_open_is_none():
    assert judged(an_open(LATER), click(LATER + seconds(30)))[1] == ("human",)


# Offices


def test_ten_colleagues_behind_one_address_are_ten_people():
    found = [verdict_on(an_open(LATER + minutes(n), user_agent=CHROME, ip_address=OFFICE)) for n in range(10)]

    assert found == ["human"] * 10


# What operators add


def test_operators_add_words_networks_and_exceptions():
    more = parse_rules("agent gateway Acme Guard\nallow Acme Reader\n192.0.2.0/24 opens probable\n")
    detection = Detection(built_in_rules().with_more(more))

    assert verdict_on(click(LATER, user_agent="X (acme  GUARD 3)"), detection=detection) == "scanner"
    assert verdict_on(an_open(LATER, user_agent="Acme Reader (Java/17)"), detection=detection) == "human"
    assert judged(an_open(LATER, ip_address="192.0.2.1", user_agent="okhttp/3"), detection=detection) == [
        ("machine_open", "suspicious_agent", "suspicious_network")
    ]


def test_a_certain_network_within_a_probable_one_is_certain():
    detection = Detection(parse_rules("10.0.0.0/8 all probable\n10.1.0.0/16 clicks certain\n10.1.2.0/24 all probable"))

    assert judged(click(LATER, ip_address="10.1.2.3"), detection=detection) == [("scanner", "known_network")]
    assert judged(an_open(LATER, ip_address="10.1.2.3"), detection=detection) == [("human", "suspicious_network")]
    assert judged(an_open(LATER, ip_address="10.2.0.0"), detection=detection) == [("human", "suspicious_network")]
    assert judged(an_open(LATER, ip_address="11.0.0.0"), detection=detection) == [("human",)]


# Judging anew


@pytest.mark.parametrize("kept_address", ["203.0.113.0", "2001:db8:1::", ""])
def test_what_a_known_network_did_stays_its_deed_where_its_address_was_cut(kept_address):
    detection = Detection(parse_rules(f"{OFFICE}/32 all certain"))
    kept = detection.impression_of(click(LATER, ip_address=OFFICE, user_agent=CHROME))
    assert (kept.verdict, kept.reasons) == (Verdict.SCANNER, ("known_network",))

    for rules in (detection, BUILT_IN):
        assert rules.impression_anew(kept, CHROME, kept_address, is_click=True) == kept


def test_by_a_whole_address_a_network_that_is_listed_no_more_is_forgiven():
    kept = Detection(parse_rules(f"{OFFICE}/32 all certain")).impression_of(click(LATER, ip_address=OFFICE))

    assert BUILT_IN.impression_anew(kept, CHROME, OFFICE, is_click=True).verdict is None

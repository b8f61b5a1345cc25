"""The operator's file of detection rules: what it may say, and what becomes of one that cannot be understood."""

import logging
import os
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.detection_rules import LOOKED_AT_EVERY_S, RulesFile, UnusableRulesError, operators_rules, shipped_rules
from domain.policies.detection.rule_file import MalformedRulesError, parse_rules
from domain.policies.detection.rules import AgentKind, AgentRule, Certainty, DetectionRules, Scope
from tests.support.emails import click

GOOD = """\
# Our gateway, since 2026-03
192.0.2.0/24   clicks  certain
2001:db8::/32  all     probable   # the lab
198.51.100.7   opens   certain

agent gateway  Acme   Mail Guard
agent prefetch =Mozilla/5.0 (Acme)
allow Acme Reader # ours
"""


def test_a_file_names_networks_agents_and_exceptions():
    rules = parse_rules(GOOD)

    assert [(str(rule.network), rule.scope, rule.certainty) for rule in rules.networks] == [
        ("192.0.2.0/24", Scope.CLICKS, Certainty.CERTAIN),
        ("2001:db8::/32", Scope.ALL, Certainty.PROBABLE),
        ("198.51.100.7/32", Scope.OPENS, Certainty.CERTAIN),
    ]
    assert rules.agents == (
        AgentRule(AgentKind.GATEWAY, "acme mail guard"),
        AgentRule(AgentKind.PREFETCH, "mozilla/5.0 (acme)", exact=True),
    )
    assert rules.allowed == ("acme reader",)


@pytest.mark.parametrize(
    "line, flaw",
    [
        ("192.0.2.0/24 clicks", "'192.0.2.0/24 clicks' is no rule: give a network, opens|clicks|all"),
        ("192.0.2.0/24 clicks certain now", "is no rule"),
        ("192.0.2.0/24 click certain", "'click' stands where one of opens, clicks, all is expected"),
        ("192.0.2.0/24 clicks sure", "'sure' stands where one of certain, probable is expected"),
        ("192.0.2.1/24 clicks certain", "192.0.2.1/24 has host bits set: give a network such as"),
        ("300.0.2.0/24 clicks certain", "'300.0.2.0/24' does not appear to be an IPv4 or IPv6 network"),
        ("0.0.0.0/0 all certain", "0.0.0.0/0 is wider than /8"),
        ("::/0 all certain", "::/0 is wider than /16"),
        ("agent", "'agent' is followed by nothing"),
        (
            "agent bot Acme",
            "'bot' is no kind of agent: give one of proxy, prefetch, gateway, library, preview, suspect",
        ),
        ("agent gateway", "'' has 0 characters: give 3 to 500"),
        ("agent gateway ab", "'ab' has 2 characters"),
        ("allow x", "'x' has 1 character"),
        ("allow a\x00bc", "holds control characters"),
        ("block Acme", "is no rule"),
    ],
)
def test_a_line_that_says_nothing_is_named_with_its_number(line, flaw):
    with pytest.raises(MalformedRulesError) as refused:
        parse_rules(f"# one\n\n{line}\nallow Acme Reader\n")

    [(number, text)] = refused.value.flaws
    assert number == 3
    assert flaw in text


def test_every_wrong_line_is_named_at_once():
    with pytest.raises(MalformedRulesError) as refused:
        parse_rules("nonsense\nallow Acme\n10.0.0.0/33 all certain")

    assert [number for number, _ in refused.value.flaws] == [1, 3]


@given(st.text(max_size=200))
def test_whatever_a_file_holds_it_is_understood_or_refused(text):
    with suppress(MalformedRulesError):
        parse_rules(text)


@pytest.mark.parametrize(
    "raw, words",
    [
        (b"192.0.2.0/24 all certain\nnonsense\n", "line 2: 'nonsense' is no rule"),
        (b"allow Caf\xe9\n", "line 1: is no UTF-8 text"),
        (b"#" * 1_000_001, "is larger than 1,000,000 bytes"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_name(tmp_path, raw, words):
    path = tmp_path / "detection.rules"
    path.write_bytes(raw)

    with pytest.raises(UnusableRulesError) as refused:
        operators_rules(path)

    assert str(refused.value).startswith(f"{path}")
    assert words in str(refused.value)


def test_no_file_adds_nothing(tmp_path):
    assert operators_rules(tmp_path / "none") == DetectionRules()


# A process that runs


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "detection.rules"


def by_acme(detection):
    return detection.judge(click(user_agent="Acme Guard/1")).verdict


def rewrite(path, text, clock):
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(int(clock.now * 1e9), int(clock.now * 1e9)))
    clock.now += LOOKED_AT_EVERY_S


def test_a_changed_file_holds_within_seconds_and_a_removed_one_no_longer(path, clock):
    current = RulesFile(path, clock)
    assert by_acme(current()) == "human"

    rewrite(path, "agent gateway Acme Guard\n", clock)
    assert by_acme(current()) == "scanner"

    path.unlink()
    clock.now += LOOKED_AT_EVERY_S
    assert by_acme(current()) == "human"


def test_a_file_that_becomes_malformed_changes_nothing_and_is_logged_once(path, clock, caplog):
    rewrite(path, "agent gateway Acme Guard\n", clock)
    current = RulesFile(path, clock)
    assert by_acme(current()) == "scanner"

    with caplog.at_level(logging.INFO, logger="adapters.detection_rules"):
        rewrite(path, "agent gatewy Acme Guard\n", clock)
        for _ in range(3):
            assert by_acme(current()) == "scanner"
            clock.now += LOOKED_AT_EVERY_S

    [record] = caplog.records
    assert record.event == "detection_rules_refused"
    assert f"{path}, line 1: 'gatewy' is no kind of agent" in record.reason


def test_a_pipe_or_a_device_in_its_place_is_refused_and_keeps_nobody_waiting(path, clock):
    os.mkfifo(path)
    with pytest.raises(UnusableRulesError, match="is no file of text"):
        operators_rules(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(UnusableRulesError, match="is no file of text"):
        operators_rules(path)


def test_a_change_shows_whatever_the_file_says_about_its_age_and_size(path, clock):
    rewrite(path, "agent gateway Acme Guard\n", clock)
    age = path.stat().st_mtime_ns
    current = RulesFile(path, clock)
    assert by_acme(current()) == "scanner"

    rewrite(path, "agent gateway Zcme Guard\n", clock)
    os.utime(path, ns=(age, age))

    assert by_acme(current()) == "human"


def test_a_process_that_meets_a_malformed_file_goes_on_with_the_built_in_rules(path, clock):
    rewrite(path, "nonsense\n", clock)

    assert by_acme(RulesFile(path, clock)()) == "human"
    assert RulesFile(path, clock)().rules == shipped_rules()


def test_the_rules_are_read_again_only_when_the_file_changed(path, clock):
    rewrite(path, "agent gateway Acme Guard\n", clock)
    current = RulesFile(path, clock)

    first = current()
    clock.now += LOOKED_AT_EVERY_S

    assert current() is first


# The list of crawlers

PEOPLE = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; Microsoft Outlook 16.0.5266)",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.5.0",
    "Outlook-iOS/709.2226530.prod.iphone (4.26.0)",
    "Mozilla/5.0 (Linux; Android 13; SM-S901B) SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36",
]


@pytest.mark.parametrize("agent", PEOPLE)
def test_mail_programs_and_browsers_are_not_on_the_list_of_crawlers(agent, path, clock):
    assert RulesFile(path, clock)().judge(click(user_agent=agent)).verdict == "human"


@pytest.mark.parametrize("agent", ["Googlebot/2.1", "Mozilla/5.0 (compatible; bingbot/2.0)", "AhrefsBot/7.0"])
def test_crawlers_are_on_it(agent, path, clock):
    assert RulesFile(path, clock)().judge(click(user_agent=agent)).reasons == ("crawler_agent",)

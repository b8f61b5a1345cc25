import subprocess
import sys
import tracemalloc

import pytest

from adapters import agents
from adapters.agents import read_agent
from read_models.engagement.agent import Agent

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    "user_agent, device_type, email_client",
    [
        ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", "", "Gmail"),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", "", "Yahoo Mail"),
        ("Mozilla/5.0", "", "Apple Mail"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
            "desktop",
            "Apple Mail",
        ),
        (f"{IPHONE} Mobile/15E148", "mobile", "Apple Mail"),
        (
            "Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
            "tablet",
            "Apple Mail",
        ),
        (
            "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; Microsoft Outlook 16.0.5266)",
            "desktop",
            "Outlook",
        ),
        ("MacOutlook/16.78.23100802 (Intelx64 Mac OS X Version 14.0 (Build 23A344))", "desktop", "Outlook"),
        ("Outlook-iOS/709.2226530.prod.iphone (3.24.1)", "mobile", "Outlook"),
        ("Outlook-Android/2.0", "mobile", "Outlook"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.5.0",
            "desktop",
            "Thunderbird",
        ),
        (
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
                "Safari/537.36"
            ),
            "desktop",
            "",
        ),
        (f"{IPHONE} Version/18.1 Mobile/15E148 Safari/604.1", "mobile", ""),
        (
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile "
                "Safari/537.36"
            ),
            "mobile",
            "",
        ),
        (
            (
                "Mozilla/5.0 (Linux; Android 13; SM-X906C) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
                "Safari/537.36"
            ),
            "tablet",
            "",
        ),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "", ""),
        ("curl/8.5.0", "", ""),
        ("", "", ""),
        ("\x00\ud800 <script>", "", ""),
    ],
)
def test_an_agent_tells_device_and_mail_program(user_agent, device_type, email_client):
    assert read_agent(user_agent) == Agent(device_type=device_type, email_client=email_client)


def test_only_the_first_kibibyte_of_an_agent_is_read():
    padded = "x" * agents.LONGEST_READ + " Thunderbird/128.5.0 (Windows NT 10.0)"

    assert read_agent(padded) == read_agent("x" * agents.LONGEST_READ) == Agent()


def test_no_number_of_different_agents_fills_the_memory():
    read_agent("Mozilla/5.0")
    tracemalloc.start()

    try:
        for number in range(agents.MOST_KEPT + 2_000):
            read_agent(f"{number} curl/8.5.0 " * 100)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert agents._read.cache_info().currsize == agents.MOST_KEPT
    assert grown < 2 * agents.MOST_KEPT * agents.LONGEST_READ


def test_importing_the_reader_does_not_load_the_patterns():
    program = "import sys, adapters.agents; sys.exit('ua_parser' in sys.modules or 'ua_parser_rs' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

"""What senders, readers and their programs wrote is shown as words: none of it becomes a link or a script."""

import re
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from msgspec.structs import replace

from domain.email_facts import Clicked, Opened, Party, Personal, Sent
from domain.values import Verdict
from tests.support.query_world import CAMPAIGN, NAMED_JOB, Story, email_id, hours, project

HOSTILE_URLS = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(2)//https://example.com/",
    "data:text/html,<script>alert(3)</script>",
    "vbscript:alert(4)",
    '"><a href="javascript:alert(5)">here</a>',
)
HOSTILE = "'\"><img src=x onerror=alert(6)><a href=javascript:alert(7)>free</a>"
WHO = f"c-hostile {HOSTILE}"
PAGES = {
    "email": f"/emails/{email_id('hostile')}",
    "campaign links by place": f"/campaigns/{CAMPAIGN}",
    "campaign links by address": f"/campaigns/{CAMPAIGN}?by=url&include=automated",
    "candidate's activity": f"/candidates/{quote(WHO, safe='')}",
    "candidates": "/candidates",
    "emails": "/emails",
    "dashboard": "/",
}
SHOWING_LINKS = ("email", "campaign links by place", "campaign links by address", "candidate's activity")
SHOWING_NAMES = ("email", "candidate's activity", "candidates", "emails")


class Elements(HTMLParser):
    """What a browser would make of a page: its elements, and its words."""

    def __init__(self, html):
        super().__init__()
        self.found, self.words = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words += data


@pytest.fixture(scope="module", autouse=True)
def told_hostile(administrator_url, world_as_it_was):
    story = Story(2_000_000_000)
    agent = Personal(ip_address="203.0.113.9", user_agent=f"Mozilla/5.0 {HOSTILE}")
    story.sent("hostile", to=WHO, job=NAMED_JOB, address="hostile@example.com", subject=HOSTILE, ago=hours(9))
    story.happened("hostile", Opened, ago=hours(8), personal=agent)
    for number, url in enumerate(HOSTILE_URLS):
        link = {"url": url, "link_position": HOSTILE}
        story.happened("hostile", Clicked, ago=hours(7 - number), personal=agent, **link)
        story.happened("hostile", Clicked, ago=hours(8), **link, verdict=Verdict.SCANNER, reasons=("burst",))
    story.happened("hostile", Clicked, ago=hours(2), url=HOSTILE_URLS[0], link_position="9", link_text=HOSTILE)
    project(administrator_url, [_with_hostile_names(one) for one in story.logged])


def _with_hostile_names(logged):
    if not isinstance(logged.fact, Sent):
        return logged
    named = Party(id=HOSTILE, name=HOSTILE)
    job = replace(logged.fact.job, title=HOSTILE)
    return replace(logged, fact=replace(logged.fact, sender=named, template=named, job=job))


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_every_link_leads_to_a_page_of_ours_and_every_script_is_ours(path, recruiters_browser):
    found = Elements(recruiters_browser.get(path).text).found

    addresses = [
        attributes[name]
        for _, attributes in found
        for name in ("href", "src", "action", "formaction", "data-charts")
        if name in attributes and attributes.get("rel") != "icon"
    ]
    assert [one for one in addresses if not re.match(r"[/#](?!/)", one)] == []
    assert [name for _, attributes in found for name in attributes if name.startswith(("on", "style"))] == []
    scripts = [attributes for tag, attributes in found if tag == "script"]
    assert all("src" in one or one["type"] == "application/json" for one in scripts)
    assert "img" not in {tag for tag, _ in found}


@pytest.mark.parametrize("name", SHOWING_LINKS)
def test_a_hostile_link_is_shown_as_the_words_it_is_made_of(name, recruiters_browser):
    words = Elements(recruiters_browser.get(PAGES[name]).text).words

    assert [url for url in HOSTILE_URLS if url not in words] == []


@pytest.mark.parametrize("name", SHOWING_NAMES)
def test_hostile_names_and_subjects_are_shown_as_the_words_they_are_made_of(name, recruiters_browser):
    assert HOSTILE in Elements(recruiters_browser.get(PAGES[name]).text).words

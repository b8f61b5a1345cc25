"""ROLE: a hiring manager who follows every link and types addresses finds nothing of jobs that do not name them."""

import html
import re
from urllib.parse import urlsplit

import pytest

from tests.support.query_world import (
    CAMPAIGN,
    OTHER_JOB,
    OURS,
    UNTRACKED_CAMPAIGN,
    email_id,
)

UNSEEN = ("other", "second", "untracked", "old")
# What somebody types may come back to them: ids of jobs and candidates prove nothing, so these are names and words.
SECRETS = {
    *(f"Subject {name}" for name in UNSEEN),
    f"Title {OTHER_JOB}",
    *(f"Name {one} {OURS.int}" for one in ("c-2", "c-4", "c-5")),
    *(f"{one}@example.com" for one in ("c-2", "c-4", "c-5")),
}
SHOWN = {"Subject named", "Subject dropped", f"Name c-1 {OURS.int}", "https://example.com/interviews/1"}
BEGINNINGS = ("/", "/notifications", "/help")
TYPED = [
    f"/?job_id={OTHER_JOB}",
    f"/?job_id={OTHER_JOB}&basis=activity&include=automated",
    f"/?job_id={OTHER_JOB}&tile=reply_rate",
    f"/?campaign_id={UNTRACKED_CAMPAIGN}",
    f"/?campaign_id={CAMPAIGN}&format=csv&table=emails",
    "/jobs",
    f"/jobs?q={OTHER_JOB}",
    f"/jobs?q=Title&job_id={OTHER_JOB}",
    f"/campaigns/{UNTRACKED_CAMPAIGN}",
    f"/campaigns/{CAMPAIGN}?include=automated",
    f"/emails?job_id={OTHER_JOB}",
    f"/emails?job_id={OTHER_JOB}&format=csv",
    "/emails?candidate_id=c-2",
    "/emails?template_id=t-1&format=csv",
    *(f"/emails/{email_id(name)}{query}" for name in UNSEEN for query in ("", "?format=csv")),
    *(f"/candidates/{one}{query}" for one in ("c-2", "c-4", "c-5") for query in ("", "?format=csv")),
    *("/reports", "/reports?format=csv", "/settings/tracking", "/settings/keys", "/settings/webhooks"),
]
MOST_PAGES = 400


def crawled(browser):
    """Everything that can be reached by links: answers by address."""
    answers, ahead = {}, list(BEGINNINGS)
    while ahead:
        address = ahead.pop()
        if address in answers:
            continue
        answers[address] = browser.get(address)
        assert len(answers) < MOST_PAGES, "links that never end"
        ahead += links_of(answers[address], address)
    return answers


def links_of(answer, address):
    if not answer.headers.get("content-type", "").startswith("text/html"):
        return []
    found = [html.unescape(link).partition("#")[0] for link in re.findall(r'href="([^"#][^"]*)"', answer.text)]
    # Each tile has a chart of the same emails: five times as many addresses, and nothing else to see.
    return [
        link
        for link in found
        if link.startswith("/") and not link.startswith(("/assets/", "/schema")) and "tile=" not in link
    ]


def found_in(answers, words):
    return {word for word in words for answer in answers.values() if word in html.unescape(answer.text)}


def test_what_a_recruiter_comes_upon_is_what_this_looks_for(recruiters_browser):
    answers = crawled(recruiters_browser)

    assert found_in(answers, SECRETS) == SECRETS
    assert {answer.status_code for answer in answers.values()} == {200}


def test_no_link_leads_a_hiring_manager_to_another_job(managers_browser):
    answers = crawled(managers_browser)

    assert found_in(answers, SHOWN) == SHOWN
    assert found_in(answers, SECRETS) == set()
    assert {answer.status_code for answer in answers.values()} == {200}, "and none leads to a closed door"
    pages = {urlsplit(address).path for address in answers}
    assert {"/", "/candidates", "/emails", f"/emails/{email_id('named')}", "/candidates/c-1"} <= pages


@pytest.mark.parametrize("address", TYPED)
def test_no_address_shows_a_hiring_manager_another_job(address, managers_browser):
    answer = managers_browser.get(address)

    assert answer.status_code in {200, 403, 404}
    assert found_in({address: answer}, SECRETS) == set()

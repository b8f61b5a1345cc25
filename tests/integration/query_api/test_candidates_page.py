"""UI-2, AF-2: whom to call now, and why; or why there is nobody to call."""

import csv
import io
import re
from datetime import timedelta
from uuid import UUID

import pytest

from domain.email_facts import Clicked, Replied
from tests.support.query_world import LINK, NAMED_JOB, NOON, OTHER_JOB, OTHER_LINK, THEIRS, Story, hours, project

UNTRACKED_MANAGER = "h-untracked"


@pytest.fixture(scope="module", autouse=True)
def told_more(administrator_url, world_as_it_was):
    story = Story(2_000_000_000)
    story.sent("talkative", to="c-talkative", job=OTHER_JOB, ago=hours(9))
    for ago in (hours(8), hours(2), hours(5)):
        story.happened("talkative", Replied, ago=ago)
    story.sent("long ago", to="c-talkative", job=NAMED_JOB, ago=timedelta(days=100))
    story.happened("long ago", Clicked, ago=timedelta(days=99), url=LINK)
    story.sent("clicker", to="c-clicker", job=NAMED_JOB, ago=hours(9))
    for url, position in ((LINK, "1"), (LINK, "1"), (OTHER_LINK, "2")):
        story.happened("clicker", Clicked, ago=hours(3), url=url, link_position=position)
    story.sent("quiet", to="c-quiet", job="j-quiet", manager=UNTRACKED_MANAGER, ago=hours(9), tracking=False)
    project(administrator_url, story.logged)


def shown(html):
    """Why and job of each candidate on a page, as words, by id."""
    row = r'<a href="/candidates/([^"]+)">.*?data-label="Why"[^>]*>(.*?)</td>.*?"Job">(.*?)</td>'
    rows = re.findall(row, html, re.DOTALL)
    return {id_: tuple(" ".join(re.sub("<[^>]+>", "", cell).split()) for cell in cells) for id_, *cells in rows}


def test_the_ranking_says_what_somebody_did_and_about_which_job(recruiters_browser):
    found = shown(recruiters_browser.get("/candidates").text)

    assert found["c-1"] == (
        "Replied 1 h ago, followed 3 links 2 of 2 opened, 2 clicked, 1 replied",
        f"Title {OTHER_JOB}",
    )
    assert found["c-clicker"] == ("Followed 2 links 1 of 1 opened, 1 clicked", f"Title {NAMED_JOB}")
    assert found["c-5"] == ("Nothing measured", "none")


def test_somebody_who_replied_more_than_once_did_so_when_they_last_did_and_old_links_do_not_count(recruiters_browser):
    why, job = shown(recruiters_browser.get("/candidates").text)["c-talkative"]

    assert why.startswith("Replied 2 h ago 0 of 1 opened")
    assert job == f"Title {OTHER_JOB}", "that of the latest email"


def test_a_hiring_manager_learns_nothing_of_other_jobs_from_the_ranking(managers_browser):
    found = shown(managers_browser.get("/candidates").text)

    assert found["c-1"] == ("Followed 2 links 1 of 1 opened, 1 clicked", f"Title {NAMED_JOB}")
    assert found["c-talkative"][1] == f"Title {NAMED_JOB}"
    assert "Replied" not in found["c-talkative"][0]


def test_the_grounds_of_a_page_are_asked_for_in_one_question(recruiters_browser, monkeypatch):
    asked = []
    ask = "adapters.postgres.queries.candidates.grounds_of"
    monkeypatch.setattr(ask, noting(asked))

    recruiters_browser.get("/candidates")

    (ids,) = asked
    assert {"c-1", "c-talkative", "c-clicker"} <= set(ids)


def noting(asked):
    async def grounds_of(connection, audience, ids, now):
        asked.append(ids)
        return {}

    return grounds_of


def test_the_file_holds_what_the_page_shows(recruiters_browser):
    rows = list(csv.DictReader(io.StringIO(recruiters_browser.get("/candidates?format=csv").text)))

    (row,) = [row for row in rows if row["candidate_id"] == "c-1"]
    assert (row["links_followed"], row["job"]) == ("3", f"Title {OTHER_JOB}")
    assert row["replied_at"] == (NOON - hours(1)).isoformat().replace("+00:00", "Z")


def test_a_level_that_nobody_has_says_so_and_leads_to_those_who_have_another(managers_browser):
    html = managers_browser.get("/candidates?level=warm").text

    assert 'Warm <span class="number">0</span>' in html, "else this shows nothing"
    assert "Nobody is warm now" in html
    assert "A score of 40 or more makes a candidate warm" in html
    (everybody,) = re.findall(r'<a href="/candidates">Show all (\d+) candidates</a>', html)
    assert f'All <span class="number">{everybody}</span>' in html
    assert "POST /api/v1/emails" not in html


def test_a_level_that_nobody_can_have_says_that_nobody_has_a_score(browser, link_for):
    browser.sign_in(link_for("hiring_manager", UNTRACKED_MANAGER)["url"])

    html = browser.get("/candidates?level=hot").text

    assert "Nobody is hot now" in html
    assert "Nobody was sent a tracked email in the last 90 days" in html


def test_a_full_page_stays_small(browser, stranger, crowd):
    browser.sign_in(stranger.post("/api/v1/user-sessions", {"user_id": "u-1", "role": "recruiter"}).json()["url"])
    browser.zone = "America%2FNew_York"

    answer = browser.get("/candidates")

    assert answer.text.count(", followed 2 links") == 50
    assert len(answer.content) <= 60_000


@pytest.fixture
def crowd(administrator_url):
    """Candidates of the other organisation, enough for a page; each has done all there is, under long names."""
    story = Story(4_000_000_000)
    for number in range(50):
        name = f"crowd {number}"
        job = f"Senior backend engineer, platform and infrastructure {number}"
        story.sent(name, to=str(UUID(int=number)), job=job, campaign=None, organization=THEIRS)
        for position in "12":
            story.happened(name, Clicked, url=LINK, link_position=position, organization=THEIRS)
        story.happened(name, Replied, organization=THEIRS)
    project(administrator_url, story.logged)

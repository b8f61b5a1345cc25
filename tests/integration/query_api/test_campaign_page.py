"""A campaign's page: the funnel, the click map, and who may see it."""

import csv
import io
import re

import pytest

from tests.support.query_world import CAMPAIGN, THEIR_CAMPAIGN, UNTRACKED_CAMPAIGN

PATH = f"/campaigns/{CAMPAIGN}"


def funnel(html):
    steps = re.findall(r'<span class="what">(\w+)</span> <strong class="number">([\d,]+)</strong>', html)
    return {name: int(count.replace(",", "")) for name, count in steps}


def links(browser, query=""):
    answer = browser.get(f"{PATH}?format=csv{query}")
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_the_funnel_is_that_of_the_metrics(recruiters_browser, recruiter):
    metrics = recruiter.get(f"/api/v1/campaigns/{CAMPAIGN}/engagement").json()

    shown = funnel(recruiters_browser.get(PATH).text)

    assert shown == {name.capitalize(): metrics[name] for name in ("sent", "delivered", "opened", "clicked", "replied")}
    assert shown["Clicked"], "else this shows nothing"


def test_the_same_address_at_two_places_is_two_links_and_one_by_address(recruiters_browser):
    by_place, by_address = links(recruiters_browser), links(recruiters_browser, "&by=url")

    assert {one["link_text"] for one in by_place} >= {"Choose a time", "Or here"}
    assert len(by_address) < len(by_place)
    assert sum(int(one["click_count"]) for one in by_address) == sum(int(one["click_count"]) for one in by_place)
    html = recruiters_browser.get(PATH).text
    assert html.count('data-label="Place"') == len(by_place)
    assert "Place" not in recruiters_browser.get(f"{PATH}?by=url").text.partition("<table")[2]


def test_machines_count_only_when_asked_for(recruiters_browser):
    people, everybody = recruiters_browser.get(PATH).text, recruiters_browser.get(f"{PATH}?include=automated").text

    assert "are left out" in people
    assert "Machines are counted like people" in everybody
    assert funnel(everybody)["Opened"] > funnel(people)["Opened"]
    assert 'include=automated">Count machines too' in people
    assert f'<a href="{PATH}">Leave machines out' in everybody


def test_the_dashboard_and_emails_lead_to_it(recruiters_browser):
    assert f'href="{PATH}"' in recruiters_browser.get("/").text
    email = re.search(r'href="(/emails/[0-9a-f-]{36})"', recruiters_browser.get(f"/emails?campaign_id={CAMPAIGN}").text)
    assert f'href="{PATH}"' in recruiters_browser.get(email[1]).text


@pytest.mark.parametrize("campaign", [THEIR_CAMPAIGN, "00000000-0000-0000-0000-000000000000", "x", "%00"])
def test_what_is_not_theirs_is_not_found(campaign, recruiters_browser):
    answer = recruiters_browser.get(f"/campaigns/{campaign}", Accept="text/html,*/*;q=0.8")

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


def test_a_hiring_manager_sees_the_emails_of_their_jobs_only(managers_browser, manager):
    metrics = manager.get(f"/api/v1/campaigns/{CAMPAIGN}/engagement").json()
    html = managers_browser.get(PATH).text

    assert funnel(html)["Sent"] == metrics["sent"]
    assert "Subject other" not in html
    assert "Subject second" not in html


def test_a_campaign_without_tracking_says_that_nothing_was_measured(recruiters_browser):
    html = recruiters_browser.get(f"/campaigns/{UNTRACKED_CAMPAIGN}").text

    assert "nothing was measured" in html
    assert "Nobody has followed a link yet" in html


@pytest.mark.parametrize("query", ["by=shoe_size", "include=everything", "format=pdf", "cursor=x"])
def test_what_it_cannot_show_is_named(query, recruiters_browser):
    assert recruiters_browser.get(f"{PATH}?{query}").status_code == 422


def test_a_program_that_misses_gets_a_problem_and_a_person_a_page(recruiters_browser):
    for path in ("/nothing-here", "/api/v1/nothing-here"):
        assert recruiters_browser.get(path).headers["content-type"] == "application/problem+json"
    person = recruiters_browser.get("/nothing-here", Accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert "There is no such page" in person.text

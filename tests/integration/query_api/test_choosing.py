"""A dashboard stays within 60 kB however many jobs and templates there are; those without room are found by name."""

import html
import re
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.email_facts import JobReference, Opened, Party, Sent
from entrypoints.web.pages.choosing import ROWS
from tests.support.query_world import MANAGER, NAMED_JOB, OTHER_JOB, Story, hours, project

MANY = 500
MOST_BYTES = 60_000
SEARCHED = "Chief financial officer"
LONG = "& Senior <backend> engineer, platform and infrastructure, with a title that somebody has written much too long "
PERIODS = {
    "30 days": "",
    "a quarter of a year": "from=2026-08-22&to=2026-11-21",
    "92 weeks": "from=2025-02-17&to=2026-11-21",
    "seven years": "from=2019-05-01&to=2026-11-21",
    "ten years": "from=2016-11-21&to=2026-11-21",
    "nothing": "from=2010-01-01&to=2010-01-31",
}
VIEWS = ("", "basis=activity", "tile=reply_rate", "basis=activity&include=automated&tile=bounce_rate")


class Crowded(NamedTuple):
    """An organisation with so many jobs and templates."""

    key: str
    job: str
    template: str


def crowded(operator, administrator_url, first_place, id_of, title_of):
    made = operator.post("/api/v1/organizations", {"name": "Crowded"}).json()
    organization = UUID(made["organization_id"])
    story = Story(first_place)
    for number in range(MANY):
        name = f"crowded {number}"
        subject = f"Interview invitation for the position that you applied for {number} {LONG * 5}"
        campaign = UUID(int=number % 7 + 1)
        story.sent(name, job="j", campaign=campaign, organization=organization, ago=hours(number), subject=subject)
        story.happened(name, Opened, organization=organization)
    logged = [_about(one, place // 2, id_of, title_of) for place, one in enumerate(story.logged)]
    project(administrator_url, logged)
    return Crowded(made["api_key"], id_of(MANY - 1), id_of(MANY - 2))


def _about(logged, number, id_of, title_of):
    if not isinstance(logged.fact, Sent):
        return logged
    job = JobReference(id=id_of(number), title=title_of(number), hiring_manager_id=MANAGER if number < 3 else "h-9")
    return replace(logged, fact=replace(logged.fact, job=job, template=Party(id=id_of(number), name=title_of(number))))


def usual_title(number):
    return SEARCHED if number == MANY - 1 else f"Senior backend engineer, platform and infrastructure {number}"


@pytest.fixture(scope="module")
def usual(operator, administrator_url, world_as_it_was):
    """With ids and titles as they are elsewhere."""
    return crowded(operator, administrator_url, 5_000_000_000, lambda number: str(UUID(int=number)), usual_title)


@pytest.fixture(scope="module")
def extreme(operator, administrator_url, world_as_it_was):
    """With ids and titles as long as they may be, and longer than anybody reads."""
    return crowded(
        operator,
        administrator_url,
        6_000_000_000,
        lambda number: f"{number:05}{'&' * 250}",
        lambda number: f"{number} {LONG * 10}",
    )


@pytest.fixture
def visit(browser, with_token):
    def visit(organization, role="recruiter"):
        session = {"user_id": MANAGER, "role": role}
        browser.sign_in(with_token(organization.key).post("/api/v1/user-sessions", session).json()["url"])
        return browser

    return visit


def options(page, name):
    select = page.partition(f'<select name="{name}">')[2].partition("</select>")[0]
    return [html.unescape(one) for one in re.findall(r'<option value="([^"]+)"', select)]


def links(page, path):
    return [html.unescape(one) for one in re.findall(rf'href="({re.escape(path)}\?[^"]*)"', page)]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("period", PERIODS.values(), ids=PERIODS)
def test_a_dashboard_stays_small_however_long_its_lists_could_be(period, view, visit, usual):
    browser = visit(usual)

    address = f"/?{period}&{view}&tz=America/Argentina/ComodRivadavia"
    answer = browser.get(address)

    assert answer.status_code == 200
    assert len(answer.content) <= MOST_BYTES
    assert len(options(answer.text, "job_id")) >= 15
    assert len(options(answer.text, "template_id")) >= 15


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("period", PERIODS.values(), ids=PERIODS)
def test_ids_and_titles_as_long_as_they_may_be_make_it_no_larger(period, view, visit, extreme):
    browser = visit(extreme)
    chosen = urlencode({"job_id": extreme.job})

    for address in (f"/?{period}&{view}", f"/?{period}&{view}&{chosen}"):
        answer = browser.get(address)
        assert answer.status_code == 200
        assert len(answer.content) <= MOST_BYTES


def test_what_is_chosen_is_among_few_others_too(visit, extreme):
    chosen = {"job_id": extreme.job, "template_id": extreme.template}

    page = visit(extreme).get(f"/?{urlencode(chosen)}").text

    selected = [html.unescape(one) for one in re.findall(r'<option value="([^"]+)" selected>', page)]
    assert selected == [extreme.job, extreme.template]
    assert len(options(page, "job_id")) < MANY


def test_lists_hold_what_the_latest_emails_are_about_by_name(visit, usual):
    shown = options(visit(usual).get("/").text, "job_id")

    titles = [usual_title(UUID(one).int) for one in shown]
    assert {UUID(one).int for one in shown} == set(range(len(shown)))
    assert titles == sorted(titles)


def test_few_jobs_are_all_in_the_list_and_nothing_more_is_offered(recruiters_browser):
    page = recruiters_browser.get("/").text

    assert options(page, "job_id") == [NAMED_JOB, OTHER_JOB]
    assert links(page, "/jobs") == links(page, "/templates") == []


def test_a_job_that_the_list_has_no_room_for_is_found_by_a_part_of_its_title(visit, usual):
    browser = visit(usual)
    state = "from=2025-01-01&to=2026-11-21&tz=Europe/Berlin&basis=activity&tile=open_rate"
    page = browser.get(f"/?{state}").text
    assert usual.job not in options(page, "job_id")

    (others,) = links(page, "/jobs")
    assert "Chief" not in browser.get(others).text.partition("<ul")[0]
    (found,) = links(browser.get(f"{others}&q=FINANCIAL").text, "/")[1:]
    dashboard = browser.get(found).text

    assert re.findall(r'<option value="([^"]+)" selected>([^<]+)<', dashboard) == [(usual.job, SEARCHED)]
    kept = {name: values for name, values in parse_qs(urlsplit(found).query).items() if name != "job_id"}
    assert kept == parse_qs(state)


def test_a_template_is_chosen_as_a_job_is_and_by_its_id(visit, usual):
    browser = visit(usual)
    (others, *_) = links(browser.get(f"/?{urlencode({'job_id': usual.job})}&from=2025-01-01").text, "/templates")

    (found,) = links(browser.get(f"{others}&q={usual.template}").text, "/")[1:]

    asked = parse_qs(urlsplit(found).query)
    assert (asked["template_id"], asked["job_id"]) == ([usual.template], [usual.job])


def test_a_list_of_all_goes_on_and_ends_and_leads_back(visit, usual):
    browser = visit(usual)
    address, names = "/jobs?from=2026-01-01", []
    while address:
        page = browser.get(address).text
        assert len(page.encode()) <= MOST_BYTES
        names += [html.unescape(one) for one in re.findall(r'<li><a href="/\?[^"]*"[^>]*>([^<]+)</a>', page)]
        address, last = next(iter(links(page.partition('class="more"')[2], "/jobs")), None), address

    assert sorted(names) == sorted(usual_title(number) for number in range(MANY))
    beyond = browser.get(f"{last}&q=infrastructure 1").text
    assert "There are no more jobs." in beyond
    assert 'name="from" value="2026-01-01"' in beyond


def test_choosing_among_the_longest_ids_stays_small(visit, extreme):
    page = visit(extreme).get(f"/jobs?{urlencode({'template_id': extreme.template})}")

    assert len(page.content) <= MOST_BYTES
    assert 10 < page.text.count("<li>") < ROWS
    assert len(links(page.text.partition('class="more"')[2], "/jobs")) == 1, "which goes on where this ends"


def test_what_is_chosen_is_marked_and_can_be_given_up(visit, usual):
    page = visit(usual).get(f"/jobs?q=financial&from=2026-01-01&{urlencode({'job_id': usual.job})}").text

    assert re.findall(r'aria-current="true">([^<]+)<', page) == [SEARCHED]
    assert '<a href="/?from=2026-01-01">Dashboard of all jobs</a>' in page


def test_words_that_nothing_is_called_by_say_so_and_lead_to_all(visit, usual):
    for words in ("no such title", "%", "_", "<script>"):
        page = visit(usual).get(f"/jobs?{urlencode({'q': words, 'from': '2026-01-01'})}").text
        assert "No job is called so" in page
        assert '<a href="/jobs?from=2026-01-01">Show all jobs</a>' in page
        assert "<script>" not in page.replace("</script>", "")


def test_a_hiring_manager_chooses_among_their_own(visit, usual):
    browser = visit(usual, "hiring_manager")

    assert browser.get("/jobs").text.count("<li>") == 3
    assert browser.get("/templates").text.count("<li>") == 3
    assert SEARCHED not in browser.get(f"/jobs?q={SEARCHED}").text.partition("<ul")[2]


@pytest.mark.parametrize("path", ["/jobs", "/templates"])
def test_where_there_is_none_whoever_may_register_emails_is_told_how_one_gets_there(path, operator, visit):
    key = operator.post("/api/v1/organizations", {"name": "Nothing yet"}).json()["api_key"]
    nothing = Crowded(key, "", "")

    assert "when you register emails" in visit(nothing).get(path).text
    assert "there is nothing that you have to do" in visit(nothing, "hiring_manager").get(path).text


@pytest.mark.parametrize("path", ["/jobs?cursor=x", "/templates?cursor=WyJhIl0", "/jobs?q=%00"])
def test_a_list_that_cannot_be_is_refused(path, recruiters_browser):
    assert recruiters_browser.get(path).status_code == 422


def test_templates_that_a_table_has_no_room_for_are_in_its_file(visit, usual):
    browser = visit(usual)
    page = browser.get("/?from=2026-08-22&to=2026-11-21").text

    shown, all_there_are = re.search(r"The first (\d+) of (\d+)\.", page).groups()
    (file,) = [one for one in links(page, "/") if "table=templates" in one]
    rows = browser.get(file).text.splitlines()[1:]

    assert 5 <= int(shown) < int(all_there_are) == len(rows) == 50
    assert "All 50 templates as CSV" in page

"""A page without anything to show says why, and what whoever reads it can do about it, which differs by role."""

import re

import pytest
from msgspec.structs import replace

from tests.support.query_world import Story, project

LISTS = ("/candidates", "/candidates?level=hot", "/emails", "/", "/?basis=activity")
NOBODYS_MANAGER = "h-of-nothing"


@pytest.fixture
def empty_handed(browser, operator, with_token):
    """Signs in somebody of an organisation that has nothing yet."""
    key = operator.post("/api/v1/organizations", {"name": "Nothing yet"}).json()["api_key"]

    def sign_in(role):
        session = {"user_id": NOBODYS_MANAGER, "role": role}
        browser.sign_in(with_token(key).post("/api/v1/user-sessions", session).json()["url"])
        return browser

    return sign_in


def words_of(browser, path):
    main = browser.get(path).text.partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub("<[^>]+>", " ", main).split())


@pytest.mark.parametrize("role", ["recruiter", "admin"])
@pytest.mark.parametrize("path", LISTS)
def test_who_may_register_emails_is_told_how(role, path, empty_handed):
    words = words_of(empty_handed(role), path)

    assert "POST /api/v1/emails" in words
    assert "How registering works" in words
    assert "there is nothing that you have to do" not in words


@pytest.mark.parametrize("path", LISTS)
def test_a_hiring_manager_is_told_what_to_wait_for_and_whom_to_ask(path, empty_handed):
    words = words_of(empty_handed("hiring_manager"), path)

    assert "there is nothing that you have to do" in words
    assert f"ask a recruiter or an administrator whether its job names you: your id is {NOBODYS_MANAGER}" in words
    assert "/api/v1" not in words
    assert "egister" not in words


def test_a_hiring_manager_of_an_organisation_with_emails_is_told_the_same(browser, link_for):
    browser.sign_in(link_for("hiring_manager", NOBODYS_MANAGER)["url"])

    for path in LISTS:
        assert f"your id is {NOBODYS_MANAGER}" in words_of(browser, path)


@pytest.mark.parametrize("role", ["recruiter", "hiring_manager", "admin"])
@pytest.mark.parametrize("path", LISTS)
def test_what_an_empty_page_offers_is_open_to_whoever_reads_it(role, path, empty_handed):
    browser = empty_handed(role)
    main = browser.get(path).text.partition("<main")[2].partition("</main>")[0]

    offered = [link for link in re.findall(r'href="(/[^"#]*)', main) if link != "/schema"]

    assert [link for link in offered if browser.get(link.replace("&amp;", "&")).status_code != 200] == []


def test_only_administrators_are_sent_to_connect_a_provider(empty_handed):
    assert "connect your mail provider" in words_of(empty_handed("admin"), "/")
    for role in ("recruiter", "hiring_manager"):
        assert "an administrator connects your mail provider" in words_of(empty_handed(role), "/")


def test_a_recruiter_without_notifications_is_told_what_they_come_of(empty_handed):
    words = words_of(empty_handed("recruiter"), "/notifications")

    assert "opens, clicks or answers one of your emails, you are told here." in words


def test_a_hiring_manager_without_notifications_is_told_how_to_get_any(empty_handed):
    browser = empty_handed("hiring_manager")
    choice = "Emails of others, too, if they are about jobs that I manage"

    before = words_of(browser, "/notifications")
    form = {"csrf": browser.csrf(), "kind_open": "yes", "my_jobs": "yes", "time_zone": "UTC", "digest_at": "08:00"}
    assert browser.post("/settings/notifications", form).status_code == 303
    after = words_of(browser, "/notifications")

    assert f"an email about one of your jobs, you are told here, once you choose to be: tick “{choice}”" in before
    assert "an email about one of your jobs, you are told here." in after
    assert choice in words_of(browser, "/settings/notifications")


def test_only_who_may_register_emails_is_asked_to_name_their_templates(
    browser, link_for, administrator_url, world_as_it_was
):
    story = Story(7_000_000_000)
    story.sent("plain", job="j-plain", manager="h-plain")
    (plain,) = story.logged
    project(administrator_url, [replace(plain, fact=replace(plain.fact, template=None))])

    asked = {}
    for role in ("recruiter", "hiring_manager"):
        browser.sign_in(link_for(role, "h-plain")["url"])
        asked[role] = words_of(browser, "/?job_id=j-plain")

    assert "No email of this period names its template. Send template when" in asked["recruiter"]
    assert "No email of this period names its template: whoever sends them can" in asked["hiring_manager"]


def test_a_list_that_has_ended_leads_back_to_its_beginning(recruiters_browser, monkeypatch):
    monkeypatch.setattr("entrypoints.web.pages.emails.ROWS", 1)
    address, ahead = "/emails", "/emails"
    while ahead:
        address, found = ahead, re.search(r'href="([^"]+)">Older emails', recruiters_browser.get(ahead).text)
        ahead = found and found[1]

    words = words_of(recruiters_browser, f"{address}&candidate_id=c-1")  # whose emails are all later

    assert "There are no more emails. Back to the first" in words
    assert "egister" not in words

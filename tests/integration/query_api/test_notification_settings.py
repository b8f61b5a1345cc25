"""What somebody wants to be told, by form: for everybody, for themselves only, and given back where it cannot be."""

import re

import pytest

from tests.support.query_world import MANAGER

PATH = "/settings/notifications"
USUAL = {"kind_open": "yes", "time_zone": "UTC", "digest_at": "08:00"}


def save(browser, **fields):
    return browser.post(PATH, {"csrf": browser.csrf(), **fields})


def ticked(html):
    return set(re.findall(r'<input type="checkbox" name="(\w+)" value="yes"[^>]* checked>', html))


@pytest.fixture
def person(browser, link_for, with_token):
    """Somebody new, at the form and through the API."""
    session = link_for("recruiter", "u-decides")
    browser.sign_in(session["url"])
    save(browser, kind_open="yes", kind_click="yes", kind_reply="yes", time_zone="UTC", digest_at="08:00")
    return browser, with_token(session["token"])


def test_who_never_decided_sees_what_holds_for_them(browser, link_for):
    browser.sign_in(link_for("recruiter", "u-undecided")["url"])

    html = browser.get(PATH).text

    assert ticked(html) == {"kind_open", "kind_click", "kind_reply"}
    assert 'name="quiet_from" value=""' in html


def test_everything_that_is_chosen_holds_and_is_shown(person):
    browser, api = person

    answer = save(
        browser,
        kind_reply="yes",
        kind_bounce="yes",
        first_only="yes",
        hot_candidates_only="yes",
        my_jobs="yes",
        quiet_from="22:00",
        quiet_to="07:30",
        time_zone="Europe/Berlin",
        digest="yes",
        digest_at="09:15",
    )
    html = browser.get(answer.headers["location"]).text

    assert answer.status_code == 303
    assert api.get("/api/v1/notification-preferences").json() == {
        "kinds": ["reply", "bounce"],
        "opens": "first",
        "hot_candidates_only": True,
        "my_jobs": True,
        "quiet_hours": {"begins": "22:00", "ends": "07:30"},
        "time_zone": "Europe/Berlin",
        "digest": "daily",
        "digest_at": "09:15",
    }
    assert "Saved." in html
    assert ticked(html) == {"kind_reply", "kind_bounce", "first_only", "hot_candidates_only", "my_jobs", "digest"}
    assert 'name="quiet_to" value="07:30"' in html


def test_what_is_left_empty_is_switched_off(person):
    browser, api = person
    save(browser, **USUAL, quiet_from="22:00", quiet_to="07:00", digest="yes")

    save(browser, time_zone="UTC", digest_at="08:00")

    kept = api.get("/api/v1/notification-preferences").json()
    assert (kept["kinds"], kept["quiet_hours"], kept["digest"]) == ([], None, "off")


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"time_zone": "Middle/Earth"}, "Time zone: is no time zone"),
        ({"time_zone": ""}, "Time zone: is no time zone"),
        ({"quiet_from": "22:00"}, "Quiet hours: "),
        ({"quiet_from": "25:00", "quiet_to": "07:00"}, "Quiet hours: "),
        ({"quiet_from": "22:00", "quiet_to": "22:00"}, "Quiet hours: end when they begin"),
        ({"digest_at": "soon"}, "Time of the summary: "),
        ({"digest_at": "<script>"}, "Time of the summary: "),
    ],
)
def test_what_cannot_be_is_named_and_the_form_comes_back_as_it_was(fields, words, person):
    browser, api = person
    before = api.get("/api/v1/notification-preferences").json()

    answer = save(browser, **(USUAL | {"hot_candidates_only": "yes"} | fields))

    assert answer.status_code == 422
    assert words in answer.text
    assert "<script>" not in answer.text
    assert ticked(answer.text) == {"kind_open", "hot_candidates_only"}
    assert api.get("/api/v1/notification-preferences").json() == before


def test_an_empty_form_is_refused_and_not_stumbled_over(person):
    browser, _ = person

    assert save(browser).status_code == 422


def test_what_one_person_decides_holds_for_nobody_else(person, link_for, with_token):
    browser, _ = person
    save(browser, kind_bounce="yes", time_zone="UTC", digest_at="08:00")

    other = with_token(link_for("recruiter", "u-somebody-else")["token"])
    assert other.get("/api/v1/notification-preferences").json()["kinds"] == ["open", "click", "reply"]


@pytest.mark.parametrize("role", ["recruiter", "hiring_manager", "admin"])
def test_every_role_finds_the_form_and_only_administrators_the_other_settings(role, browser, link_for):
    browser.sign_in(link_for(role, MANAGER)["url"])

    assert f'href="{PATH}"' in browser.get("/notifications").text
    html = browser.get(PATH).text
    assert ('href="/settings/keys"' in html) is (role == "admin")


def test_no_form_of_another_site_counts(person):
    browser, _ = person

    assert browser.post(PATH, USUAL).status_code == 403
    forged = browser.post(PATH, {"csrf": browser.csrf(), **USUAL}, Sec_Fetch_Site="cross-site")
    assert forged.status_code == 403


def test_where_the_organisation_wants_no_notifications_the_form_says_so(person, admin):
    browser, _ = person
    assert "switched notifications off" not in browser.get(PATH).text
    admin.put("/api/v1/tracking-policy", {"notifications_enabled": False})
    try:
        assert "switched notifications off" in browser.get(PATH).text
    finally:
        admin.put("/api/v1/tracking-policy", {"notifications_enabled": True})


def test_the_keys_are_listed_and_can_be_switched_off_in_settings(person):
    browser, _ = person

    help_page = browser.get("/help").text
    for keys, path in (("g d", "/"), ("g c", "/candidates"), ("g e", "/emails"), ("g n", "/notifications")):
        assert re.search(rf'<kbd>{keys}</kbd></th><td data-label="Goes to"><a href="{path}">', help_page)
    assert "data-keys-switch" in browser.get(PATH).text

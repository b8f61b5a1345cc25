"""Tables of pages as files: just what is shown, safe in a spreadsheet; and times where the reader lives."""

import csv
import io
import re
from importlib.resources import files

import pytest

from tests.support.query_world import NAMED_JOB, email_id


def table(browser, path):
    answer = browser.get(path)
    assert answer.headers["content-type"].startswith("text/csv"), answer.text
    assert "attachment" in answer.headers["content-disposition"]
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_emails_are_those_of_the_filter(recruiters_browser):
    rows = table(recruiters_browser, f"/emails?job_id={NAMED_JOB}&format=csv")

    assert {row["subject"] for row in rows} == {"Subject named", "Subject dropped"}
    assert next(row for row in rows if row["subject"] == "Subject named")["sent_at"] == "2026-11-21T06:00:00Z"


def test_candidates_are_those_of_the_level(recruiters_browser):
    everybody = table(recruiters_browser, "/candidates?format=csv")
    hot = table(recruiters_browser, "/candidates?level=hot&format=csv")

    assert {row["candidate_id"] for row in everybody} >= {"c-1", "c-2", "c-4"}
    assert {row["level"] for row in hot} <= {"hot"}
    assert len(hot) < len(everybody)


@pytest.mark.parametrize(
    "path, column",
    [
        ("/?table=series", "date"),
        ("/?table=emails", "subject"),
        ("/?table=templates", "name"),
        (f"/emails/{email_id('named')}", "event_type"),
        ("/candidates/c-1", "occurred_at"),
    ],
)
def test_every_other_table_has_its_file_too(path, column, recruiters_browser):
    rows = table(recruiters_browser, f"{path}{'&' if '?' in path else '?'}format=csv")

    assert rows
    assert all(row[column] for row in rows)


def test_every_table_links_to_its_file_and_the_link_works(recruiters_browser):
    for path in ("/", "/candidates", "/candidates/c-1", "/emails", f"/emails/{email_id('named')}"):
        links = re.findall(r'href="([^"]*format=csv[^"]*)"', recruiters_browser.get(path).text)
        assert links, path
        for link in links:
            assert table(recruiters_browser, link.replace("&amp;", "&")) is not None


WITHOUT_DATA = {"help.html"}
"""Their tables say what keys do, the same to everybody."""


def test_whatever_template_has_a_table_offers_its_file():
    templates = [one for one in (files("entrypoints.web.pages") / "templates").iterdir() if one.name.endswith(".html")]

    with_table = {one.name: one.read_text() for one in templates if "<table" in one.read_text()}

    assert {name for name, text in with_table.items() if "export(" not in text} == WITHOUT_DATA


@pytest.fixture
def settled(admin):
    """What administrators set up, with its secrets: an API key, and an outgoing webhook that was tested."""
    key = admin.post("/api/v1/api-keys", {"name": "=ATS"}).json()
    made = admin.post("/api/v1/outgoing-webhooks", {"url": "https://ats.example.com/hook"}).json()
    hook = made["webhook"]["webhook_id"]
    renewed = admin.post(f"/api/v1/outgoing-webhooks/{hook}/secrets", {}).json()
    assert admin.post(f"/api/v1/outgoing-webhooks/{hook}/test").status_code == 202
    yield {"key": key["api_key_id"], "hook": hook, "secrets": [key["api_key"], made["secret"], renewed["secret"]]}
    admin.delete(f"/api/v1/outgoing-webhooks/{hook}")
    admin.delete(f"/api/v1/api-keys/{key['api_key_id']}")


def test_tables_of_settings_have_their_files(admins_browser, settled):
    key = {"api_key_id": settled["key"], "name": "'=ATS", "created_at": "2026-11-21T12:00:00Z", "revoked_at": ""}
    hook = {"url": "https://ats.example.com/hook", "state": "on", "waiting": "1", "last_delivered_at": ""}
    delivery = {"kind": "test", "status": "waiting", "attempts": "0", "last_outcome": "", "last_http_status": ""}
    log = f"/settings/outgoing/{settled['hook']}"

    for path, wanted in {"/settings/keys": key, "/settings/outgoing": hook, log: delivery}.items():
        rows = table(admins_browser, file_of(admins_browser.get(path).text))
        assert any(wanted.items() <= row.items() for row in rows), path


def test_the_file_of_a_log_is_that_of_the_state_that_is_shown(admins_browser, settled):
    log = f"/settings/outgoing/{settled['hook']}"

    assert len(table(admins_browser, file_of(admins_browser.get(f"{log}?status=waiting").text))) == 1
    assert table(admins_browser, f"{log}?status=failed&format=csv") == []
    assert admins_browser.get(f"{log}?status=lost&format=csv").status_code == 422


def test_no_file_of_settings_holds_a_secret(admins_browser, settled):
    for path in ("/settings/keys", "/settings/outgoing", f"/settings/outgoing/{settled['hook']}"):
        text = admins_browser.get(f"{path}?format=csv").text
        assert [secret for secret in settled["secrets"] if secret in text] == []
        assert "whsec_" not in text
        assert "mp_key_" not in text


def test_the_page_that_shows_a_new_secret_leads_to_the_same_file(admins_browser, settled):
    log = f"/settings/outgoing/{settled['hook']}"
    shown = admins_browser.post(f"{log}/secrets", {"csrf": admins_browser.csrf()})

    assert file_of(shown.text) == f"{log}?format=csv"


def test_another_organisations_log_has_no_file(browser, stranger, settled):
    session = {"user_id": "u-9", "role": "admin"}
    browser.sign_in(stranger.post("/api/v1/user-sessions", session).json()["url"])

    assert browser.get(f"/settings/outgoing/{settled['hook']}?format=csv").status_code == 404


@pytest.mark.parametrize("role", ["recruiter", "hiring_manager"])
def test_files_of_settings_are_for_administrators_only(role, browser, link_for):
    browser.sign_in(link_for(role)["url"])

    for path in ("/settings/keys", "/settings/outgoing"):
        assert browser.get(f"{path}?format=csv").status_code == 403


def file_of(html):
    (link,) = re.findall(r'href="([^"]*format=csv[^"]*)"', html)
    return link.replace("&amp;", "&")


def test_a_hiring_manager_takes_nothing_of_other_jobs_along(managers_browser):
    assert {row["subject"] for row in table(managers_browser, "/emails?format=csv")} == {
        "Subject named",
        "Subject dropped",
    }
    assert "Subject other" not in str(table(managers_browser, "/candidates/c-1?format=csv"))


def test_times_and_days_are_those_of_the_visitors_zone(recruiters_browser):
    assert "21 November 2026, 06:00 UTC" in recruiters_browser.get("/emails").text
    recruiters_browser.zone = "Asia%2FKolkata"

    assert "21 November 2026, 11:30 Asia/Kolkata" in recruiters_browser.get("/emails").text
    assert 'name="tz" value="Asia/Kolkata"' in recruiters_browser.get("/").text
    assert 'name="tz" value="UTC"' in recruiters_browser.get("/?tz=UTC").text, "the address says more than the cookie"


def test_a_day_begins_where_the_visitor_lives(recruiters_browser):
    recruiters_browser.zone = "Pacific/Honolulu"  # 10 in the morning by UTC is midnight there

    days = re.findall(r'<h3><time datetime="([\d-]+)">', recruiters_browser.get("/candidates/c-1").text)
    assert days == ["2026-11-21"]
    recruiters_browser.zone = "Pacific/Pago_Pago"  # an hour later than that
    days = re.findall(r'<h3><time datetime="([\d-]+)">', recruiters_browser.get("/candidates/c-1").text)
    assert days == ["2026-11-21", "2026-11-20"]


def test_a_zone_is_chosen_by_form_and_leads_back(recruiters_browser):
    form = {"csrf": recruiters_browser.csrf(), "zone": "Europe/Berlin", "next": "/emails?job_id=j-1"}
    answer = recruiters_browser.post("/zone", form)

    assert (answer.status_code, answer.headers["location"]) == (303, "/emails?job_id=j-1")
    cookie = answer.headers["set-cookie"].lower()
    assert "mailpulse_zone=europe/berlin" in cookie.replace('"', "").replace("%2f", "/")
    assert "secure" in cookie
    assert recruiters_browser.post("/zone", {**form, "next": "//evil.example"}).headers["location"] == "/"
    assert recruiters_browser.post("/zone", {**form, "zone": "Middle/Earth"}).status_code == 422
    assert recruiters_browser.post("/zone", {**form, "csrf": ""}).status_code == 403


@pytest.mark.parametrize("zone", ["Middle/Earth", "../../etc/passwd", "%00", "x" * 3_000, '"><script>'])
def test_a_zone_that_does_not_exist_is_taken_for_utc(zone, recruiters_browser):
    recruiters_browser.zone = zone

    html = recruiters_browser.get("/emails").text
    assert 'name="zone" value="UTC"' in html
    assert "<script>" not in html.replace("</script>", "")

"""Tables of pages as files: just what is shown, safe in a spreadsheet; and times where the reader lives."""

import csv
import io
import re

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

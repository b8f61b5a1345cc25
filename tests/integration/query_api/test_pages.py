"""The pages as a browser meets them: signing in, what is shown to whom, and what never gets through."""

import json
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from application.access import SIGN_IN_LINK_LIFETIME
from application.ports.access_tokens import TokenKind
from application.tokens import hash_of, new_token
from entrypoints.web.pages.rendering import asset
from tests.support.page_browser import Browser, code_of
from tests.support.query_world import MANAGER, NAMED_JOB, OTHER_JOB, THEIRS, email_id


def test_looking_at_a_link_does_not_use_it_up_but_signing_in_does(browser, link_for):
    url = link_for("recruiter")["url"]

    for _ in range(3):  # as mail scanners and chats do
        assert browser.get(f"/login?code={code_of(url)}").status_code == 200
    first = browser.sign_in(url)
    second = Browser(browser._client.app).sign_in(url)

    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert second.status_code == 401
    assert "set-cookie" not in second.headers


def test_the_page_of_a_link_says_how_long_it_is_good(browser, link_for):
    html = browser.get(f"/login?code={code_of(link_for('recruiter')['url'])}").text

    assert f"within {SIGN_IN_LINK_LIFETIME // timedelta(hours=1)} hours of being made" in html


def test_the_cookie_is_for_this_host_and_for_no_script(browser, link_for):
    cookie = browser.sign_in(link_for("recruiter")["url"]).headers["set-cookie"].lower()

    for part in ("__host-mailpulse=", "httponly", "secure", "path=/", "samesite=lax", "max-age=604800"):
        assert part in cookie
    assert "domain" not in cookie


def test_a_session_id_that_a_client_brings_is_never_adopted(browser, link_for):
    browser.session = brought = new_token(TokenKind.SESSION)

    browser.sign_in(link_for("recruiter")["url"])

    assert browser.session != brought
    browser.session = brought
    assert browser.get("/candidates").status_code == 303


def test_only_the_hash_of_a_session_is_kept(recruiters_browser, administrator_url):
    with psycopg.connect(administrator_url) as connection:
        rows = connection.execute("SELECT token_hash, t::text FROM ops.access_tokens t WHERE kind = 'session'")
        kept = rows.fetchall()

    assert hash_of(recruiters_browser.session) in {token_hash for token_hash, _ in kept}
    assert not any(recruiters_browser.session in text for _, text in kept)


def test_without_a_session_every_page_leads_to_signing_in_and_back(browser):
    answer = browser.get("/candidates?level=hot")

    assert answer.status_code == 303
    assert parse_qs(urlsplit(answer.headers["location"]).query)["next"] == ["/candidates?level=hot"]


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/a\nb", ""]
)
def test_signing_in_leads_nowhere_else(elsewhere, browser, link_for):
    assert browser.sign_in(link_for("recruiter")["url"], next=elsewhere).headers["location"] == "/"


def test_a_sign_in_that_another_site_sends_is_refused(browser, link_for):
    url = link_for("recruiter")["url"]

    assert browser.post("/login", {"code": code_of(url)}, Sec_Fetch_Site="cross-site").status_code == 403
    assert browser.sign_in(url).status_code == 303, "and the link is as good as before"


def test_tokens_of_programs_open_no_page_and_sessions_no_api(recruiters_browser, link_for, with_token):
    assert with_token(recruiters_browser.session).get("/api/v1/emails").status_code == 401
    recruiters_browser.session = link_for("recruiter")["token"]

    assert recruiters_browser.get("/candidates").status_code == 303


def test_signing_out_ends_the_session_and_only_by_our_own_form(recruiters_browser, monotonic):
    assert recruiters_browser.post("/logout", {}).status_code == 403
    assert recruiters_browser.post("/logout", {"csrf": "0" * 64}).status_code == 403
    csrf = recruiters_browser.csrf()
    assert recruiters_browser.post("/logout", {"csrf": csrf}, Sec_Fetch_Site="same-site").status_code == 403

    assert recruiters_browser.post("/logout", {"csrf": csrf}).status_code == 303
    monotonic.now += 2.1

    assert recruiters_browser.get("/candidates").status_code == 303


def test_ending_a_users_session_shuts_their_browser_out_and_voids_unused_links(browser, link_for, admin, monotonic):
    used, unused = link_for("recruiter"), link_for("recruiter")
    browser.sign_in(used["url"])
    assert browser.get("/candidates").status_code == 200

    for session in (used, unused):
        assert admin.delete(f"/api/v1/user-sessions/{session['session_id']}").status_code == 204
    monotonic.now += 2.1

    assert browser.get("/candidates").status_code == 303
    assert browser.sign_in(unused["url"]).status_code == 401


def test_a_recruiter_sees_candidates_ranked_with_their_grounds(recruiters_browser):
    ranked = recruiters_browser.get("/candidates").text
    profile = recruiters_browser.get("/candidates/c-1").text

    assert "Name c-1 10" in ranked
    assert "of 100" in profile
    assert "Subject named" in profile


def test_an_id_with_a_slash_leads_to_its_candidate(recruiters_browser, administrator_url):
    with psycopg.connect(administrator_url) as connection:
        connection.execute("UPDATE email_logs SET recipient_id = 'c/1 ?' WHERE recipient_id = 'c-1'")
    try:
        listed = recruiters_browser.get(f"/emails/{email_id('named')}").text
        profile = recruiters_browser.get("/candidates/c%2F1%20%3F")
    finally:
        with psycopg.connect(administrator_url) as connection:
            connection.execute("UPDATE email_logs SET recipient_id = 'c-1' WHERE recipient_id = 'c/1 ?'")

    assert 'href="/candidates/c%2F1%20%3F"' in listed
    assert (profile.status_code, "Subject named" in profile.text) == (200, True)


def test_machines_are_shown_apart_with_the_reason(recruiters_browser):
    html = recruiters_browser.get(f"/emails/{email_id('named')}").text

    assert "2 automatic events, left out of all counts" in html
    assert "seconds after delivery" in html


def test_what_was_not_tracked_is_no_zero_and_the_reason_is_said(recruiters_browser):
    tracked = facts_of(recruiters_browser.get(f"/emails/{email_id('dropped')}").text)
    page = recruiters_browser.get(f"/emails/{email_id('untracked')}").text
    listed = recruiters_browser.get("/emails?candidate_id=c-4").text
    profile = recruiters_browser.get("/candidates/c-4").text

    assert set(tracked.values()) == {"0"}
    unknown = dict.fromkeys(("Opens", "Clicks", "Links followed", "Automatic"), "n/a")
    assert facts_of(page) == unknown | {"Replies": "0"}, "replies are recorded all the same"
    assert "This email is not tracked" in page
    assert ("n/a" in listed, "not tracked" in listed) == (True, True)
    assert "0 opened" not in profile
    assert "nothing was measured, so there is no score" in profile


def facts_of(html):
    return dict(re.findall(r'<dt>([^<]+)</dt><dd class="number">([^<]+)</dd>', html))


def test_a_hiring_manager_finds_nothing_of_other_jobs(browser, link_for):
    browser.sign_in(link_for("hiring_manager", MANAGER)["url"])

    assert browser.get(f"/emails/{email_id('named')}").status_code == 200
    assert browser.get(f"/emails/{email_id('other')}").status_code == 404
    assert browser.get("/candidates/c-2").status_code == 404
    assert "Subject other" not in browser.get("/candidates/c-1").text + browser.get("/emails").text


def test_nothing_of_another_organisation_is_found(recruiters_browser):
    theirs = email_id("theirs", organization=THEIRS)

    assert recruiters_browser.get(f"/emails/{theirs}").status_code == 404
    assert "secret" not in recruiters_browser.get("/candidates/c-1").text


@pytest.mark.parametrize("path", ["/candidates", "/emails", "/login", "/nothing-here", "/candidates/nobody"])
def test_pages_may_run_no_script_but_ours_and_are_kept_by_no_cache(path, recruiters_browser):
    answer = recruiters_browser.get(path)

    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/login", "/zone", "/settings/keys"])
def test_no_form_fills_the_memory(path, admins_browser):
    assert admins_browser.post(path, {"code": "x" * 100_000}).status_code == 413


def test_hostile_words_are_shown_as_words(recruiters_browser, client, admin):
    hostile = '"><script>alert(1)</script>'
    email = {
        "provider": "email",
        "message_id": "hostile",
        "sent_at": "2026-11-21T09:00:00Z",
        "subject": hostile,
        "recipient": {"id": hostile, "email": "h@example.com", "name": hostile},
        "sender": {"id": "r-1", "name": hostile},
    }
    assert admin.post("/api/v1/emails", email).status_code == 201

    for path in ("/emails", "/candidates", f"/candidates?level={hostile}", f"/emails?candidate_id={hostile}"):
        assert "<script>alert" not in recruiters_browser.get(path).text


def test_assets_are_kept_for_ever_and_nothing_else_is_sent(recruiters_browser):
    path = re.search(r'href="(/assets/[^"]+)"', recruiters_browser.get("/candidates").text)[1]

    asset = recruiters_browser.get(path)
    assert (asset.status_code, asset.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in asset.headers["cache-control"]
    for other in ("/assets/x/pages.css", "/assets/x/..%2frendering.py", path.replace("pages.css", "tokens.css")):
        assert recruiters_browser.get(other).status_code == 404


def test_a_wrong_parameter_is_named_on_a_page_of_its_own(recruiters_browser):
    answer = recruiters_browser.get("/candidates?level=boiling")

    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert "Level: Invalid enum value" in answer.text


def test_the_dashboard_shows_the_figures_and_keeps_its_state_in_the_address(recruiters_browser):
    html = recruiters_browser.get("/?from=2026-11-01&to=2026-11-21&job_id=&template_id=&tz=Europe/Berlin").text

    assert "2 of 3 tracked emails" in html
    assert "2 automatic opens left out" in html
    assert 'value="2026-11-01"' in html
    assert 'value="Europe/Berlin"' in html


def test_a_chart_has_its_numbers_as_a_table_too(recruiters_browser):
    html = recruiters_browser.get("/").text

    assert html.count('<th scope="row">') > 30
    specification = re.search(r'<script type="application/json">(.*?)</script>', html)[1]
    assert {point["what"] for point in json.loads(specification)["datasets"]["series"]} == {"Opened", "Clicked"}


@pytest.mark.parametrize(
    "first, point, column, axis",
    [
        ("2026-10-01", "20 Nov 2026", "Day", "%-d %b"),
        ("2026-06-01", "16 Nov 2026", "Week from", "%-d %b"),
        ("2024-11-22", "Nov 2026", "Month", "%b %Y"),
        ("2016-11-22", "Oct 2026", "Quarter from", "%b %Y"),
    ],
)
def test_the_longer_a_period_the_coarser_its_points_in_table_chart_and_file(
    first, point, column, axis, recruiters_browser
):
    address = f"/?from={first}&to=2026-11-21"
    html = recruiters_browser.get(address).text

    specification = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html)[1])
    rows = re.findall(r'<tr><th scope="row">([^<]+)</th><td data-label="Sent"[^>]*>(\d+)</td>', html)
    file = recruiters_browser.get(f"{address}&table=series&format=csv").text.splitlines()
    assert point in dict(rows)
    assert f'<th scope="col">{column}</th>' in html
    assert specification["encoding"]["x"]["axis"]["format"] == axis
    assert len(rows) == len(file) - 1 <= 92


def test_the_chart_of_a_long_period_says_what_the_date_of_a_point_is(recruiters_browser):
    def title(query):
        html = recruiters_browser.get(f"/?to=2026-11-21&{query}").text
        specification = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html)[1])
        return specification["encoding"]["tooltip"][0]["title"]

    assert title("from=2026-11-01") == "Sent"
    assert title("from=2026-11-01&basis=activity") == "Day"
    assert title("from=2026-06-01") == "Sent in the week from"
    assert title("from=2024-06-01&basis=activity") == "Month"


def test_the_table_of_a_chart_comes_before_it(recruiters_browser):
    html = recruiters_browser.get("/").text

    assert html.index("<summary>These figures as a table") < html.index('<figure class="chart"')


def test_what_a_dashboard_is_filtered_by_is_in_its_lists_however_many_others_there_are(recruiters_browser, monkeypatch):
    monkeypatch.setattr("adapters.postgres.queries.dashboard.MOST_CHOICES", 1)

    html = recruiters_browser.get(f"/?job_id={OTHER_JOB}&template_id=t-1").text

    assert f'<option value="{NAMED_JOB}"' not in html, "else the list holds all there are"
    assert chosen_in(html) == [(OTHER_JOB, f"Title {OTHER_JOB}"), ("t-1", "Invitation")]


def test_a_list_holds_what_is_chosen_at_its_place_by_name(recruiters_browser):
    options = re.findall(r'<option value="(j-[^"]+)"', recruiters_browser.get(f"/?job_id={OTHER_JOB}").text)

    assert options == [NAMED_JOB, OTHER_JOB]


def test_a_filter_that_nobody_knows_is_shown_as_what_it_is(recruiters_browser):
    html = recruiters_browser.get("/?job_id=j-gone&template_id=t-gone").text

    assert chosen_in(html) == [("j-gone", "j-gone"), ("t-gone", "t-gone")]


def test_a_hiring_manager_learns_no_title_by_filtering(managers_browser):
    html = managers_browser.get(f"/?job_id={OTHER_JOB}").text

    assert chosen_in(html) == [(OTHER_JOB, OTHER_JOB)]


def chosen_in(html):
    return re.findall(r'<option value="([^"]+)" selected>([^<]+)</option>', html)


@pytest.mark.parametrize(
    "tile, what, count, of",
    [
        ("open_rate", "Opened", 2, 3),
        ("click_rate", "Clicked", 2, 3),
        ("click_to_open_rate", "Clicked", 2, 2),
        ("reply_rate", "Replied", 1, 3),
        ("bounce_rate", "Bounced", 1, 3),
    ],
)
def test_the_chart_is_that_of_the_chosen_tile_and_its_table_holds_its_figures(
    tile, what, count, of, recruiters_browser
):
    html = recruiters_browser.get(f"/?from=2026-11-20&to=2026-11-21&tile={tile}").text

    specification = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html)[1])
    (point,) = specification["datasets"]["series"]
    assert (point["what"], point["count"], point["sent"]) == (what, count, of)
    assert specification["encoding"]["color"]["scale"]["domain"] == [what]
    assert f'<td data-label="{what}" class="right number">{count}</td>' in html
    assert html.count('aria-current="true"') == 1
    assert f'name="tile" value="{tile}"' in html, "the filters keep it"


def test_the_chart_of_a_tile_counts_emails_where_what_happened_is_asked_for(recruiters_browser):
    html = recruiters_browser.get("/?from=2026-11-20&to=2026-11-21&tile=reply_rate&basis=activity").text

    specification = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html)[1])
    assert [point["count"] for point in specification["datasets"]["series"]] == [0, 1]
    assert "Emails that were answered on each day" in html
    assert "Replied over time" in html


@pytest.mark.parametrize(
    "query", ["from=2026-11-21&to=2026-11-01", "tz=Nowhere", "campaign_id=x", "to=soon", "tile=luck"]
)
def test_a_dashboard_that_cannot_be_says_why(query, recruiters_browser):
    answer = recruiters_browser.get(f"/?{query}")

    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")


def test_pages_stay_small(recruiters_browser):
    assert len(recruiters_browser.get("/").content) <= 60_000
    assert len(asset("pages.css")) <= 20_000
    assert len(asset("pages.js")) + len(asset("live.js")) <= 25_000

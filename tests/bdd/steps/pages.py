"""What people see on the pages, signed in as they would be."""

import re
from html import unescape
from urllib.parse import parse_qs, quote, urlsplit

import httpx
from pytest_bdd import parsers, then, when

from tests.bdd.recruiting_team import candidate_id
from tests.bdd.tables import pairs_of, rows_of

ROLES = {"an admin": "admin", "a recruiter": "recruiter", "a hiring manager": "hiring_manager"}
TILE = re.compile(r'<h2><a [^>]+>([^<]+)</a></h2>\s*<p class="value number">([^<]+)</p>')
STEP = re.compile(r'<span class="what">(\w+)</span> <strong class="number">([\d,]+)</strong>')
PART = re.compile(r'<dt>(\w+)</dt><dd class="number">([^<]+)</dd>')
DID = re.compile(r'<li><span class="did">(\w+)</span> <a [^>]*>([^<]*)</a>')
CSRF = re.compile(r'name="csrf" value="([^"]+)"')
TEMPLATES = re.compile(r"By template</h2>.*?</table>", re.DOTALL)
ROW = re.compile(r'<tr><th scope="row"><a [^>]*>([^<]*)</a></th>(.*?)</tr>')
CELL = re.compile(r"<td[^>]*>([^<]*)</td>")


def page(scene, path, who="a recruiter"):
    """Open a page as somebody, and give the answer."""
    with _client(scene) as client:
        _sign_in(scene, client, who)
        return client.get(path)


def send_form(scene, path, fields, who):
    """Send a form as somebody who has its page open, and give the page that answers."""
    with _client(scene) as client:
        _sign_in(scene, client, who)
        csrf = CSRF.search(client.get("/").text)[1]
        return client.post(path, data={"csrf": csrf, **fields})


@then(parsers.re(r"the dashboard shows (?P<who>a recruiter|.+, a hiring manager):"))
def the_dashboard_shows(scene, who, datatable):
    scene.settle()
    scene.seen = page(scene, "/", who).text
    assert_tiles(scene.seen, datatable)


@then(parsers.parse('the dashboard of the template "{template}" shows a recruiter:'))
def the_dashboard_of_a_template_shows(scene, template, datatable):
    scene.settle()
    assert_tiles(page(scene, f"/?template_id={quote(template)}").text, datatable)


@then("the dashboard of what happened in the last 30 days shows a recruiter:")
def the_dashboard_of_activity_shows(scene, datatable):
    assert_tiles(page(scene, "/?basis=activity").text, datatable)


@then("the dashboard with machines shows a recruiter:")
def the_dashboard_with_machines_shows(scene, datatable):
    assert_tiles(page(scene, "/?include=automated").text, datatable)


@then(parsers.parse('the dashboard of the year {year:d} says "{words}"'))
def the_dashboard_of_a_year_says(scene, year, words):
    scene.settle()
    assert words in page(scene, f"/?from={year}-01-01&to={year}-12-31").text


@then("its templates are:")
def its_templates_are(scene, datatable):
    found = [[name, *CELL.findall(cells)] for name, cells in ROW.findall(TEMPLATES.search(scene.seen)[0])]
    assert sorted(found) == sorted(datatable[1:])


@then(parsers.re(r'the dashboard says "(?P<words>[^"]+)" to (?P<who>an admin|a recruiter|a hiring manager)'))
def the_dashboard_says(scene, words, who):
    scene.settle()
    assert words in re.sub("<[^>]+>", "", page(scene, "/", who).text)


@when("an administrator has everything tried again that waits")
def everything_is_tried_again(scene):
    scene.settle()
    scene.seen = send_form(scene, "/reports/retry", {}, "an admin").text


@then(parsers.parse('the page of reports says "{words}"'))
def the_page_of_reports_says(scene, words):
    assert words in scene.seen


@then(parsers.parse('the page of the campaign "{campaign}" shows a recruiter:'))
def the_page_of_a_campaign_shows(scene, campaign, datatable):
    scene.settle()
    shown = dict(STEP.findall(page(scene, f"/campaigns/{scene.team.campaign_id(campaign)}").text))
    assert shown == pairs_of(datatable)


@then(parsers.re(r"the page of (?P<name>[\w ]+) shows (?P<who>a recruiter|.+, a hiring manager):"))
def the_page_of_a_candidate_shows(scene, name, who, datatable):
    html = candidate_page(scene, name, who)
    shown = dict(PART.findall(html)) | {
        "badge": re.search(r'<span class="badge \w+">.*?</span> (\w+)</span>', html)[1],
        "score": re.search(r'<strong class="number">(\d+)</strong>', html)[1],
        "figures": re.search(r"<p>([^<]*sent[^<]*)</p>", html)[1],
    }
    wanted = pairs_of(datatable)
    assert {what: shown.get(what) for what in wanted} == wanted


@then(parsers.parse("the page of {name} lists, the latest first:"))
def the_timeline_reads(scene, name, datatable):
    found = [{"what": what, "email": subject} for what, subject in DID.findall(candidate_page(scene, name))]
    assert found == rows_of(datatable)


@then(parsers.parse("the page of {name} says that opens and clicks are not recorded"))
def the_page_says_not_recorded(scene, name):
    assert "Tracking: opens and clicks are not recorded, as your team noted" in candidate_page(scene, name)


@then(parsers.re(r'the page of (?P<name>[\w ]+) does not say "(?P<words>[^"]+)" to (?P<who>.+, a hiring manager)'))
def the_page_does_not_say(scene, name, words, who):
    assert words in candidate_page(scene, name), "a recruiter reads it"
    assert words not in candidate_page(scene, name, who)


@then(
    parsers.re(r'the page "(?P<path>[^"]+)" is (?P<state>open|shut) for (?P<who>an admin|a recruiter|a hiring manager)')
)
def the_page_is(scene, path, state, who):
    answer = page(scene, path, who)
    assert answer.status_code == (httpx.codes.OK if state == "open" else httpx.codes.FORBIDDEN)


@then(parsers.parse('somebody without a session is led from "{path}" to signing in'))
def led_to_sign_in(scene, path):
    with _client(scene) as client:
        answer = client.get(path, follow_redirects=False)
    assert answer.status_code == httpx.codes.SEE_OTHER
    assert answer.headers["location"] == f"/login?next={quote(path, safe='')}"


@then("a recruiter's link to sign in works once and not again")
def the_link_works_once(scene):
    code = _code(scene, "a recruiter")
    with _client(scene) as client:
        used = [client.post("/login", data={"code": code}, follow_redirects=False).status_code for _ in range(2)]
    assert used == [httpx.codes.SEE_OTHER, httpx.codes.UNAUTHORIZED]


def candidate_page(scene, name, who="a recruiter"):
    scene.settle("scores")
    return unescape(page(scene, f"/candidates/{quote(candidate_id(name))}", who).text)


def assert_tiles(html, datatable):
    shown, wanted = dict(TILE.findall(html)), pairs_of(datatable)
    assert {name: shown.get(name) for name in wanted} == wanted


def _client(scene):
    return httpx.Client(base_url=scene.service.base_url, timeout=60, follow_redirects=True)


def _sign_in(scene, client, who):
    answer = client.post("/login", data={"code": _code(scene, who)}, follow_redirects=False)
    assert answer.status_code == httpx.codes.SEE_OTHER, answer.text


def _code(scene, who):
    user, _, title = who.rpartition(", ")
    asked = {"user_id": user or "somebody", "role": ROLES[title], "name": user or "Somebody"}
    return parse_qs(urlsplit(scene.team.ask("/user-sessions", asked)["url"]).query)["code"][0]

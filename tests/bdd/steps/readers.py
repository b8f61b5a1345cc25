"""Emails with a pixel and links of our own, and who reads them."""

import re

import httpx
from pytest_bdd import given, parsers, then, when

from tests.bdd.recruiting_team import SentEmail, address_of, candidate_id
from tests.bdd.steps.answers import assert_timeline
from tests.bdd.tables import rows_of
from tests.bdd.waiting import eventually

HTML = (
    "<html><body><p>Hello, <a href='https://jobs.test/slots?day=1&amp;place=Köln'>Choose a <b>time</b></a> or meet"
    " <a href='https://jobs.test/team'>our team</a>.</p><p><a href='mailto:jobs@example.com'>Write</a></p></body>"
)
AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
OUR_LINK = re.compile(r"http://[^\"'<>]*/t/[ocu]/[A-Za-z0-9_-]+")


# --- emails ---


@given("these emails were instrumented and sent:")
@when("these emails are instrumented:")
def emails_are_instrumented(scene, datatable):
    for row in rows_of(datatable):
        described = scene.team.describe(row)
        answer = scene.team.ask("/emails/instrument", described | {"html": HTML})
        to = row["to"]
        scene.mails[to] = answer
        scene.team.emails.append(
            SentEmail(
                to=to,
                subject=described["subject"],
                email_id=answer["email_id"],
                email_log_id=answer["email_log_id"],
                message_id=described["message_id"],
                address=described["recipient"]["email"],
            )
        )


@given(parsers.parse("{team} tracks {whom}"))
def a_team_tracks(scene, team, whom):
    policy = scene.team.ask("/tracking-policy")
    scene.teams[team].put("/tracking-policy", policy | {"tracking_enabled": whom == "everybody"})


# --- readers ---


@when(parsers.parse("{name} displays the email"))
def somebody_displays(scene, name):
    visit(scene, "GET", pixel_of(scene, name))


@when(parsers.parse("{name} displays the email in a browser that asks not to be followed"))
def somebody_displays_in_private(scene, name):
    visit(scene, "GET", pixel_of(scene, name), {"sec-gpc": "1"})


@when(parsers.parse('{name} follows "{text}"'))
def somebody_follows(scene, name, text):
    scene.landed = visit(scene, "GET", link_of(scene, name, text))


@when(parsers.parse('a machine asks for the headers only of "{text}"'))
def a_machine_asks_for_headers(scene, text):
    visit(scene, "HEAD", link_of(scene, only_reader(scene), text))


@when(parsers.parse('a machine fetches in advance "{text}"'))
def a_machine_prefetches(scene, text):
    visit(scene, "GET", link_of(scene, only_reader(scene), text), {"sec-purpose": "prefetch"})


@when(parsers.parse("{name} looks at the unsubscribe page"))
def somebody_looks_at_the_page(scene, name):
    assert "<button" in visit(scene, "GET", unsubscribe_url_of(scene, name)).text


@when(parsers.parse("{name} presses the button of the unsubscribe page"))
def somebody_presses_the_button(scene, name):
    page = visit(scene, "GET", unsubscribe_url_of(scene, name)).text
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)">', page))
    assert "unsubscribed" in visit(scene, "POST", unsubscribe_url_of(scene, name), data=fields).text


@when(parsers.parse("the mail program of {name} unsubscribes with one click"))
def a_mail_program_unsubscribes(scene, name):
    assert scene.mails[name]["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    answer = visit(scene, "POST", unsubscribe_url_of(scene, name), data=ONE_CLICK)
    assert answer.status_code == httpx.codes.OK


@when(parsers.parse("somebody changes a letter of every link of the email to {name} and follows them"))
def somebody_tampers(scene, name):
    mail = scene.mails[name]
    urls = [url for url in OUR_LINK.findall(mail["html"]) if "/t/c/" in url] + [unsubscribe_url_of(scene, name)]
    changed = [url[:-20] + ("A" if url[-20] != "A" else "B") + url[-19:] for url in urls]
    scene.answers = [visit(scene, method, url) for url in changed for method in ("GET", "HEAD")]
    scene.answers.append(visit(scene, "POST", changed[-1], data=ONE_CLICK))
    scene.answers.append(visit(scene, "GET", urls[0].replace("/t/c/", "/t/u/")))


@given("the database takes nothing in")
def the_database_takes_nothing_in(scene):
    scene.outage.enter_context(scene.service.unable_to_write("ops.webhook_inbox"))


# --- what came of it ---


@then(parsers.parse('{name} lands at "{url}"'))
def somebody_lands(scene, name, url):
    assert (scene.landed.status_code, scene.landed.headers["location"]) == (httpx.codes.FOUND, url)


@then(parsers.parse("no pixel and no link of the email to {name} holds a name, an address or an id"))
def nothing_tells(scene, name):
    mail = scene.mails[name]
    urls = [*OUR_LINK.findall(mail["html"]), unsubscribe_url_of(scene, name)]
    assert len(urls) == 4, f"a pixel, two links and the header: {urls}"
    telling = (
        *name.lower().split(),
        address_of(name),
        candidate_id(name),
        mail["email_id"],
        scene.team.organization_id,
    )
    for url in urls:
        token = url.rpartition("/")[2]
        assert not [word for word in telling if word in token.lower()]


@then(parsers.parse('the email to {name} comes back untouched, because of "{reason}"'))
def it_comes_back_untouched(scene, name, reason):
    mail = scene.mails[name]
    assert (mail["html"], mail["tracked"], mail["reason"]) == (HTML, False, reason)


@then(parsers.parse("nothing is known of who opened the email to {name}"))
def nothing_is_known(scene, name):
    (event,) = scene.team.all_of(f"/emails/{scene.team.email({'to': name}).email_id}/events")
    assert (event["event_type"], event["ip_address"], event["user_agent"]) == ("open", None, None)


@then("each of them gets a page that says that the link does not work")
def each_gets_a_page(scene):
    assert {answer.status_code for answer in scene.answers} == {httpx.codes.NOT_FOUND}
    assert not [answer for answer in scene.answers if "location" in answer.headers]


@then(
    parsers.parse("when the database takes things in again, the timeline of the email to {to} reads:"),
)
def after_the_outage(scene, to, datatable):
    scene.outage.close()
    handed_over(scene)
    assert_timeline(scene, to, datatable, "")


# --- how ---


def visit(scene, method, url, headers=None, data=None):
    """Ask as a reader's program does, and return when the report is on its way, unless there is an outage."""
    answer = scene.service.visit(method, url, {"user-agent": AGENT} | (headers or {}), data)
    if not scene.service.is_shut:
        handed_over(scene)
    return answer


def handed_over(scene):
    eventually(
        "the reports of readers are in the inbox",
        lambda: scene.service.counted("mailpulse_spool_waiting_reports"),
        lambda waiting: waiting == 0,
    )


def pixel_of(scene, name):
    return next(url for url in OUR_LINK.findall(scene.mails[name]["html"]) if "/t/o/" in url)


def link_of(scene, name, text):
    html = scene.mails[name]["html"]
    links = re.findall(r"<a href='([^']+)'>(.*?)</a>", html)
    return next(url for url, content in links if re.sub(r"<[^>]+>", "", content) == text)


def unsubscribe_url_of(scene, name):
    return scene.mails[name]["headers"]["List-Unsubscribe"].strip("<>")


def only_reader(scene):
    (name,) = scene.mails
    return name

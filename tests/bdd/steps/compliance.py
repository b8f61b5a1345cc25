"""What a compliance officer shows, and what a recruiter does about who did not react."""

import csv
import io

import httpx
from pytest_bdd import parsers, then

from tests.bdd.moments import rfc3339
from tests.bdd.tables import Columns, moment, number, percent, rows_of, text

RECORD = {"to": ("recipient_name", text), "when": ("occurred_at", moment), "email": ("subject", text)}
DOMAIN = {
    "domain": ("domain", text),
    "sent": ("sent", number),
    "delivered": ("delivered", number),
    "bounced": ("bounced", number),
    "hard": ("bounces.hard", number),
    "reported as spam": ("spam_reported", number),
    "bounce rate": ("bounce_rate", percent),
    "spam rate": ("spam_rate", percent),
}
REASON = {"kind": ("kind", text), "reason": ("reason", text), "emails": ("emails", number)}
NOT_ENGAGED = {"contact": ("contact_id", text), "name": ("name", text), "emails": ("emails", number)}
PATHS = {"unsubscribes": "/compliance/unsubscribes", "complaints about spam": "/compliance/spam-reports"}


@then(parsers.re(r"the (?P<kind>unsubscribes|complaints about spam) are:"))
def the_records_are(scene, kind, datatable):
    assert_records(scene, kind, "", datatable)


@then(parsers.re(r"the (?P<kind>unsubscribes|complaints about spam) from (?P<start>.+ ago) to (?P<end>.+ ago) are:"))
def the_records_of_a_period_are(scene, kind, start, end, datatable):
    start, end = (rfc3339(scene.moments.at(words)) for words in (start, end))
    assert_records(scene, kind, f"?from={start}&to={end}", datatable)


@then(parsers.re(r"(?P<user>\S+), a hiring manager, is shown the (?P<kind>unsubscribes|complaints about spam) of:"))
def a_hiring_manager_is_shown(scene, user, kind, datatable):
    assert_records(scene, kind, "", datatable, token=scene.team.token_of(user, "hiring_manager"))


@then(parsers.re(r"the (?P<kind>unsubscribes|complaints about spam) as CSV are:"))
def the_csv_is(scene, kind, datatable):
    scene.settle()
    answer = scene.service.ask(f"{PATHS[kind]}?format=csv", token=scene.team.api_key)
    assert answer.status_code == httpx.codes.OK, answer.text
    expected = rows_of(datatable)
    found = [{name: row[name] for name in expected[0]} for row in csv.DictReader(io.StringIO(answer.text, newline=""))]
    assert found == expected, f"expected {expected}, found {found}"


@then("the deliverability is:")
def the_deliverability_is(scene, datatable):
    Columns(DOMAIN, scene.moments).assert_rows("deliverability", rows_of(datatable), deliverability(scene)["items"])


@then("the reasons of bounces are:")
def the_reasons_are(scene, datatable):
    found = deliverability(scene)["total"]["bounce_reasons"]
    Columns(REASON, scene.moments).assert_rows("the reasons of bounces", rows_of(datatable), found)


@then(parsers.parse('the contacts of the campaign "{campaign}" who did nothing are:'))
def the_not_engaged_are(scene, campaign, datatable):
    scene.settle()
    found = scene.team.all_of(f"/contacts/not-engaged?campaign_id={scene.team.campaign_id(campaign)}")
    Columns(NOT_ENGAGED, scene.moments).assert_rows("who did nothing", rows_of(datatable), found)


def deliverability(scene):
    scene.settle()
    return scene.team.ask("/deliverability")


def assert_records(scene, kind, period, datatable, token=None):
    scene.settle()
    found = scene.team.all_of(PATHS[kind] + period, token=token)
    Columns(RECORD, scene.moments).assert_rows(f"the {kind}", rows_of(datatable), found)

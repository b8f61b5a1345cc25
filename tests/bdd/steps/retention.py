"""What is kept beyond its time, and that it goes."""

import json

import httpx
from pytest_bdd import given, parsers, then, when

from tests.bdd.moments import rfc3339
from tests.bdd.recruiting_team import candidate_id

TABLES = ("email_engagement_events", "engagement_tracking", "automated_engagement", "email_links")


@given(parsers.parse("the team keeps emails for {days:d} days"))
def the_team_keeps_for(scene, days):
    scene.team.put("/tracking-policy", scene.team.ask("/tracking-policy") | {"retention_days": days})


@when("the operator lets go of what is beyond its time")
def the_operator_purges(scene):
    scene.settle("scores")
    scene.service.command("retention", "--org", scene.team.organization_id)


@then(parsers.parse("nothing is left of the email to {to} in the API, the tables and the event store"))
def nothing_is_left(scene, to):
    scene.settle("scores")
    team, email = scene.team, scene.team.email({"to": to})
    for path in (f"/emails/{email.email_id}", f"/emails/{email.email_id}/events"):
        answer = scene.service.ask(path, token=team.api_key)
        assert answer.status_code == httpx.codes.NOT_FOUND, f"{path} answers {answer.text}"
    assert email.email_id not in {one["email_id"] for one in team.all_of("/emails")}
    for table in TABLES:
        query = f"SELECT count(*) AS rows FROM {table} WHERE email_log_id = %s"
        (found,) = scene.service.analyse(team.organization_id, query, (email.email_log_id,))
        assert found["rows"] == 0, f"{table} has {found['rows']} rows of the email"
    (found,) = scene.service.analyse(team.organization_id, "SELECT count(*) AS rows FROM campaign_contacts")
    assert found["rows"] == len(team.emails) - 1, "the contact is still there"
    assert scene.service.facts_about(email.email_id) == 0


@then(parsers.parse("{name} is no candidate any more"))
def no_candidate_any_more(scene, name):
    scene.settle("scores")
    answer = scene.service.ask(f"/candidates/{candidate_id(name)}/engagement", token=scene.team.api_key)
    assert answer.status_code == httpx.codes.NOT_FOUND, answer.text
    assert candidate_id(name) not in {one["candidate_id"] for one in scene.team.all_of("/candidates")}


@then(parsers.parse("a dry run says that {emails:d} email with {facts:d} facts would go, sent {when}"))
def a_dry_run_says(scene, emails, facts, when):
    scene.settle("scores")
    said = scene.service.command("retention", "--dry-run", "--org", scene.team.organization_id, "--json")
    [told] = json.loads(said)["items"]
    assert (told["emails"], told["events"], told["oldest_sent_at"]) == (
        emails,
        facts,
        rfc3339(scene.moments.at(when)),
    )


@then(parsers.parse('an email that was sent {when} is refused because of "{field}"'))
def an_email_is_refused(scene, when, field):
    answer = register(scene, when)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, answer.text
    assert [problem["field"] for problem in answer.json()["errors"]] == [field]


@then(parsers.parse("an email that was sent {when} is taken"))
def an_email_is_taken(scene, when):
    answer = register(scene, when)
    assert (answer.status_code, answer.json()["status"]) == (httpx.codes.CREATED, "registered")


def register(scene, when):
    described = scene.team.describe({"to": "Nora New", "sent": when})
    return scene.service.ask("/emails", described, token=scene.team.api_key)

"""Who sees what: organisations are walls, a hiring manager sees the jobs that name them."""

import httpx
from pytest_bdd import parsers, then

from tests.bdd.recruiting_team import candidate_id
from tests.bdd.steps.answers import CANDIDATE, EMAIL, METRICS, path_to
from tests.bdd.tables import Columns, pairs_of, rows_of


@then(parsers.parse("a recruiter of {name} finds none of these:"))
def a_recruiter_finds_nothing(scene, name, datatable):
    scene.settle()
    token = scene.teams[name].token_of("r-9", "recruiter")
    assert_found(scene, token, datatable, httpx.codes.NOT_FOUND)


@then(parsers.parse("a recruiter of {name} finds all of these:"))
def a_recruiter_finds_all(scene, name, datatable):
    scene.settle()
    token = scene.teams[name].token_of("r-9", "recruiter")
    assert_found(scene, token, datatable, httpx.codes.OK)


@then(parsers.parse("{user}, a hiring manager, finds all of these:"))
def a_hiring_manager_finds_all(scene, user, datatable):
    assert_found(scene, scene.team.token_of(user, "hiring_manager"), datatable, httpx.codes.OK)


@then(parsers.parse("{user}, a hiring manager, finds none of these:"))
def a_hiring_manager_finds_nothing(scene, user, datatable):
    assert_found(scene, scene.team.token_of(user, "hiring_manager"), datatable, httpx.codes.NOT_FOUND)


@then("nobody without a key finds any of these:")
def nobody_without_a_key_finds(scene, datatable):
    scene.settle()
    assert_found(scene, "mp_key_" + "x" * 43, datatable, httpx.codes.UNAUTHORIZED)


@then(parsers.parse("a recruiter of {name} sees these emails:"))
def a_recruiter_sees_emails(scene, name, datatable):
    scene.settle()
    team = scene.teams[name]
    assert_emails(scene, team, team.token_of("r-9", "recruiter"), datatable)


@then(parsers.parse("{user}, a hiring manager, sees these emails:"))
def a_hiring_manager_sees_emails(scene, user, datatable):
    scene.settle()
    assert_emails(scene, scene.team, scene.team.token_of(user, "hiring_manager"), datatable)


@then(parsers.parse("{user}, a hiring manager, sees these candidates:"))
def a_hiring_manager_sees_candidates(scene, user, datatable):
    scene.settle()
    found = scene.team.all_of("/candidates", token=scene.team.token_of(user, "hiring_manager"))
    Columns(CANDIDATE, scene.moments).assert_rows(f"the candidates of {user}", rows_of(datatable), found)


@then(parsers.parse('{user}, a hiring manager, sees these figures of the campaign "{campaign}":'))
def a_hiring_manager_sees_figures(scene, user, campaign, datatable):
    scene.settle()
    token = scene.team.token_of(user, "hiring_manager")
    found = scene.team.ask(f"{path_to(scene.team, 'campaign', campaign)}/engagement", token=token)
    Columns(METRICS, scene.moments).assert_row(f"the figures of {user}", pairs_of(datatable), found)


@then(parsers.re(r"a (?P<role>recruiter|hiring manager) may not (?P<act>.+)"))
def may_not(scene, role, act):
    path, body = {
        "register emails": ("/emails", {"emails": []}),
        "see which reports failed": ("/webhook-deliveries?status=failed", None),
        "open addresses for providers": ("/webhook-endpoints", {"provider": "sendgrid"}),
        "create keys": ("/api-keys", {"name": "mine"}),
    }[act]
    token = scene.team.token_of("somebody", role.replace(" ", "_"))
    answer = scene.service.ask(path, body, token=token)
    assert answer.status_code == httpx.codes.FORBIDDEN, f"{act}: {answer.status_code} {answer.text}"


def assert_emails(scene, team, token, datatable):
    rows = rows_of(datatable)
    found = team.all_of("/emails", token=token)
    by_name = sorted(found, key=lambda email: (email["recipient"]["name"], email["subject"]))
    Columns(EMAIL, scene.moments).assert_rows("the emails", rows, by_name)


def assert_found(scene, token, datatable, status):
    found = {thing: scene.service.ask(_path_of(scene.team, thing), token=token).status_code for (thing,) in datatable}
    wrong = {thing: code for thing, code in found.items() if code != status}
    assert not wrong, f"expected {status} for each, but got {wrong}"


def _path_of(team, thing):
    """Where the team's own people would look for it."""
    words, _, name = thing.partition(" ")
    match words:
        case "email":
            return f"/emails/{team.email({'to': name}).email_id}"
        case "timeline":
            return f"/emails/{team.email({'to': name}).email_id}/events"
        case "candidate":
            return f"/candidates/{candidate_id(name)}/engagement"
        case "links":
            return f"/campaigns/{team.campaign_id(name)}/links"
        case "campaign" | "job" | "template":
            return f"{path_to(team, words, name)}/engagement"
    raise ValueError(f"nobody looks for {thing!r}")

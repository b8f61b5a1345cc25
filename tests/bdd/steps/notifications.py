"""What people are told, and what they want to be told."""

from pytest_bdd import given, parsers, then, when

from tests.bdd.steps.pages import send_form
from tests.bdd.tables import rows_of

SENDER = "r-1"
COLUMNS = {"what": "title", "about": "text", "leads to": "url"}


@given("Ruth Recruiter wants to hear of replies only")
def hears_of_replies_only(scene):
    prefer(scene, token_of_ruth(scene), {"kinds": ["reply"]})


@given("Ruth Recruiter chooses by form to be told of replies and bounces only")
def chooses_by_form(scene):
    fields = {"kind_reply": "yes", "kind_bounce": "yes", "time_zone": "Europe/Berlin", "digest_at": "08:00"}
    page = send_form(scene, "/settings/notifications", fields, f"{SENDER}, a recruiter")
    assert "Saved." in page.text


@given(parsers.parse("{user}, a hiring manager, wants to hear of their jobs"))
def hears_of_their_jobs(scene, user):
    prefer(scene, scene.team.token_of(user, "hiring_manager"), {"my_jobs": True})


@given("the team wants no notifications")
def the_team_wants_none(scene):
    scene.team.put("/tracking-policy", {"notifications_enabled": False})


@when("Ruth Recruiter has read everything")
def has_read_everything(scene):
    scene.team.ask("/notifications/read-all", {}, token=token_of_ruth(scene))


@then("Ruth Recruiter is told:")
def ruth_is_told(scene, datatable):
    assert_told(scene, token_of_ruth(scene), rows_of(datatable))


@then("Ruth Recruiter is told nothing")
def ruth_is_told_nothing(scene):
    assert_told(scene, token_of_ruth(scene), [])


@then(parsers.parse("{user}, a hiring manager, is told:"))
def a_hiring_manager_is_told(scene, user, datatable):
    assert_told(scene, scene.team.token_of(user, "hiring_manager"), rows_of(datatable))


@then(parsers.parse("Ruth Recruiter has {count:d} unread notification"))
def ruth_has_unread(scene, count):
    scene.settle("notifications")
    assert scene.team.ask("/notifications", token=token_of_ruth(scene))["unread_count"] == count


def assert_told(scene, token, expected):
    scene.settle("notifications")
    told = scene.team.all_of("/notifications?unread=true", token=token)
    columns = list(expected[0]) if expected else ["what"]
    found = [{name: one[COLUMNS[name]] for name in columns} for one in told]
    assert found == expected


def prefer(scene, token, fields):
    answer = scene.service.put("/notification-preferences", fields, token=token)
    assert answer.is_success, answer.text


def token_of_ruth(scene):
    return scene.team.token_of(SENDER, "recruiter")

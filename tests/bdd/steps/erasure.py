"""People who want to be forgotten."""

from urllib.parse import quote

import httpx
from pytest_bdd import parsers, then, when

from tests.bdd.recruiting_team import address_of, candidate_id
from tests.bdd.steps.answers import EVENT
from tests.bdd.tables import Columns, rows_of


@when(parsers.re(r"(?P<name>[A-Z]\w+ [A-Z]\w+) is erased"))
def somebody_is_erased(scene, name):
    scene.settle()
    assert erase(scene, name).status_code == httpx.codes.NO_CONTENT


@when("the operator rebuilds the read models")
def the_operator_rebuilds(scene):
    scene.service.command("projections", "rebuild")


@then(parsers.re(r"(?P<name>[A-Z]\w+ [A-Z]\w+) can be erased (again|as well)"))
def somebody_can_be_erased(scene, name):
    answer = erase(scene, name)
    assert (answer.status_code, answer.content) == (httpx.codes.NO_CONTENT, b"")


@then(parsers.re(r"erasing (?P<name>.+) is (?P<answer>refused|granted) to an? (?P<role>.+)"))
def a_role_erases(scene, name, answer, role):
    token = scene.team.token_of("somebody", role.replace(" ", "_"))
    expected = httpx.codes.NO_CONTENT if answer == "granted" else httpx.codes.FORBIDDEN
    assert erase(scene, name, token).status_code == expected


@then(parsers.parse("the email that was sent to {name} tells nobody's name, address or subject"))
def the_first_email_tells_nobody(scene, name):
    scene.settle()
    found = scene.team.ask(f"/emails/{first_email(scene, name).email_id}")
    told = {"name": found["recipient"]["name"], "address": found["recipient"]["email"], "subject": found["subject"]}
    assert not any(told.values()), f"the erased email still tells {told}"


@then(parsers.parse('the email "{subject}" to {name} tells his name again'))
def a_later_email_tells(scene, subject, name):
    scene.settle()
    email = scene.team.email({"to": name, "email": subject})
    found = scene.team.ask(f"/emails/{email.email_id}")
    assert (found["recipient"]["name"], found["recipient"]["email"]) == (name, address_of(name))


@then("its timeline still reads:")
def its_timeline_reads(scene, datatable):
    Columns(EVENT, scene.moments).assert_rows("the timeline", rows_of(datatable), timeline(scene))


@then("its timeline tells of no address, no mail program and no device")
def its_timeline_tells_nothing(scene):
    scene.settle()
    found = timeline(scene)
    assert found, "the timeline is empty"
    traces = {
        (event["event_type"], field)
        for event in found
        for field, value in {**event, **(event.get("event_data") or {})}.items()
        if value and field in {"ip_address", "user_agent", "device_type", "email_client", "metadata"}
    }
    assert traces == set(), f"the timeline still tells {traces}"


@then(parsers.parse("the candidate who was {name} has no name, and engagement as before"))
def the_candidate_has_no_name(scene, name):
    scene.settle("scores")
    found = scene.team.ask(f"/candidates/{candidate_id(name)}/engagement")
    assert not found["name"], f"the candidate is still called {found['name']}"
    assert (found["emails_sent"], found["emails_opened"], found["emails_clicked"]) == (1, 1, 1)


def erase(scene, name, token=None):
    address = quote(address_of(name).upper())
    return scene.service.delete(f"/recipients/{address}", token=token or scene.team.api_key)


def first_email(scene, name):
    return next(email for email in scene.team.emails if email.to == name)


def timeline(scene):
    """Give the events of the first email of all, machines' included."""
    return scene.team.all_of(f"/emails/{scene.team.emails[0].email_id}/events?include=automated")

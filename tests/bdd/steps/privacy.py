"""What teams and people allow to be recorded."""

from urllib.parse import quote
from uuid import uuid4

import httpx
from pytest_bdd import given, parsers, then, when

from tests.bdd.mail_providers import Happening
from tests.bdd.recruiting_team import address_of
from tests.bdd.steps.answers import EVENT
from tests.bdd.tables import Columns, pairs_of, rows_of
from tests.support.canaries import Canary

YES = {"yes": True, "no": False}
POLICY = {
    "opens and clicks are tracked": ("tracking_enabled", YES.__getitem__),
    "privacy mode": ("privacy_mode", YES.__getitem__),
    "people are asked first": ("consent_mode", {"yes": "opt_in", "no": "opt_out"}.__getitem__),
    "IP addresses are": (
        "ip_handling",
        {"kept": "keep", "shortened": "truncate", "encrypted": "encrypt", "dropped": "drop"}.__getitem__,
    ),
    "unsubscribing ends tracking": ("unsubscribe_ends_tracking", YES.__getitem__),
}
WILL = {"agrees": "opted_in", "objects": "opted_out"}
TIMELINE = EVENT | {"from": ("ip_address", lambda address: address or "")}
OUTCOMES = {"consent": "ignored_no_consent", "tracking": "ignored_tracking_disabled"}


@given("the team decides:")
@when("the team decides:")
def the_team_decides(scene, datatable):
    scene.settle()  # what the provider reported before was worked off before
    fields = {POLICY[name][0]: POLICY[name][1](value) for name, value in pairs_of(datatable).items()}
    answer = scene.service.put("/tracking-policy", fields, token=scene.team.api_key)
    assert answer.status_code == httpx.codes.OK, answer.text


@given(parsers.re(r"(?P<name>[A-Z]\w+ [A-Z]\w+) (?P<will>agrees|objects) to being tracked"))
@when(parsers.re(r"(?P<name>[A-Z]\w+ [A-Z]\w+) (?P<will>agrees|objects) to being tracked"))
def somebody_says(scene, name, will):
    scene.settle()  # what the provider reported before was worked off before
    say(scene, name, will)


@when(parsers.parse("{name} objects to being tracked while the provider reports {count:d} opens by them"))
def somebody_objects_meanwhile(scene, name, count):
    email = scene.team.email({"to": name})
    told = [scene.team.happening({"to": name, "what happened": "opened", "when": "1 hour ago"}) for _ in range(count)]
    for start in range(0, count, 50):
        scene.deliver(scene.team.provider.posts(told[start : start + 50]))
        scene.assert_acknowledged()
        if start == count // 100 * 50:
            say(scene, name, "objects")
            scene.counted_at_objection = scene.team.ask(f"/emails/{email.email_id}")["open_count"]


@then(parsers.parse("no open by {name} was recorded after that"))
def nothing_after_that(scene, name):
    scene.settle()
    kinds = scene.service.kinds_of_events(scene.team.organization_id, scene.team.email({"to": name}).email_id)
    assert "Recipient.ConsentChanged" in kinds
    after = kinds[kinds.index("Recipient.ConsentChanged") :]
    assert "EmailMessage.Opened" not in after, f"recorded after the objection: {after}"


@then(parsers.re(r"(?P<name>[A-Z]\w+ [A-Z]\w+) is (?P<known>|not )tracked, (?P<source>.+)"))
def somebody_is_tracked(scene, name, known, source):
    scene.settle()
    answer = scene.team.ask(consent_path(name))
    expected = {
        "as they said": "api",
        "since they unsubscribed": "unsubscribe",
        "as they never said anything": "default",
    }[source]
    assert (answer["consent"], answer["source"]) == ("opted_out" if known else "opted_in", expected)


@then(parsers.parse("{count:d} reports are counted as passed over for want of {what}"))
def reports_are_counted(scene, count, what):
    scene.settle()
    found = scene.service.counted("mailpulse_reports_total", outcome=OUTCOMES[what]) - scene.passed_over[what]
    assert found == count, f"{found:g} reports were passed over for want of {what}"


@given("an operator who watches what is passed over")
def an_operator_watches(scene):
    scene.passed_over = {
        what: scene.service.counted("mailpulse_reports_total", outcome=outcome) for what, outcome in OUTCOMES.items()
    }


@when(
    parsers.parse("the provider reports that {name} opened and clicked at a telltale address with a telltale program")
)
def telltale_reports(scene, name):
    scene.canary = Canary()
    email = scene.team.email({"to": name})
    told = [
        Happening(
            what=what,
            message_id=email.message_id,
            address=email.address,
            at=scene.moments.at(when_),
            number=str(uuid4()),
            link="https://jobs.test/one" if what == "clicked" else "",
            device=scene.canary.user_agent,
            ip=scene.canary.ip_address,
        )
        for what, when_ in (("opened", "2 hours ago"), ("clicked", "1 hour ago"))
    ]
    scene.deliver(scene.team.provider.posts(told))
    scene.assert_acknowledged()


@then("nothing that is stored or logged tells the address or the program")
def nothing_tells(scene):
    scene.settle()
    assert scene.service.traces_of(scene.canary) == []


@then("what is stored tells the address and the program")
def something_tells(scene):
    scene.settle()
    kinds = {hit.kind for hit in scene.service.traces_of(scene.canary)}
    assert {"ip_address", "user_agent"} <= kinds, "the search would not find what is there"


@then(parsers.parse("nothing that is kept of the opens and clicks of {name} is sealed away"))
def nothing_is_sealed(scene, name):
    email_id = scene.team.email({"to": name}).email_id
    facts = scene.service.facts_of(email_id)
    engaged = [fact for topic, fact in facts if topic in {"EmailMessage.Opened", "EmailMessage.Clicked"}]
    assert engaged, "nothing was recorded"
    assert not [fact for fact in engaged if "sealed" in fact or "personal" in fact or "metadata" in fact]
    [sent] = [fact for topic, fact in facts if topic == "EmailMessage.Sent"]
    assert {fact["occurred_at"] for fact in engaged} == {sent["sent_at"]}, "the times tell when it happened"


@then(parsers.re(r"an? (?P<role>recruiter|administrator) sees this timeline of the email to (?P<to>.+):"))
def somebody_sees_the_timeline(scene, role, to, datatable):
    scene.settle()
    token = scene.team.token_of("u-1", {"recruiter": "recruiter", "administrator": "admin"}[role])
    found = scene.team.all_of(f"/emails/{scene.team.email({'to': to}).email_id}/events", token=token)
    Columns(TIMELINE, scene.moments).assert_rows(f"the timeline of {role}", rows_of(datatable), found)


@then(parsers.re(r"(?P<role>a recruiter|a hiring manager) may not change what the team decided"))
def may_not_change(scene, role):
    token = scene.team.token_of("u-1", role.removeprefix("a ").replace(" ", "_"))
    answer = scene.service.put("/tracking-policy", {"privacy_mode": True}, token=token)
    assert answer.status_code == httpx.codes.FORBIDDEN, answer.text


def say(scene, name, will):
    answer = scene.service.put(consent_path(name), {"consent": WILL[will]}, token=scene.team.api_key)
    assert answer.status_code == httpx.codes.OK, answer.text


def consent_path(name):
    return f"/recipients/{quote(address_of(name))}/tracking-consent"

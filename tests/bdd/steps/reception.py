"""The providers' door: who may report, how often, and what happens to a report that cannot be used."""

import json

import httpx
from pytest_bdd import given, parsers, then, when

from application.fingerprints import fingerprint_of
from tests.bdd.bad_deliveries import forgery, with_nonsense
from tests.bdd.mail_providers import Post
from tests.bdd.tables import Columns, number, rows_of, text
from tests.bdd.waiting import eventually

REFUSALS = "mailpulse_webhook_refusals_total"
PARKED = {
    "state": ("status", text),
    "reason": ("reason", text),
    "message id": ("message_id", text),
    "seen": ("times_seen", number),
}
A_REPORT = {"what happened": "opened", "when": "1 hour ago"}


# --- who reports ---


@when(parsers.parse("somebody reports that {to} opened the email, {forged}"))
def somebody_forges_a_report(scene, to, forged):
    team = scene.team
    (post,) = team.provider.posts([team.happening({"to": to, **A_REPORT})])
    scene.refusals_before = scene.service.counted(REFUSALS, provider=team.provider.name)
    scene.answers = [scene.service.deliver(team.endpoint["path"], *forgery(post, forged))]


@when(parsers.parse("{name} reports to the address of {other} that {to} opened the email"))
def another_team_reports(scene, name, other, to):
    attacker, target = scene.teams[name], scene.teams[other]
    told = target.happening({"to": to, **A_REPORT})
    post = Post(attacker.provider, attacker.provider.posts([told])[0].body)
    scene.deliver([post], path=target.endpoint["path"])


@when("the provider reports to an address that nobody has")
def the_provider_reports_to_nobody(scene):
    team = scene.team
    path = team.endpoint["path"][:-12] + "000000000000"
    scene.deliver([team.provider.post([])], path=path)


@when(parsers.parse("a report comes from {sender} that {to} opened the email"))
def a_report_comes_from(scene, sender, to):
    team = scene.team
    scene.deliver(team.provider.posts([team.happening({"to": to, **A_REPORT})]), sender=sender)


@given(parsers.parse("the provider may report from {networks} only"))
def the_provider_may_report_from(scene, networks):
    scene.team.endpoint = scene.team.open_endpoint(allowed_networks=networks.split(" and "))


@given(parsers.parse("the provider may post {count:d} times a minute"))
def the_provider_may_post(scene, count):
    scene.team.endpoint = scene.team.open_endpoint(requests_per_minute=count)


@when(parsers.parse("the provider posts {count:d} reports that {to} opened the email"))
def the_provider_posts(scene, count, to):
    team = scene.team
    told = [team.happening({"to": to, **A_REPORT}) for _ in range(count)]
    scene.deliver([post for one in told for post in team.provider.posts([one])])


@then("the report is acknowledged")
def the_report_is_acknowledged(scene):
    scene.assert_acknowledged()


@then(parsers.parse("the report is refused as {refusal}"))
def the_report_is_refused(scene, refusal):
    status = {
        "not proven": httpx.codes.UNAUTHORIZED,
        "coming from elsewhere": httpx.codes.FORBIDDEN,
        "addressed to nobody": httpx.codes.NOT_FOUND,
    }[refusal]
    found = [answer.status_code for answer in scene.answers]
    assert found == [status], f"expected a refusal as {refusal} ({status}), got {found}"


@then("the security warning is in the log")
def the_warning_is_logged(scene):
    endpoint_id = scene.team.endpoint["endpoint_id"]
    assert scene.service.logged("webhook_signature_refused", level="warning", endpoint_id=endpoint_id), (
        f"the log has no warning about endpoint {endpoint_id}"
    )


@then("the operator's count of refusals has grown by one")
def the_refusals_are_counted(scene):
    now = scene.service.counted(REFUSALS, provider=scene.team.provider.name)
    assert now == scene.refusals_before + 1, f"refusals went from {scene.refusals_before} to {now}"


@then(parsers.parse("{acknowledged:d} are acknowledged and {refused:d} are told to come back within a minute"))
def some_are_told_to_come_back(scene, acknowledged, refused):
    statuses = [answer.status_code for answer in scene.answers]
    assert statuses == [httpx.codes.OK] * acknowledged + [httpx.codes.TOO_MANY_REQUESTS] * refused, statuses
    waits = [int(answer.headers["retry-after"]) for answer in scene.answers[acknowledged:]]
    assert all(1 <= wait <= 60 for wait in waits), f"told to come back after {waits} s"


# --- keys ---


@given("the team replaced its verification key, and the old one is still good")
def the_key_was_replaced(scene):
    team = scene.team
    team.endpoint = team.open_endpoint(keys=[team.provider.signer.key, team.provider.signer.other_key])


@given("the team has no verification key yet")
def there_is_no_key(scene):
    scene.team.endpoint = scene.team.open_endpoint(keys=[])


@given("the team's only verification key is one that the provider has not used yet")
def the_only_key_is_another(scene):
    team = scene.team
    team.endpoint = team.open_endpoint(keys=[team.provider.signer.other_key])


@when("the provider's verification key is added over the API")
def a_key_is_added(scene):
    team = scene.team
    team.endpoint = team.ask(
        f"/webhook-endpoints/{team.endpoint['endpoint_id']}/keys", {"key": team.provider.signer.key}
    )


@when("the provider's verification key is withdrawn over the API")
def a_key_is_withdrawn(scene):
    team = scene.team
    path = f"/webhook-endpoints/{team.endpoint['endpoint_id']}/keys/{fingerprint_of(team.provider.signer.key)}"
    answer = scene.service.delete(path, token=team.api_key)
    assert answer.status_code == httpx.codes.NO_CONTENT, f"{answer.status_code} {answer.text}"


@when("the old verification key is withdrawn")
def the_old_key_is_withdrawn(scene):
    team = scene.team
    old = team.endpoint["key_fingerprints"][0]
    words = ("webhook", "remove-key", team.endpoint["endpoint_id"], old, "--org", team.organization_id)
    scene.service.command(*words)


@then(parsers.parse("within seconds a report that {to} opened the email is refused as not proven"))
def soon_a_report_is_refused(scene, to):
    _soon_answered(scene, to, "a report with the withdrawn key is refused", httpx.codes.UNAUTHORIZED)


@then(parsers.parse("within seconds a report that {to} opened the email is acknowledged"))
def soon_a_report_is_acknowledged(scene, to):
    _soon_answered(scene, to, "a report with the added key is acknowledged", httpx.codes.OK)


def _soon_answered(scene, to, what, wanted):
    team = scene.team
    posts = team.provider.posts([team.happening({"to": to, **A_REPORT})])
    eventually(
        what,
        lambda: scene.service.deliver(team.endpoint["path"], *posts[0].signed()).status_code,
        lambda status: status == wanted,
    )


# --- outages ---


@given("the database cannot take deliveries in")
def the_inbox_is_shut(scene):
    scene.outage.enter_context(scene.service.unable_to_write("ops.webhook_inbox"))


@given("the database cannot keep events")
def the_event_store_is_shut(scene):
    scene.outage.enter_context(scene.service.unable_to_write("events.stored_events"))


@then(parsers.parse("the report waits, and nothing of it shows in the email to {to}"))
def the_report_waits(scene, to):
    team = scene.team
    scene.service.tries_in_vain("events.stored_events")
    assert scene.service.inbox(team.organization_id), "the delivery is no longer in the inbox"
    shown = team.all_of(f"/emails/{team.email({'to': to}).email_id}/events")
    assert shown == [], f"the email shows what is not kept: {shown}"


@when("the database is well again")
def the_database_is_well(scene):
    scene.outage.close()


@when(parsers.parse("the provider tries to report that {to} opened the email"))
def the_provider_tries_to_report(scene, to):
    team = scene.team
    scene.deliver(team.provider.posts([team.happening({"to": to, **A_REPORT})]))


@when("the provider tries the same again")
def the_provider_tries_again(scene):
    scene.deliver(scene.posts)


@then("the provider is told to try again soon")
def the_provider_is_told_to_try_again(scene):
    (answer,) = scene.answers
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, f"{answer.status_code} {answer.text}"
    assert int(answer.headers["retry-after"]) >= 1, answer.headers


# --- reports that cannot be used ---


@when(parsers.parse("the provider reports, in one delivery, an opening by {to} and {nonsense}"))
def the_provider_reports_nonsense(scene, to, nonsense):
    team = scene.team
    (post,) = team.provider.posts([team.happening({"to": to, **A_REPORT})])
    scene.deliver([with_nonsense(post, nonsense)])
    scene.assert_acknowledged()


@when("the provider delivers what is no report at all")
def the_provider_delivers_no_report(scene):
    scene.deliver([Post(scene.team.provider, b"<html>Service unavailable</html>")])
    scene.assert_acknowledged()


@when(parsers.parse("the provider presses its test button"))
def the_test_button(scene):
    scene.deliver([Post(scene.team.provider, b"")])
    scene.assert_acknowledged()


@then(parsers.parse("the {state} reports are:"))
def the_parked_reports_are(scene, state, datatable):
    scene.settle()
    assert_parked(scene, scene.team, state, rows_of(datatable))


@then(parsers.parse("{name} sees these {state} reports:"))
def a_team_sees_parked_reports(scene, name, state, datatable):
    scene.settle()
    assert_parked(scene, scene.teams[name], state, rows_of(datatable))


@then(parsers.parse("no {state} report is left"))
def no_report_is_parked(scene, state):
    scene.settle()
    found = scene.team.all_of(f"/webhook-deliveries?status={state}")
    assert found == [], f"{state} reports are left: {found}"


@then("no report waits for anybody")
def nothing_is_parked(scene):
    scene.settle()
    found = scene.team.all_of("/webhook-deliveries")
    assert found == [], f"reports wait: {found}"


@when(parsers.parse("an administrator has the {state} report tried again"))
def a_report_is_tried_again(scene, state):
    scene.settle()
    (parked,) = scene.team.all_of(f"/webhook-deliveries?status={state}")
    scene.retried = scene.team.ask(f"/webhook-deliveries/{parked['id']}/retry", {})["outcome"]


@when(parsers.parse("the operator has the {state} report tried again by command"))
def a_report_is_tried_again_by_command(scene, state):
    scene.settle()
    (parked,) = scene.team.all_of(f"/webhook-deliveries?status={state}")
    (scene.retried,) = json.loads(scene.service.command("deliveries", "retry", str(parked["id"]), "--json"))


@then(parsers.parse('the outcome is "{outcome}"'))
def the_outcome_is(scene, outcome):
    assert scene.retried == outcome, f"the outcome is {scene.retried}"


def assert_parked(scene, team, state, rows):
    found = sorted(team.all_of(f"/webhook-deliveries?status={state}"), key=lambda report: report["id"])
    Columns(PARKED, scene.moments).assert_rows(f"the {state} reports of {team.name}", rows, found)

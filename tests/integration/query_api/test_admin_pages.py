"""Pages for administrators: reports that wait, and settings; nobody else gets in, and no form from elsewhere counts."""

import re
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from application.ports.access_tokens import Role
from application.ports.parked_reports import FailedReport, Orphan
from domain.commands import RecordOpen
from entrypoints.web.auth import ADMINS
from tests.support.page_browser import Browser
from tests.support.query_world import NOON, OURS, THEIRS
from tests.support.routes import filled, forms_of, page_operations
from tests.support.signed_deliveries import SIGNERS


def for_admins_alone(operations):
    return [operation for operation in operations if operation.opt.get("roles") == ADMINS["roles"]]


@pytest.fixture
def admin_pages(client):
    return [filled(path) for _, method, path in for_admins_alone(page_operations(client.app)) if method == "GET"]


@pytest.fixture
def forms(client):
    """Everything that a page can change, by address."""
    return [filled(path) for _, _, path in forms_of(client.app)]


def send(browser, path, **fields):
    return browser.post(path, {"csrf": browser.csrf(), **fields})


@pytest.mark.parametrize("role", ["recruiter", "hiring_manager"])
def test_pages_of_administrators_are_for_nobody_else(role, client, browser, link_for, admin_pages):
    browser.sign_in(link_for(role)["url"])
    forms = [filled(path) for _, _, path in for_admins_alone(forms_of(client.app))]

    assert {browser.get(path).status_code for path in admin_pages} == {403}
    assert {send(browser, path).status_code for path in forms} == {403}
    assert "/settings" not in browser.get("/").text


def test_every_page_but_signing_in_says_for_whom_it_is(client):
    assert {path for opt, _, path in page_operations(client.app) if "roles" not in opt} == {"/login"}


def test_what_changes_something_is_posted_and_an_administrator_may_all_of_it(client):
    found = {path: opt for opt, _, path in forms_of(client.app)}

    assert {"/logout", "/settings/tracking", "/settings/outgoing/{webhook_id}", "/reports/retry"} <= found.keys()
    assert {method for _, method, _ in forms_of(client.app)} == {"POST"}
    assert all(Role.ADMIN in opt["roles"] for path, opt in found.items() if path != "/login")


@pytest.mark.parametrize("csrf", [None, "", "0" * 64, "of somebody else"])
def test_no_form_counts_without_the_token_of_its_own_session(csrf, client, admins_browser, link_for, forms):
    somebody_else = Browser(client.app)
    somebody_else.sign_in(link_for("admin", "u-2")["url"])
    fields = {} if csrf is None else {"csrf": somebody_else.csrf() if csrf == "of somebody else" else csrf}

    answers = {path: admins_browser.post(path, fields).status_code for path in forms if path != "/login"}

    assert {path: status for path, status in answers.items() if status != 403} == {}
    assert admins_browser.get("/settings").status_code == 200, "nor was anybody signed out"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_form_of_another_site_counts(site, admins_browser, forms):
    csrf = admins_browser.csrf()

    answers = {path: admins_browser.post(path, {"csrf": csrf}, Sec_Fetch_Site=site).status_code for path in forms}

    assert "/login" in answers
    assert {path: status for path, status in answers.items() if status != 403} == {}


@pytest.fixture
def parked(administrator_url, backend):
    """Ids of an orphan, of a failed report, and of an orphan of others."""
    report = RecordOpen(message_id="nobody", recipient="n@example.com", occurred_at=NOON)
    with backend._units.begin() as unit:
        unit.parked.park_orphans([orphan(OURS, report), orphan(THEIRS, report)])
        unit.parked.park_failures(
            [FailedReport(**arrived(OURS), reason="event_type: is no word", message_id="m", headers={}, body=b"[1]")]
        )
    with psycopg.connect(administrator_url, autocommit=True) as connection:
        rows = connection.execute("SELECT organization_id, status, id FROM ops.parked_reports")
        yield {(organization, status): id_ for organization, status, id_ in rows}
        connection.execute("DELETE FROM ops.parked_reports")


def arrived(organization):
    return {
        "organization_id": organization,
        "endpoint_id": uuid4(),
        "provider": "email",
        "delivery_id": 1,
        "received_at": NOON,
    }


def orphan(organization, report):
    return Orphan(**arrived(organization), email_id=uuid4(), report=report)


def test_reports_that_wait_say_why_and_can_be_retried(admins_browser, parked):
    html = admins_browser.get("/reports").text

    assert len(re.findall(r"/reports/\d+/retry", html)) == 2, "theirs are not listed"
    assert "Event_type: is no word" in html
    answer = send(admins_browser, f"/reports/{parked[OURS, 'orphaned']}/retry")
    assert answer.headers["location"] == "/reports?outcome=orphaned"
    assert send(admins_browser, f"/reports/{parked[OURS, 'failed']}/retry").headers["location"].endswith("=failed")
    assert "goes on waiting" in admins_browser.get("/reports?outcome=orphaned").text


def test_all_reports_are_retried_at_once_and_the_page_says_what_became_of_them(
    admins_browser, parked, administrator_url
):
    assert "Retry all 2" in admins_browser.get("/reports").text

    answer = send(admins_browser, "/reports/retry")
    page = admins_browser.get(answer.headers["location"]).text

    assert "2 tried again: 1 failed again, 1 still without their email." in page
    assert "Retry" in page, "what failed again can be tried one by one"
    assert "still to be tried" not in page
    with psycopg.connect(administrator_url) as connection:
        kept = connection.execute("SELECT id FROM ops.parked_reports WHERE organization_id = %s", (THEIRS,)).fetchall()
    assert kept == [(parked[THEIRS, "orphaned"],)], "theirs were left alone"


def test_those_of_one_state_are_retried_and_the_others_left(admins_browser, parked):
    assert "Retry all 1" in admins_browser.get("/reports?status=failed").text

    location = send(admins_browser, "/reports/retry", status="failed").headers["location"]

    assert location.startswith("/reports?status=failed&retried=0.1.0.0.0&below=")
    assert "1 tried again: 1 failed again." in admins_browser.get(location).text


def test_where_many_wait_one_answer_takes_some_and_says_how_many_are_left(admins_browser, parked, monkeypatch):
    monkeypatch.setattr("entrypoints.web.pages.reports.AT_ONCE", 1)
    assert "Retry the latest 1" in admins_browser.get("/reports").text

    location = send(admins_browser, "/reports/retry").headers["location"]
    page = admins_browser.get(location).text
    below = re.search(r'name="below" value="(\d+)"', page)[1]
    rest = admins_browser.get(send(admins_browser, "/reports/retry", below=below).headers["location"]).text

    assert "1 tried again: 1 failed again." in page
    assert "1 is still to be tried." in page
    assert "1 tried again: 1 still without their email." in rest
    assert "still to be tried" not in rest, "what failed again is not met again"


def test_a_retry_that_takes_too_long_stops_after_a_report_and_says_so(admins_browser, parked, monkeypatch):
    monkeypatch.setattr("entrypoints.web.pages.reports.LONGEST_S", -1.0)

    location = send(admins_browser, "/reports/retry").headers["location"]

    assert "1 is still to be tried." in admins_browser.get(location).text


@pytest.mark.parametrize("fields", [{"status": "lost"}, {"below": "x"}, {"below": "-1"}, {"below": "9" * 40}])
def test_a_retry_of_what_cannot_be_is_refused(fields, admins_browser, parked):
    assert send(admins_browser, "/reports/retry", **fields).status_code == 422
    assert "Event_type: is no word" in admins_browser.get("/reports").text


def test_an_address_that_nobody_wrote_claims_no_retries(admins_browser, parked):
    for claimed in ("1.2", "a.b.c.d.e", "-1.0.0.0.0", "99999999999.0.0.0.0"):
        assert "tried again" not in admins_browser.get(f"/reports?retried={claimed}").text


def test_a_report_of_others_is_as_good_as_gone(admins_browser, parked):
    answer = send(admins_browser, f"/reports/{parked[THEIRS, 'orphaned']}/retry")

    assert answer.headers["location"] == "/reports?outcome=gone"


def test_reports_are_listed_by_state_and_taken_along(admins_browser, parked):
    assert "is no word" in admins_browser.get("/reports?status=failed").text
    assert "is no word" not in admins_browser.get("/reports?status=orphaned").text
    assert "event_type: is no word" in admins_browser.get("/reports?status=failed&format=csv").text
    assert admins_browser.get("/reports?status=lost").status_code == 422


def test_where_nothing_waits_the_page_says_so(admins_browser):
    assert "Nothing waits for you" in admins_browser.get("/reports").text


@pytest.fixture
def policy_as_it_was(admin):
    policy = admin.get("/api/v1/tracking-policy").json()
    yield policy
    assert admin.put("/api/v1/tracking-policy", policy).status_code == 200


POLICY_FORM = {
    "tracking_enabled": "yes",
    "privacy_mode": "yes",
    "consent_mode": "opt_in",
    "ip_handling": "truncate",
    "retention_days": "730",
}


def test_the_form_changes_the_whole_policy_and_an_empty_box_is_a_no(admins_browser, admin, policy_as_it_was):
    assert send(admins_browser, "/settings/tracking", **POLICY_FORM).headers["location"].endswith("?saved=1")

    assert admin.get("/api/v1/tracking-policy").json() == {
        "tracking_enabled": True,
        "privacy_mode": True,
        "consent_mode": "opt_in",
        "ip_handling": "truncate",
        "retention_days": 730,
        "notifications_enabled": False,
        "unsubscribe_ends_tracking": False,
    }
    html = admins_browser.get("/settings/tracking").text
    assert re.search(r'name="privacy_mode"[^>]* checked', html)
    assert not re.search(r'name="notifications_enabled"[^>]* checked', html)


def test_the_form_says_to_whom_encrypted_addresses_are_shown(admins_browser):
    html = admins_browser.get("/settings/tracking").text

    assert "encrypt, shown to administrators and API keys only" in html
    assert "shown to nobody" not in html


def test_a_shorter_retention_is_asked_about_once(admins_browser, admin, policy_as_it_was):
    asked = send(admins_browser, "/settings/tracking", **POLICY_FORM | {"retention_days": "30"})

    assert asked.status_code in {200, 201}
    assert "more than 30 days ago" in asked.text
    assert "cannot be brought back" in asked.text
    assert admin.get("/api/v1/tracking-policy").json() == policy_as_it_was
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', asked.text.partition("<main")[2]))
    admins_browser.post("/settings/tracking", fields)
    changed = admin.get("/api/v1/tracking-policy").json()
    assert (changed["retention_days"], changed["privacy_mode"]) == (30, True)


@pytest.mark.parametrize(
    "field, value", [("retention_days", "0"), ("retention_days", "two"), ("consent_mode", "maybe"), ("ip_handling", "")]
)
def test_a_policy_that_cannot_be_changes_nothing_and_is_named(field, value, admins_browser, admin, policy_as_it_was):
    answer = send(admins_browser, "/settings/tracking", **POLICY_FORM | {field: value, "confirmed": "yes"})

    assert answer.status_code == 422
    assert field in answer.text.lower()
    assert admin.get("/api/v1/tracking-policy").json() == policy_as_it_was


def test_a_key_is_shown_once_and_opens_nothing_once_revoked(admins_browser, with_token, monotonic):
    created = send(admins_browser, "/settings/keys", name="Our <ATS>")
    key = re.search(r"mp_key_[\w-]+", created.text)[0]
    assert with_token(key).get("/api/v1/emails").status_code == 200
    listed = admins_browser.get("/settings/keys").text
    assert key not in listed
    assert "Our &lt;ATS&gt;" in listed

    revoke = re.search(r'href="(/settings/keys/[0-9a-f-]+/revoke)" aria-label="Revoke Our', listed)[1]
    assert "shut out within seconds" in admins_browser.get(revoke).text
    assert with_token(key).get("/api/v1/emails").status_code == 200, "looking at the question revokes nothing"
    send(admins_browser, revoke)
    monotonic.now += 6

    assert with_token(key).get("/api/v1/emails").status_code == 401


def test_a_key_without_a_name_is_not_created(admins_browser):
    assert send(admins_browser, "/settings/keys", name=" ").status_code == 422


@pytest.mark.parametrize("provider", ["sendgrid", "sendgrid-inbound", "ses", "email"])
def test_an_endpoint_shows_its_address_and_how_to_connect(provider, admins_browser):
    answer = send(
        admins_browser, "/settings/webhooks", provider=provider, allowed_networks="192.0.2.0/24\n\n10.0.0.0/8"
    )

    anchor = answer.headers["location"].partition("#")[2]
    section = admins_browser.get("/settings/webhooks").text.partition(f'id="{anchor}"')[2].partition("</section>")[0]
    assert f"https://pulse.example.com/webhooks/{provider}/{anchor.removeprefix('endpoint-')}" in section
    assert "How to connect" in section
    assert "it refuses everything" in section
    assert "192.0.2.0/24, 10.0.0.0/8 only" in section
    close = f"/settings/webhooks/{anchor.removeprefix('endpoint-')}/close"
    assert "for good" in admins_browser.get(close).text
    assert send(admins_browser, close).status_code == 303
    assert f'id="{anchor}"' not in admins_browser.get("/settings/webhooks").text


def test_a_key_is_added_and_shown_as_fingerprint_only(admins_browser):
    location = send(admins_browser, "/settings/webhooks", provider="email").headers["location"]
    path = f"/settings/webhooks/{location.partition('#endpoint-')[2]}"
    key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    assert send(admins_browser, f"{path}/keys", key="not a key").status_code == 422
    assert send(admins_browser, f"{path}/keys", key=key).status_code == 303

    html = admins_browser.get("/settings/webhooks").text
    assert "1 key:" in html
    assert key not in html
    send(admins_browser, f"{path}/close")


def test_a_key_that_is_added_after_somebody_else_closed_the_endpoint_is_refused(admins_browser, endpoint_with_keys):
    endpoint, path = endpoint_with_keys
    csrf = admins_browser.csrf()
    send(admins_browser, f"{path}/close")

    answer = admins_browser.post(f"{path}/keys", {"csrf": csrf, "key": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})

    assert answer.status_code == 409
    assert f"Webhook endpoint {endpoint['endpoint_id']} is closed for good" in answer.text
    assert "open another one with this key" in answer.text
    assert "load the page again to see how it is now" in answer.text


@pytest.fixture
def endpoint_with_keys(admin):
    """An endpoint with two keys, and the page that shows it."""
    keys = [SIGNERS["email"].key, SIGNERS["email"].other_key]
    opened = admin.post("/api/v1/webhook-endpoints", {"provider": "email", "keys": keys}).json()
    yield opened, f"/settings/webhooks/{opened['endpoint_id']}"
    admin.delete(f"/api/v1/webhook-endpoints/{opened['endpoint_id']}")


def removals(browser, endpoint):
    """Where the section of an endpoint leads to for removing keys."""
    section = browser.get("/settings/webhooks").text.partition(f'id="endpoint-{endpoint["endpoint_id"]}"')[2]
    return re.findall(r'href="([^"]+/keys/[^"]+/remove)"', section.partition("</section>")[0])


def test_a_key_is_removed_by_its_fingerprint_after_a_question(admins_browser, endpoint_with_keys):
    endpoint, path = endpoint_with_keys
    old, new = (f"{path}/keys/{one}/remove" for one in endpoint["key_fingerprints"])
    assert removals(admins_browser, endpoint) == [old, new]

    asked = admins_browser.get(old)
    assert "refused after 5 seconds at most" in asked.text
    assert "The other key stays good" in asked.text
    assert removals(admins_browser, endpoint) == [old, new], "looking at the question removes nothing"
    answer = send(admins_browser, old)

    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/settings/webhooks#endpoint-{endpoint['endpoint_id']}",
    )
    assert removals(admins_browser, endpoint) == [new]


def test_who_removes_the_only_key_is_told_that_everything_is_refused_then(admins_browser, endpoint_with_keys):
    endpoint, path = endpoint_with_keys
    old, new = (f"{path}/keys/{one}/remove" for one in endpoint["key_fingerprints"])
    send(admins_browser, old)

    asked = admins_browser.get(new).text
    send(admins_browser, new)

    assert "the endpoint refuses everything until you add another" in asked
    assert removals(admins_browser, endpoint) == []
    assert "No key yet: it refuses everything." in admins_browser.get("/settings/webhooks").text


def test_a_key_that_is_not_there_cannot_be_removed(admins_browser, endpoint_with_keys):
    endpoint, path = endpoint_with_keys

    for fingerprint in ("0123456789abcdef", "&lt;b&gt;"):
        assert admins_browser.get(f"{path}/keys/{fingerprint}/remove").status_code == 404
        assert send(admins_browser, f"{path}/keys/{fingerprint}/remove").status_code == 404
    assert len(removals(admins_browser, endpoint)) == 2


@pytest.mark.parametrize(
    "fields",
    [{"provider": "pigeon"}, {"provider": "ses", "allowed_networks": "everywhere"}, {"provider": "ses", "keys": "x"}],
)
def test_an_endpoint_that_cannot_be_is_not_opened(fields, admins_browser, admin):
    before = admin.get("/api/v1/webhook-endpoints").json()

    assert send(admins_browser, "/settings/webhooks", **fields).status_code == 422
    assert admin.get("/api/v1/webhook-endpoints").json() == before


def test_another_organisations_keys_and_endpoints_are_not_found(admins_browser, stranger):
    key = stranger.post("/api/v1/api-keys", {"name": "theirs"}).json()["api_key_id"]
    opened = stranger.post("/api/v1/webhook-endpoints", {"provider": "email", "keys": [SIGNERS["email"].key]}).json()
    endpoint, fingerprint = opened["endpoint_id"], opened["key_fingerprints"][0]

    for path in (
        f"/settings/keys/{key}/revoke",
        f"/settings/webhooks/{endpoint}/close",
        f"/settings/webhooks/{endpoint}/keys/{fingerprint}/remove",
    ):
        assert admins_browser.get(path).status_code == 404
        assert send(admins_browser, path).status_code == 404
    assert send(admins_browser, f"/settings/webhooks/{endpoint}/keys", key="whsec_x").status_code == 404
    assert opened in stranger.get("/api/v1/webhook-endpoints").json()["items"], "as it was"


def test_help_tells_keys_and_words(recruiters_browser):
    html = recruiters_browser.get("/help").text

    assert "<kbd>g d</kbd>" in html
    assert 'href="/help"' in recruiters_browser.get("/").text


def test_the_last_report_is_shown_for_each_endpoint_and_over_all(admin, admins_browser, administrator_url):
    used, unused = (
        admin.post("/api/v1/webhook-endpoints", {"provider": "email"}).json()["endpoint_id"] for _ in range(2)
    )
    with psycopg.connect(administrator_url, autocommit=True) as connection:
        connection.execute("DELETE FROM ops.last_receptions")
        assert "No report has been received yet: <a" in admins_browser.get("/").text
        for organization, ago in ((OURS, 3), (THEIRS, 1)):
            connection.execute(
                "INSERT INTO ops.last_receptions VALUES (%s, %s, %s)",
                (organization, used, NOON - timedelta(minutes=ago)),
            )
    html = admins_browser.get("/settings/webhooks").text
    sections = {one: html.partition(f'id="endpoint-{one}"')[2].partition("</section>")[0] for one in (used, unused)}

    assert re.search(r"Last report received <time [^>]*>3 min ago</time>", sections[used]), "not theirs"
    assert "Nothing has been received here yet." in sections[unused]
    assert re.search(
        r"Last report received <time [^>]*>3 min ago</time>", html.partition('<section class="card endpoint"')[0]
    )
    assert re.search(r"Last report received <time [^>]*>3 min ago</time>", admins_browser.get("/").text)

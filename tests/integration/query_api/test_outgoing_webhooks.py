"""Administrators say where notifications are sent to, by API and by form; secrets are shown once."""

import re
from uuid import uuid4

import psycopg
import pytest

from adapters.postgres.outgoing_webhooks import PostgresOutgoingWebhookRecords
from application.outgoing_webhooks import MOST_WEBHOOKS, TESTS_PER_MINUTE
from tests.support.meanwhile import answer_after
from tests.support.query_world import NOON, OURS

HOOKS = "/api/v1/outgoing-webhooks"
URL = "https://ats.example.com/mailpulse?team=1"


@pytest.fixture(autouse=True)
def tidy(administrator_url, backend):
    yield
    with psycopg.connect(administrator_url, autocommit=True) as connection:
        connection.execute("DELETE FROM ops.outgoing_webhooks; DELETE FROM notifications")


@pytest.fixture
def execute(administrator_url):
    with psycopg.connect(administrator_url, autocommit=True) as connection:
        yield lambda statement, *parameters: connection.execute(statement, parameters or None)


@pytest.fixture
def hook(admin):
    return admin.post(HOOKS, {"url": URL}).json()["webhook"]


@pytest.fixture
def deliver(execute):
    """Puts a delivery into the log, as a worker does."""

    def deliver(hook, *, state="failed", outcome="refused", status=500, notification_id=None):
        finished = None if state == "waiting" else NOON
        [id_] = execute(
            "INSERT INTO ops.outgoing_deliveries (organization_id, webhook_id, message_id, notification_id,"
            " announcement, created_at, state, attempts, next_attempt_at, finished_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, 1, %s, %s) RETURNING id",
            OURS,
            hook["webhook_id"],
            f"msg_{uuid4().hex}",
            notification_id,
            notification_id and 1,
            NOON,
            state,
            None if finished else NOON,
            finished,
        ).fetchone()
        execute(
            "INSERT INTO ops.outgoing_attempts VALUES (%s, 1, %s, %s, %s, %s, 12)", id_, OURS, NOON, outcome, status
        )
        return id_

    return deliver


def test_who_registers_an_address_sees_its_secret_once(admin, administrator_url):
    answer = admin.post(HOOKS, {"url": URL})

    made = answer.json()
    assert answer.status_code == 201
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", made["secret"])
    assert (made["webhook"]["url"], made["webhook"]["state"], made["webhook"]["waiting"]) == (URL, "on", 0)
    one = admin.get(f"{HOOKS}/{made['webhook']['webhook_id']}")
    assert one.json() == made["webhook"]
    assert admin.get(HOOKS).json()["items"] == [made["webhook"]]
    with psycopg.connect(administrator_url) as connection:
        rows = connection.execute("SELECT t::text, secrets FROM ops.outgoing_webhooks t").fetchall()
    assert not any(made["secret"] in text or made["secret"].encode() in sealed for text, sealed in rows)


def test_a_webhook_whose_secret_nobody_can_open_any_more_is_shown_and_given_a_new_one(admin, administrator_url):
    webhook_id = admin.post(HOOKS, {"url": URL}).json()["webhook"]["webhook_id"]
    with psycopg.connect(administrator_url) as connection:
        connection.execute(
            "UPDATE ops.outgoing_webhooks SET secrets = 'sealed with a lost key' WHERE id = %s", (webhook_id,)
        )

    assert webhook_id in {one["webhook_id"] for one in admin.get(HOOKS).json()["items"]}
    renewed = admin.post(f"{HOOKS}/{webhook_id}/secrets", {})

    assert renewed.json()["secret"].startswith("whsec_")
    assert len(admin.get(f"{HOOKS}/{webhook_id}").json()["secrets"]) == 1


def test_everything_that_is_wrong_with_an_address_is_said(admin):
    answer = admin.post(HOOKS, {"url": "http://user@127.1:0/a\nb", "kinds": []})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_outgoing_webhook")
    said = [(error["field"], error["detail"]) for error in answer.json()["errors"]]
    wanted = [("url", "line break"), ("url", "https://"), ("url", "user"), ("url", "four numbers"), ("url", "port")]
    assert len(said) == len(wanted) + 1
    for (field, detail), (about, word) in zip(said, [*wanted, ("kinds", "choose one")], strict=True):
        assert (field, word in detail) == (about, True), detail
    assert admin.get(HOOKS).json()["items"] == []


def test_nothing_about_an_address_is_changed_silently_but_the_case_of_its_host(admin):
    made = admin.post(HOOKS, {"url": "HTTPS://ATS.example.com/Hook?A=%C3%BC"}).json()

    assert made["webhook"]["url"] == "https://ats.example.com/Hook?A=%C3%BC"


def test_a_webhook_moves_to_another_address_and_keeps_id_secret_and_log(admin, hook, deliver, execute):
    failed = deliver(hook)
    execute("UPDATE ops.outgoing_webhooks SET failures = 3, failing_since = now(), paused_until = now()")
    path = f"{HOOKS}/{hook['webhook_id']}"

    moved = admin.patch(path, {"url": "https://new.example.com/"}).json()

    assert moved == hook | {"url": "https://new.example.com/"}, "failures were another receiver's"
    assert [one["id"] for one in admin.get(f"{path}/deliveries").json()["items"]] == [failed]
    refused = admin.patch(path, {"url": "https://localhost/", "kinds": []})
    assert [error["field"] for error in refused.json()["errors"]] == ["url", "kinds"]
    assert admin.get(path).json() == moved


def test_kinds_are_chosen_when_it_is_added_and_later(admin):
    made = admin.post(HOOKS, {"url": URL, "kinds": ["reply", "click", "reply"]}).json()["webhook"]
    path = f"{HOOKS}/{made['webhook_id']}"

    assert made["kinds"] == ["reply", "click"]
    assert admin.patch(path, {"kinds": ["bounce"]}).json() == made | {"kinds": ["bounce"]}
    assert admin.patch(path, {}).json()["kinds"] == ["bounce"]
    assert admin.patch(path, {"kinds": ["sms"]}).json()["errors"][0]["field"] == "kinds[0]"


def test_another_choice_of_kinds_puts_no_old_address_back(admin, hook, execute, monkeypatch):
    find = PostgresOutgoingWebhookRecords.find

    def find_before_somebody_moves_it(*which):
        monkeypatch.undo()
        found = find(*which)
        execute("UPDATE ops.outgoing_webhooks SET url = 'https://new.example.com/', failures = 3")
        return found

    monkeypatch.setattr(PostgresOutgoingWebhookRecords, "find", find_before_somebody_moves_it)
    admin.patch(f"{HOOKS}/{hook['webhook_id']}", {"kinds": ["bounce"]})

    [kept] = admin.get(HOOKS).json()["items"]
    assert kept == hook | {"url": "https://new.example.com/", "kinds": ["bounce"]}
    assert execute("SELECT failures FROM ops.outgoing_webhooks").fetchall() == [(3,)], "they are the new address's"


def test_another_address_puts_no_old_kinds_back(admin, hook, administrator_url):
    path = f"{HOOKS}/{hook['webhook_id']}"

    def choose(other):
        other.execute("UPDATE ops.outgoing_webhooks SET kinds = '{bounce}'")

    answer = answer_after(administrator_url, choose, lambda: admin.patch(path, {"url": "https://new.example.com/"}))

    assert answer.json() == hook | {"url": "https://new.example.com/", "kinds": ["bounce"]}


def test_a_webhook_is_tested_ten_times_a_minute_at_most(admin, execute):
    first, second = (admin.post(HOOKS, {"url": URL}).json()["webhook"]["webhook_id"] for _ in range(2))
    answers = [admin.post(f"{HOOKS}/{first}/test") for _ in range(TESTS_PER_MINUTE + 1)]

    assert [answer.status_code for answer in answers] == [202] * TESTS_PER_MINUTE + [429]
    assert answers[-1].json()["code"] == "too_many_tests"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert admin.post(f"{HOOKS}/{second}/test").status_code == 202
    execute("UPDATE ops.outgoing_deliveries SET created_at = created_at - interval '1 minute'")
    assert admin.post(f"{HOOKS}/{first}/test").status_code == 202


def test_an_organisation_has_a_bounded_number_of_them(admin, stranger):
    for number in range(MOST_WEBHOOKS):
        assert admin.post(HOOKS, {"url": f"{URL}&number={number}"}).status_code == 201

    answer = admin.post(HOOKS, {"url": URL})

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_outgoing_webhooks")
    assert stranger.post(HOOKS, {"url": URL}).status_code == 201


def test_a_renewed_secret_stands_beside_the_old_one_or_alone(admin, hook):
    path = f"{HOOKS}/{hook['webhook_id']}/secrets"

    both = admin.post(path, {}).json()
    alone = admin.post(path, {"overlap_hours": 0}).json()

    assert [secret["expires_at"] is None for secret in both["webhook"]["secrets"]] == [True, False]
    assert len(alone["webhook"]["secrets"]) == 1
    assert len({both["secret"], alone["secret"]}) == 2
    for wrong in (-1, 169, "soon"):
        assert admin.post(path, {"overlap_hours": wrong}).json()["errors"][0]["field"] == "overlap_hours"


def test_it_is_switched_off_and_on_and_removed(admin, hook):
    path = f"{HOOKS}/{hook['webhook_id']}"

    off = admin.post(f"{path}/switch-off").json()
    assert (off["state"], off["switched_off_because"]) == ("off", "by_admin")
    assert admin.post(f"{path}/test").json()["code"] == "outgoing_webhook_off"
    assert admin.post(f"{path}/switch-on").json() == hook
    assert admin.post(f"{path}/test").status_code == 202
    assert admin.delete(path).status_code == 204
    assert admin.get(path).status_code == 404


def test_a_removed_webhook_is_given_no_secret(admin, admins_browser, hook):
    path = f"{HOOKS}/{hook['webhook_id']}/secrets"
    csrf = admins_browser.csrf()
    admin.delete(f"{HOOKS}/{hook['webhook_id']}")

    answer = admin.post(path, {})
    page = admins_browser.post(f"/settings/outgoing/{hook['webhook_id']}/secrets", {"csrf": csrf})

    assert (answer.status_code, answer.json()["code"]) == (404, "outgoing_webhook_not_found")
    assert (page.status_code, "whsec_" in page.text) == (404, False)


def test_who_changes_the_zone_beside_a_new_secret_comes_back_to_the_webhook(admins_browser, hook):
    path = f"/settings/outgoing/{hook['webhook_id']}"
    csrf = admins_browser.csrf()

    page = admins_browser.post(f"{path}/secrets", {"csrf": csrf})
    [place] = re.findall('name="next" value="([^"]*)"', page.text)
    back = admins_browser.post("/zone", {"csrf": csrf, "next": place, "zone": "Europe/Berlin"})

    assert "whsec_" in page.text
    assert (back.status_code, back.headers["location"]) == (303, path)
    assert admins_browser.get(path).status_code == 200


def test_a_webhook_that_is_off_is_given_a_secret_that_is_there_once_it_is_on(admin, hook):
    path = f"{HOOKS}/{hook['webhook_id']}"
    admin.post(f"{path}/switch-off")

    renewed = admin.post(f"{path}/secrets", {"overlap_hours": 0}).json()["webhook"]
    on = admin.post(f"{path}/switch-on").json()

    assert renewed["state"] == "off"
    assert on["secrets"] == renewed["secrets"] != hook["secrets"]


def test_the_log_tells_every_attempt_and_pages(admin, hook, deliver):
    ids = [deliver(hook), deliver(hook, state="delivered", outcome="delivered", status=204), deliver(hook)]
    path = f"{HOOKS}/{hook['webhook_id']}/deliveries"

    first = admin.get(path, limit=2).json()
    rest = admin.get(path, limit=2, cursor=first["next_cursor"]).json()

    assert [one["id"] for one in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next_cursor"] is None
    assert first["items"][1]["kind"] == "test"
    (attempt,) = first["items"][1]["attempts"]
    assert {name: attempt[name] for name in ("number", "outcome", "http_status", "duration_ms")} == {
        "number": 1,
        "outcome": "delivered",
        "http_status": 204,
        "duration_ms": 12,
    }
    assert [one["id"] for one in admin.get(path, status="delivered").json()["items"]] == [ids[1]]
    assert admin.get(path, status="lost").status_code == 422


def test_a_failed_delivery_is_retried_unless_there_is_nothing_to_send(admin, hook, deliver):
    path = f"{HOOKS}/{hook['webhook_id']}/deliveries"
    failed, gone = deliver(hook), deliver(hook, notification_id=uuid4())

    assert admin.post(f"{path}/{failed}/retry").status_code == 202
    assert admin.get(path, status="waiting").json()["items"][0]["id"] == failed
    assert admin.post(f"{path}/{gone}/retry").json()["code"] == "nothing_to_send"
    assert admin.post(f"{path}/{gone + 1000}/retry").status_code == 404


def test_what_is_one_organisations_is_not_there_for_another(admin, stranger, hook, deliver):
    failed = deliver(hook)
    path = f"{HOOKS}/{hook['webhook_id']}"

    refused = [
        stranger.get(path),
        stranger.delete(path),
        stranger.patch(path, {"url": URL}),
        stranger.get(f"{path}/deliveries"),
        stranger.post(f"{path}/deliveries/{failed}/retry"),
        stranger.post(f"{path}/secrets", {}),
        stranger.post(f"{path}/switch-on"),
        stranger.post(f"{path}/switch-off"),
        stranger.post(f"{path}/test"),
    ]

    assert {answer.status_code for answer in refused} == {404}
    assert stranger.get(HOOKS).json()["items"] == []
    assert admin.get(path).json() == hook


@pytest.mark.parametrize("who", ["recruiter", "manager"])
def test_it_is_for_administrators_only(request, who, hook):
    caller = request.getfixturevalue(who)

    assert caller.get(HOOKS).status_code == 403
    assert caller.post(HOOKS, {"url": URL}).status_code == 403
    assert caller.get(f"{HOOKS}/{hook['webhook_id']}/deliveries").status_code == 403


# --- by form ---


def send(browser, path, **fields):
    return browser.post(path, {"csrf": browser.csrf(), **fields})


def test_the_page_adds_an_address_and_shows_its_secret_once(admins_browser, admin):
    shown = send(admins_browser, "/settings/outgoing", url=URL, kind_open="yes")

    (hook,) = admin.get(HOOKS).json()["items"]
    assert shown.status_code == 200
    assert len(re.findall(r"whsec_[A-Za-z0-9+/=]+", shown.text)) == 1
    page = admins_browser.get(f"/settings/outgoing/{hook['webhook_id']}")
    assert "whsec_" not in page.text
    assert URL.replace("&", "&amp;") in admins_browser.get("/settings/outgoing").text


def test_the_page_says_what_is_wrong_with_an_address(admins_browser):
    answer = send(admins_browser, "/settings/outgoing", url="https://me@127.0.0.1/", kind_reply="yes")

    assert answer.status_code == 422
    assert "no public address" in answer.text
    assert "user or password" in answer.text
    assert 'value="https://me@127.0.0.1/"' in answer.text
    assert re.findall(r'name="kind_(\w+)" value="yes" checked', answer.text) == ["reply"]


def test_the_page_changes_an_address_and_says_what_is_wrong_with_it(admins_browser, admin, hook):
    path = f"/settings/outgoing/{hook['webhook_id']}"

    refused = send(admins_browser, path, url="https://127.0.0.1/")
    assert (refused.status_code, 'value="https://127.0.0.1/"' in refused.text) == (422, True)
    assert "choose one or more" in refused.text
    assert send(admins_browser, path, url="https://new.example.com/", kind_click="yes").status_code == 303

    now = admin.get(f"{HOOKS}/{hook['webhook_id']}").json()
    assert (now["url"], now["kinds"]) == ("https://new.example.com/", ["click"])


def test_the_page_says_when_there_were_tests_enough(admins_browser, hook):
    path = f"/settings/outgoing/{hook['webhook_id']}"

    notices = [send(admins_browser, f"{path}/test").headers["location"] for _ in range(TESTS_PER_MINUTE + 1)]

    assert [notice.rpartition("=")[2] for notice in notices] == ["asked"] * TESTS_PER_MINUTE + ["enough"]
    assert "within a minute" in admins_browser.get(notices[-1]).text


def test_the_page_says_why_a_webhook_is_off_and_switches_it_on(admins_browser, admin, hook, execute):
    execute("UPDATE ops.outgoing_webhooks SET switched_off_at = now(), switched_off_because = 'gone'")
    path = f"/settings/outgoing/{hook['webhook_id']}"

    assert "because the receiver answered 410" in admins_browser.get(path).text
    assert send(admins_browser, f"{path}/test").headers["location"].endswith("notice=off")
    assert send(admins_browser, f"{path}/switch-on").status_code == 303
    assert admin.get(f"{HOOKS}/{hook['webhook_id']}").json()["state"] == "on"


def test_the_page_shows_the_log_in_words_and_retries(admins_browser, admin, hook, deliver):
    failed = deliver(hook, outcome="forbidden_address", status=None)
    path = f"/settings/outgoing/{hook['webhook_id']}"

    html = admins_browser.get(path).text
    assert "leads to an address that is not public" in html
    assert send(admins_browser, f"{path}/deliveries/{failed}/retry").headers["location"].endswith("notice=asked")
    assert "on its way" in admins_browser.get(f"{path}?notice=asked").text
    assert "No deliveries of this kind" in admins_browser.get(f"{path}?status=failed").text


def test_removing_asks_once(admins_browser, admin, hook):
    path = f"/settings/outgoing/{hook['webhook_id']}/remove"

    assert "deleted" in admins_browser.get(path).text
    assert len(admin.get(HOOKS).json()["items"]) == 1
    assert send(admins_browser, path).headers["location"] == "/settings/outgoing"
    assert admin.get(HOOKS).json()["items"] == []


def test_what_a_page_renews_it_shows_once(admins_browser, hook):
    path = f"/settings/outgoing/{hook['webhook_id']}"

    shown = send(admins_browser, f"{path}/secrets")

    assert len(re.findall(r"whsec_[A-Za-z0-9+/=]+", shown.text)) == 1
    assert "signed with 2 secrets" in shown.text
    assert "whsec_" not in admins_browser.get(path).text

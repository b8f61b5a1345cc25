"""The demo against the running service: what the simulated provider reported is what the service answers."""

import json
import os
import re
import shutil
import signal
import subprocess
from datetime import datetime
from http import HTTPStatus
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, build_opener, urlopen

import msgspec
import psycopg
import pytest

from entrypoints.bootstrap import Backend
from entrypoints.demo.connection import read_connection, read_history
from entrypoints.demo.expected import Expected
from entrypoints.demo.service import Service
from entrypoints.demo.setting import prepare_demo
from entrypoints.demo.story import tell_history
from entrypoints.settings import Settings
from tests.support.processes import environment, eventually, python
from tests.support.running_service import RunningService

BASH = shutil.which("bash") or "/bin/sh"
EMAILS = 400
SEED = 5
INSTANTS = (
    "delivered_at", "opened_at", "clicked_at", "replied_at", "bounced_at", "unsubscribed_at", "spam_reported_at",
)  # fmt: skip
# The examples of the table's page, but for the campaign's id.
SEED_CAMPAIGN_QUERY = """
SELECT
  COUNT(DISTINCT campaign_contact_id) as total_recipients,
  COUNT(DISTINCT campaign_contact_id) FILTER (WHERE event_type = 'opened') as opens,
  COUNT(DISTINCT campaign_contact_id) FILTER (WHERE event_type = 'clicked') as clicks,
  COUNT(*) FILTER (WHERE event_type = 'clicked') as total_clicks
FROM engagement_tracking et
JOIN campaign_contacts cc ON et.campaign_contact_id = cc.id
WHERE cc.campaign_id = %s
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with RunningService(tmp_path_factory.mktemp("demo") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def prepare(service):
    settings = Settings.from_env(service.environment).with_secret_keys()
    connected = msgspec.structs.replace(settings, database_url=service.database_url, redis_url=service.redis_url)

    def prepared():
        backend = Backend(connected)
        try:
            return prepare_demo(backend, shows_database=True)
        finally:
            backend.close()

    return prepared


def demo_command(path, *options):
    return python("-m", "entrypoints.demo", path, "--history-emails", EMAILS, "--seed", SEED, *options)


@pytest.fixture(scope="module")
def played(prepare):
    path = prepare()
    done = subprocess.run(
        demo_command(path, "--no-live"),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return path, done.stdout


@pytest.fixture(scope="module")
def story(played):
    history = read_history(played[0].with_name("demo-history.json"))
    assert history.complete
    return tell_history(seed=history.seed, emails=history.emails, now=datetime.fromisoformat(history.now))


@pytest.fixture(scope="module")
def expected(story):
    return Expected(story.emails, story.facts)


@pytest.fixture(scope="module")
def api(played):
    connection = read_connection(played[0])
    service = Service(connection.base_url, connection.api_key)
    yield service
    service.close()


def test_the_link_that_is_printed_leads_to_the_pages(played):
    url = re.search(r"signs you in once\): (\S+)", played[1])[1]

    assert urlopen(url).status == HTTPStatus.OK  # noqa: S310 - our own service
    code = parse_qs(urlsplit(url).query)["code"][0]
    cookies = build_opener(HTTPCookieProcessor())
    home = cookies.open(url.split("?")[0], data=urlencode({"code": code}).encode())

    assert "Demo admin" in home.read().decode()


def test_every_email_has_exactly_the_aggregates_of_its_facts(api, story, expected):
    registered = api.register(story.emails)

    assert {answer["status"] for answer in registered} == {"already_registered"}
    for email, answer in zip(story.emails, registered, strict=True):
        shown = api.ask(f"/api/v1/emails/{answer['email_id']}")
        shown |= {name: shown[name] and datetime.fromisoformat(shown[name]) for name in INSTANTS}
        wanted = expected.emails[email.message_id]
        assert {name: shown[name] for name in wanted} == wanted


def test_every_campaign_has_exactly_the_metrics_and_links_of_its_facts(api, story, expected):
    for campaign in story.team.campaigns:
        assert api.ask(f"/api/v1/campaigns/{campaign.id}/engagement") == expected.campaign(campaign.id)

        links = api.ask(f"/api/v1/campaigns/{campaign.id}/links?limit=100")["items"]
        counted = {link["url"]: {name: link[name] for name in ("click_count", "unique_clicks")} for link in links}
        assert counted == expected.links(campaign.id)


def test_every_candidates_statistics_are_those_of_their_emails(api, story, expected):
    for candidate_id in sorted({email.candidate.id for email in story.emails})[:50]:
        shown = api.ask(f"/api/v1/candidates/{candidate_id}/engagement")
        wanted = expected.candidate(candidate_id)
        assert {name: shown[name] for name in wanted} == wanted


def test_reports_about_emails_that_nobody_registered_wait_as_orphans(api, story):
    waiting = api.ask("/api/v1/webhook-deliveries?status=orphaned&limit=100")["items"]
    failed = api.ask("/api/v1/webhook-deliveries?status=failed")["items"]

    assert {item["email_id"] for item in waiting}
    assert len(waiting) == len({fact.email.message_id for fact in story.strangers})
    assert failed == []


def test_the_tables_example_query_agrees_with_the_oracle(service, story, expected):
    with psycopg.connect(service.database_url) as connection:
        for campaign in story.team.campaigns:
            row = connection.execute(SEED_CAMPAIGN_QUERY, [campaign.id]).fetchone()
            wanted = expected.campaign(campaign.id)
            assert row[1:] == (wanted["opened"], wanted["clicked"], wanted["total_clicks"])


@pytest.mark.skipif(shutil.which("curl") is None, reason="the printed commands need curl")
def test_the_printed_commands_work_as_they_are_printed(played):
    printed = [line for line in played[1].splitlines() if line.startswith("curl ")]

    assert len(printed) == 9
    for command in printed:
        done = subprocess.run([BASH, "-c", command], capture_output=True, text=True, check=True, timeout=30)
        answer = json.loads(done.stdout)
        assert {"items", "email_id", "candidate_id", "sent"} & answer.keys(), answer


def test_the_printed_query_works_as_it_is_printed(played):
    (command,) = [line for line in played[1].splitlines() if "psql" in line and not line.startswith("#")]

    done = subprocess.run([BASH, "-c", command], capture_output=True, text=True, check=True, timeout=30)

    assert re.search(r"total_recipients .* total_clicks", done.stdout)


def test_preparing_again_finds_what_is_there(prepare, played):
    before = read_connection(played[0])

    after = read_connection(prepare())

    assert (after.organization_id, after.api_key, after.endpoints) == (
        before.organization_id,
        before.api_key,
        before.endpoints,
    )


def test_the_demo_goes_on_live_where_it_ended_and_stops_when_asked(played, api, story, tmp_path):
    def sent():
        return sum(api.ask(f"/api/v1/campaigns/{one.id}/engagement")["sent"] for one in story.team.campaigns)

    before, out = sent(), tmp_path / "out"
    with out.open("w") as file:
        demo = subprocess.Popen(
            demo_command(played[0]), env={**environment(), "PYTHONUNBUFFERED": "1"}, stdout=file, stderr=file
        )
    try:
        assert eventually(lambda: sent() >= before + 2, within_s=30)
        os.kill(demo.pid, signal.SIGTERM)
        status = demo.wait(15)
    finally:
        demo.kill()
        demo.wait()

    assert status == 0, out.read_text()
    assert "played before" in out.read_text()
    assert "signed webhooks" not in out.read_text()

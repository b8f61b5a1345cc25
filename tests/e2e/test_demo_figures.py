"""Six weeks of the demo, and nothing after them: what the service answers, and what the example queries give.

Both are compared with what the simulated provider reported, and with each other (docs/tables.md has the limits).
"""

import subprocess
from collections import Counter
from datetime import datetime

import msgspec
import psycopg
import pytest

from entrypoints.bootstrap import Backend
from entrypoints.demo.connection import read_connection, read_history
from entrypoints.demo.expected import Expected
from entrypoints.demo.facts import Cause, Kind
from entrypoints.demo.service import Service
from entrypoints.demo.setting import prepare_demo
from entrypoints.demo.story import tell_history
from entrypoints.settings import Settings
from tests.support.processes import environment, eventually, python
from tests.support.running_service import RunningService
from tests.support.seed_queries import NAMES, seed_query, text

EMAILS = 400
SEED = 5
INSTANTS = (
    "delivered_at", "opened_at", "clicked_at", "replied_at", "bounced_at", "unsubscribed_at", "spam_reported_at",
)  # fmt: skip
ENGAGEMENT = {Kind.OPENED, Kind.CLICKED, Kind.REPLIED}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with RunningService(tmp_path_factory.mktemp("demo") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def played(service):
    """The file that says how to get in, once the six weeks are played."""
    settings = Settings.from_env(service.environment).with_secret_keys()
    backend = Backend(msgspec.structs.replace(settings, database_url=service.database_url, redis_url=service.redis_url))
    try:
        path = prepare_demo(backend, shows_database=True)
    finally:
        backend.close()
    done = subprocess.run(
        python("-m", "entrypoints.demo", path, "--history-emails", EMAILS, "--seed", SEED, "--no-live"),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return path


@pytest.fixture(scope="module")
def story(played):
    history = read_history(played.with_name("demo-history.json"))
    assert history.complete
    return tell_history(seed=history.seed, emails=history.emails, now=datetime.fromisoformat(history.now))


@pytest.fixture(scope="module")
def expected(story):
    return Expected(story.emails, story.facts)


@pytest.fixture(scope="module")
def api(played):
    connection = read_connection(played)
    service = Service(connection.base_url, connection.api_key)
    yield service
    service.close()


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


# --- the example queries of both seeds ---


@pytest.fixture(scope="module")
def ask(service):
    with psycopg.connect(service.database_url, autocommit=True) as connection:
        yield lambda name, **placeholders: connection.execute(seed_query(name, **placeholders)).fetchall()


def all_of(api, path):
    """Give all items of a list, page by page."""
    items, cursor = [], ""
    while cursor is not None:
        page = api.ask(f"{path}{'&' if '?' in path else '?'}limit=100{cursor and f'&cursor={cursor}'}")
        items += page["items"]
        cursor = page["next_cursor"]
    return items


def test_the_queries_below_are_all_examples_that_the_seeds_have():
    assert {
        "campaign_metrics",
        "most_clicked_links",
        "highly_engaged_contacts",
        "engagement_score",
        "find_email_log",
        "find_duplicate_event",
    } == NAMES


def test_a_campaigns_metrics_in_sql_are_those_of_the_api(ask, api, story):
    reported_on_in_full = 0
    for campaign in story.team.campaigns:
        [(recipients, opens, clicks, total_clicks, open_rate, click_rate)] = ask(
            "campaign_metrics", **{"campaign-uuid": str(campaign.id)}
        )
        shown = api.ask(f"/api/v1/campaigns/{campaign.id}/engagement")
        assert (opens, clicks, total_clicks) == (shown["opened"], shown["clicked"], shown["total_clicks"])
        # The query divides by contacts with any fact, the API by emails sent.
        if shown["delivered"] + shown["bounced"] == shown["sent"]:
            reported_on_in_full += 1
            assert recipients == shown["sent"]
            assert float(open_rate) == pytest.approx(shown["open_rate"], abs=0.006)
            assert float(click_rate) == pytest.approx(shown["click_rate"], abs=0.006)

    assert reported_on_in_full > len(story.team.campaigns) / 2


def test_the_most_clicked_links_in_sql_are_those_of_the_api(ask, api, story):
    clicks, contacts = Counter(), Counter()
    for campaign in story.team.campaigns:
        for link in all_of(api, f"/api/v1/campaigns/{campaign.id}/links"):
            clicks[link["url"]] += link["click_count"]
            contacts[link["url"]] += link["unique_clicks"]

    found = ask("most_clicked_links")

    assert len(found) > 3
    assert [count for _, count, _ in found] == sorted(clicks.values(), reverse=True)[:20]
    assert found == [(url, clicks[url], contacts[url]) for url, *_ in found]


def test_the_highly_engaged_contacts_in_sql_are_those_of_the_api(ask, api):
    found = ask("highly_engaged_contacts")

    listed = all_of(api, "/api/v1/contacts/engaged?min_clicks=3")
    assert len(found) > 3
    assert sorted(found) == sorted((one["contact_id"], one["opens"], one["clicks"]) for one in listed)
    assert [clicks for *_, clicks in found] == [one["clicks"] for one in listed]


def test_a_candidates_score_in_sql_is_that_of_the_api_but_for_what_is_no_engagement(ask, api, story):
    last = {}
    for fact in sorted(story.facts, key=lambda fact: fact.at):
        if fact.cause is Cause.PERSON:
            last[fact.email.candidate.id] = fact.kind

    def agree(candidate_id):
        [(_, score)] = ask("engagement_score", **{"@candidate_id": text(candidate_id)})
        parts = api.ask(f"/api/v1/candidates/{candidate_id}/engagement")["score_parts"]
        recency = score - parts["opens"] - parts["clicks"]
        # The query takes a delivery or a bounce for a sign of life as well.
        return recency == parts["recency"] if last[candidate_id] in ENGAGEMENT else recency >= parts["recency"]

    engaged = sorted(one for one in last if last[one] in ENGAGEMENT)
    others = sorted(set(last) - set(engaged))
    assert len(engaged) > 30
    for candidate_id in [*engaged[:60], *others[:20]]:
        # Asked again: between two answers it may become 24 hours ago.
        assert eventually(lambda one=candidate_id: agree(one), within_s=30), candidate_id


def test_the_use_cases_look_ups_find_the_emails_and_events_of_the_api(ask, api, story, played):
    registered = api.register(story.emails[-60:])
    events_found = 0
    for email, answer in zip(story.emails[-60:], registered, strict=True):
        assert ask("find_email_log", **{"@message_id": text(email.message_id)}) == [
            (
                answer["email_log_id"],
                read_connection(played).organization_id,
                email.recruiter.id,
                email.candidate.id,
            )
        ]
        for event in all_of(api, f"/api/v1/emails/{answer['email_id']}/events"):
            found = ask(
                "find_duplicate_event",
                **{
                    "@email_log_id": str(answer["email_log_id"]),
                    "@event_type": text(event["event_type"]),
                    "@timestamp": text(event["occurred_at"]),
                },
            )
            by_a_machine = event["verdict"] not in {None, "human", "proxy_open"}
            assert ((event["engagement_event_id"],) in found) is not by_a_machine, event
            events_found += not by_a_machine

    assert events_found > 60

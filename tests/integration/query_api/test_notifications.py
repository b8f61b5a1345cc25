"""AF-3, FLOW-7: people read their own notifications and say which they want; nobody else's, and no API key's."""

import asyncio
import json
from datetime import timedelta
from uuid import UUID

import msgspec
import psycopg
import pytest

from adapters.postgres.notification_records import PostgresNotificationRecords
from adapters.postgres.query_pool import query_pool
from application.notifications import Notifications
from application.ports.presence import Person
from tests.support.meanwhile import answer_after
from tests.support.query_world import MANAGER, NAMED_JOB, NOON, OTHER_JOB, OURS, THEIRS

LIST = "/api/v1/notifications"
PREFERENCES = "/api/v1/notification-preferences"


@pytest.fixture
def told(administrator_url, backend):
    """Keep notifications for whoever all tokens of these tests belong to."""
    connection = psycopg.connect(administrator_url, autocommit=True)

    def keep(number, *, minutes_ago=0, job=OTHER_JOB, organization=OURS, user=MANAGER, held=False, read=False):
        at = NOON - timedelta(minutes=minutes_ago)
        connection.execute(
            "INSERT INTO notifications (id, organization_id, user_id, kind, email_id, candidate_id, candidate_name,"
            " subject, occurred_at, title, text, url, created_at, read_at, causes, caused_at, job_id, held_until)"
            " VALUES (%s, %s, %s, 'open', gen_random_uuid(), 'c-1', 'John Smith', 'Hello', %s, 'John Smith just opened"
            " your email', 'Hello', '/candidates/c-1', %s, %s, '{}', '{}', %s, %s)",
            (UUID(int=number), organization, user, at, at, NOON if read else None, job, NOON if held else None),
        )
        return str(UUID(int=number))

    yield keep
    connection.execute("DELETE FROM notifications; DELETE FROM ops.notification_preferences")
    connection.close()


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def test_people_see_their_own_the_latest_first_and_how_much_is_unread(recruiter, told):
    old, new = told(1, minutes_ago=9), told(2, minutes_ago=1)
    told(3, user="r-1")
    told(4, organization=THEIRS)
    told(5, held=True)
    seen = told(6, minutes_ago=5, read=True)

    answer = recruiter.get(LIST)

    assert ids(answer) == [new, seen, old]
    assert answer.json()["unread_count"] == 2
    assert set(answer.json()["items"][0]) == {
        *("id", "kind", "email_id", "candidate_id", "candidate_name", "subject", "occurred_at"),
        *("title", "text", "url", "read_at"),
    }
    assert ids(recruiter.get(LIST, unread=True)) == [new, old]


def test_the_list_comes_in_pages(recruiter, told):
    expected = [told(n, minutes_ago=n // 2) for n in range(1, 6)]
    found, cursor = [], None
    while True:
        answer = recruiter.get(LIST, limit=2, **({"cursor": cursor} if cursor else {}))
        found += ids(answer)
        if (cursor := answer.json()["next_cursor"]) is None:
            break

    assert sorted(found) == sorted(expected)
    assert len(found) == 5
    assert recruiter.get(LIST, cursor="x").json()["errors"][0]["field"] == "cursor"


def test_a_hiring_manager_sees_their_jobs_only(manager, told):
    mine = told(1, job=NAMED_JOB)
    told(2, job=OTHER_JOB)

    answer = manager.get(LIST)

    assert (ids(answer), answer.json()["unread_count"]) == ([mine], 1)


def test_reading_counts_down_and_is_said_once(recruiter, told, administrator_url):
    first = told(1)
    told(2)

    assert recruiter.post(f"{LIST}/{first}/read").json() == {"unread_count": 1}
    assert recruiter.post(f"{LIST}/{first}/read").json() == {"unread_count": 1}
    assert recruiter.post(f"{LIST}/read-all").json() == {"unread_count": 0}
    assert ids(recruiter.get(LIST, unread=True)) == []


def test_nobody_reads_for_others(recruiter, stranger, told):
    theirs, of_a_colleague = told(1, organization=THEIRS), told(2, user="r-1")

    assert recruiter.post(f"{LIST}/{theirs}/read").status_code == 404
    assert recruiter.post(f"{LIST}/{of_a_colleague}/read").json()["code"] == "unknown_notification"
    recruiter.post(f"{LIST}/read-all")
    assert stranger.get(LIST).json()["unread_count"] == 1


@pytest.mark.parametrize(
    "method, path",
    [
        ("GET", LIST),
        ("POST", f"{LIST}/{UUID(int=1)}/read"),
        ("POST", f"{LIST}/read-all"),
        ("GET", PREFERENCES),
        ("PUT", PREFERENCES),
    ],
)
def test_an_api_key_has_no_user(admin, client, method, path):
    key = admin.post("/api/v1/api-keys", {"name": "ATS"}).json()["api_key"]

    answer = client.request(method, path, json={}, headers={"Authorization": f"Bearer {key}"})

    assert (answer.status_code, answer.json()["detail"]) == (
        403,
        "notifications are for people: use the token of a user, not an API key",
    )


@pytest.mark.parametrize("is_first", [True, False])
def test_what_another_changes_at_the_same_moment_stays(is_first, recruiter, told, administrator_url):
    if not is_first:
        recruiter.put(PREFERENCES, {"my_jobs": True})

    def choose_first_opens(other):
        other.execute(
            'INSERT INTO ops.notification_preferences AS p VALUES (%s, %s, \'{"opens": "first"}\', %s)'
            " ON CONFLICT (organization_id, user_id) DO UPDATE SET preferences = p.preferences || excluded.preferences",
            (OURS, MANAGER, NOON),
        )

    answer = answer_after(
        administrator_url, choose_first_opens, lambda: recruiter.put(PREFERENCES, {"hot_candidates_only": True})
    )

    assert answer.json() == recruiter.get(PREFERENCES).json()
    kept = answer.json()
    assert (kept["opens"], kept["hot_candidates_only"], kept["my_jobs"]) == ("first", True, not is_first)


def test_changes_at_once_are_all_kept(told, database_url):
    changes = [
        {"kinds": ["reply"]},
        {"opens": "first"},
        {"hot_candidates_only": True},
        {"my_jobs": True},
        {"quiet_hours": {"begins": "22:00", "ends": "07:30"}},
        {"time_zone": "Europe/Berlin"},
        {"digest": "daily"},
        {"digest_at": "09:15"},
    ]

    async def change_all():
        async with query_pool(database_url, size=len(changes)) as pool:
            notifications = Notifications(PostgresNotificationRecords(pool), lambda: NOON)
            await asyncio.gather(*(notifications.change_preferences(OURS, MANAGER, change) for change in changes))
            return await notifications.preferences_of(OURS, MANAGER)

    kept = asyncio.run(change_all())

    assert json.loads(msgspec.json.encode(kept)) == {
        name: value for change in changes for name, value in change.items()
    }
    with psycopg.connect(database_url) as connection:
        [digest] = connection.execute("SELECT next_digest_at FROM ops.notification_preferences").fetchone()
    assert digest == kept.next_digest_at(NOON)


def test_preferences_change_field_by_field(recruiter, told):
    assert recruiter.get(PREFERENCES).json() == {
        "kinds": ["open", "click", "reply"],
        "opens": "all",
        "hot_candidates_only": False,
        "my_jobs": False,
        "quiet_hours": None,
        "time_zone": "UTC",
        "digest": "off",
        "digest_at": "08:00",
    }

    recruiter.put(PREFERENCES, {"quiet_hours": {"begins": "20:00", "ends": "07:30"}, "time_zone": "Europe/Berlin"})
    answer = recruiter.put(PREFERENCES, {"kinds": ["reply", "reply", "bounce"], "digest": "daily"})

    assert answer.status_code == 200
    changed = recruiter.get(PREFERENCES).json()
    assert changed == answer.json()
    assert (changed["kinds"], changed["quiet_hours"], changed["digest"]) == (
        ["reply", "bounce"],
        {"begins": "20:00", "ends": "07:30"},
        "daily",
    )
    assert recruiter.put(PREFERENCES, {"quiet_hours": None}).json()["quiet_hours"] is None


def test_every_wrong_field_is_named_and_nothing_is_changed(recruiter, told):
    answer = recruiter.put(
        PREFERENCES,
        {
            "kinds": ["open", "sneeze"],
            "opens": "some",
            "my_jobs": "yes",
            "quiet_hours": {"begins": "25:00", "ends": "07:00"},
            "time_zone": "Mars/Olympus",
            "digest_at": "8 o'clock",
            "volume": 11,
            "digest": "daily",
        },
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_notification_preferences")
    assert {problem["field"] for problem in answer.json()["errors"]} == {
        *("kinds[1]", "opens", "my_jobs", "quiet_hours.begins", "time_zone", "digest_at", "volume"),
    }
    assert recruiter.get(PREFERENCES).json()["digest"] == "off"


@pytest.mark.parametrize(
    "quiet_hours",
    [{"begins": "20:00"}, {"begins": "20:00", "ends": "20:00"}, {"begins": "20:00", "ends": "07:00\n"}, 7],
)
def test_quiet_hours_are_whole_or_none(recruiter, told, quiet_hours):
    answer = recruiter.put(PREFERENCES, {"quiet_hours": quiet_hours})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("quiet_hours")


def test_somebody_who_listens_is_online(recruiter, client, told):
    told(1)
    assert recruiter.get(LIST).json()["online"] is False

    presence = client.app.state.services.presence
    presence.people = {Person(organization_id=OURS, user_id=MANAGER)}

    assert recruiter.get(LIST).json()["online"] is True
    presence.people = set()

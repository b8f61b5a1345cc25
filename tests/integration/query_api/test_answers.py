"""What the lists, metrics, links and scores say, and that it is what SQL users see."""

import psycopg
import pytest

from read_models.metrics.metrics import EmailTotals
from tests.support.query_world import (
    CAMPAIGN,
    LINK,
    NAMED_JOB,
    OTHER_LINK,
    OURS,
    UNTRACKED_CAMPAIGN,
    email_id,
)


def all_pages(caller, path, limit, **parameters):
    items, cursor = [], None
    while True:
        page = caller.get(path, limit=limit, **parameters, **({"cursor": cursor} if cursor else {})).json()
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


@pytest.fixture
def sql(administrator_url, backend):
    with psycopg.connect(administrator_url) as connection:
        yield lambda query, *values: connection.execute(query, values).fetchall()


def test_the_history_is_listed_latest_first(recruiter):
    names = [email["subject"] for email in recruiter.get("/api/v1/emails").json()["items"]]

    assert names == [f"Subject {name}" for name in ("untracked", "dropped", "second", "other", "named", "old")]


@pytest.mark.parametrize(
    "path, parameters",
    [
        ("/api/v1/emails", {}),
        ("/api/v1/candidates", {}),
        (f"/api/v1/campaigns/{CAMPAIGN}/links", {"group_by": "position"}),
        (f"/api/v1/emails/{email_id('named')}/events", {"include": "automated"}),
        ("/api/v1/candidates/c-1/links", {"include": "automated"}),
        ("/api/v1/contacts/engaged", {"min_clicks": 0}),
    ],
)
def test_pages_of_any_size_make_up_the_whole_list(path, parameters, recruiter, manager):
    for caller in (recruiter, manager):
        whole = caller.get(path, **parameters).json()

        assert whole["next_cursor"] is None
        assert all(all_pages(caller, path, limit, **parameters) == whole["items"] for limit in (1, 2, 3, 1000))


@pytest.mark.parametrize(
    "parameters, names",
    [
        ({"candidate_id": "c-1"}, ["other", "named"]),
        ({"job_id": NAMED_JOB}, ["dropped", "named"]),
        ({"campaign_id": str(UNTRACKED_CAMPAIGN)}, ["untracked"]),
        ({"template_id": "nothing"}, []),
        ({"sender_id": "r-1", "candidate_id": "c-2"}, ["second"]),
        ({"sent_from": "2026-11-21T07:00:00Z", "sent_to": "2026-11-21T09:00:00Z"}, ["second", "other"]),
        ({"sent_from": "2026-11-21T10:00:00+02:00", "sent_to": "2026-11-21T09:00:00Z"}, ["second"]),
    ],
)
def test_the_history_is_filtered(parameters, names, recruiter):
    emails = recruiter.get("/api/v1/emails", **parameters).json()["items"]

    assert [email["subject"] for email in emails] == [f"Subject {name}" for name in names]


def test_an_email_tells_what_became_of_it(recruiter):
    email = recruiter.get(f"/api/v1/emails/{email_id('named')}").json()

    assert email["recipient"] == {"type": "Candidate", "id": "c-1", "email": "c-1@example.com", "name": "Name c-1 10"}
    assert email["sender"] == {"id": "r-1", "name": "Ada"}
    assert (email["open_count"], email["click_count"], email["unique_click_count"]) == (1, 2, 2)
    assert (email["machine_open_count"], email["scanner_click_count"]) == (1, 1)
    assert (email["opened_at"], email["time_to_open_seconds"]) == ("2026-11-21T10:00:00Z", 4 * 3600.0)
    assert {"email_id", "email_log_id", "provider", "message_id", "bounced_at", "bounce_type", "replied_at"} <= set(
        email
    )
    assert {"unsubscribed_at", "spam_reported_at", "delivered_at", "clicked_at", "sent_at"} <= set(email)


def test_an_email_that_nobody_opened_took_no_time_to_be_opened(recruiter):
    email = recruiter.get(f"/api/v1/emails/{email_id('old')}").json()

    assert (email["opened_at"], email["time_to_open_seconds"]) == (None, None)


def test_the_timeline_holds_what_people_did_and_no_implied_opens(recruiter):
    events = recruiter.get(f"/api/v1/emails/{email_id('other')}/events").json()["items"]

    assert [event["event_type"] for event in events] == ["delivered", "click", "reply"]
    assert [event["verdict"] for event in events] == [None, "human", None]
    assert all(event["engagement_event_id"] > 0 for event in events)


def test_what_machines_did_is_shown_on_request_with_its_reasons(recruiter):
    path = f"/api/v1/emails/{email_id('named')}/events"

    human, everything = recruiter.get(path).json()["items"], recruiter.get(path, include="automated").json()["items"]

    assert all(event["verdict"] in {None, "human"} for event in human)
    automated = [event for event in everything if event not in human]
    assert {(event["event_type"], event["verdict"], *event["reasons"]) for event in automated} == {
        ("open", "machine_open", "seconds_after_delivery"),
        ("click", "scanner", "burst"),
    }


def test_an_event_carries_every_field_of_the_contract(recruiter):
    events = recruiter.get(f"/api/v1/emails/{email_id('named')}/events").json()["items"]
    opened = next(event for event in events if event["event_type"] == "open")

    assert set(opened) == {
        *("engagement_event_id", "id", "email_log_id", "event_type", "occurred_at", "url", "ip_address"),
        *("user_agent", "event_data", "verdict", "reasons"),
    }
    assert opened["ip_address"] == "203.0.113.7"


def test_campaign_metrics_count_tracked_emails_that_left(recruiter):
    metrics = recruiter.get(f"/api/v1/campaigns/{CAMPAIGN}/engagement").json()

    assert (metrics["sent"], metrics["delivered"], metrics["opened"], metrics["clicked"]) == (3, 3, 2, 2)
    assert (metrics["total_clicks"], metrics["replied"], metrics["bounced"]) == (3, 1, 1)
    assert (metrics["machine_opens"], metrics["scanner_clicks"]) == (2, 2)
    assert (metrics["open_rate"], metrics["click_to_open_rate"], metrics["reply_rate"]) == (66.67, 100.0, 33.33)
    assert metrics["avg_time_to_open_seconds"] == 14400.0


def test_a_campaign_without_tracked_emails_measured_nothing(recruiter):
    metrics = recruiter.get(f"/api/v1/campaigns/{UNTRACKED_CAMPAIGN}/engagement").json()

    assert metrics["sent"] == 0
    assert metrics["open_rate"] is None


def test_no_campaign_is_no_campaign(recruiter):
    path = "/api/v1/campaigns/00000000-0000-0000-0000-000000000000/engagement"

    assert recruiter.get(path).status_code == 404


def test_metrics_agree_with_the_seeds_campaign_query(recruiter, sql):
    ((opens, clicks, total_clicks),) = sql(
        "SELECT COUNT(DISTINCT campaign_contact_id) FILTER (WHERE event_type = 'opened'),"
        " COUNT(DISTINCT campaign_contact_id) FILTER (WHERE event_type = 'clicked'),"
        " COUNT(*) FILTER (WHERE event_type = 'clicked') FROM engagement_tracking et"
        " JOIN campaign_contacts cc ON et.campaign_contact_id = cc.id WHERE cc.campaign_id = %s",
        UNTRACKED_CAMPAIGN,
    )
    assert (opens, clicks, total_clicks) == (0, 0, 0)

    metrics = recruiter.get(f"/api/v1/campaigns/{CAMPAIGN}/engagement").json()

    ((total_clicks,),) = sql(
        "SELECT COUNT(*) FILTER (WHERE event_type = 'clicked') FROM engagement_tracking et"
        " JOIN campaign_contacts cc ON et.campaign_contact_id = cc.id WHERE cc.campaign_id = %s",
        CAMPAIGN,
    )
    assert metrics["total_clicks"] == total_clicks == 3


def test_links_agree_with_the_seeds_link_query(recruiter, sql):
    expected = sql(
        "SELECT clicked_url, COUNT(*) AS click_count, COUNT(DISTINCT campaign_contact_id) AS unique_clicks"
        " FROM engagement_tracking WHERE event_type = 'clicked' AND clicked_url IS NOT NULL AND organization_id = %s"
        " GROUP BY clicked_url ORDER BY click_count DESC LIMIT 20",
        OURS,
    )

    links = recruiter.get(f"/api/v1/campaigns/{CAMPAIGN}/links").json()["items"]

    assert [(link["url"], link["click_count"], link["unique_clicks"]) for link in links] == expected
    assert expected == [(LINK, 2, 1), (OTHER_LINK, 1, 1)]


def test_the_same_url_at_two_positions_is_two_links_on_request(recruiter):
    links = recruiter.get(f"/api/v1/jobs/{NAMED_JOB}/links", group_by="position").json()["items"]

    assert {(link["url"], link["link_position"], link["link_text"], link["click_count"]) for link in links} == {
        (LINK, "1", "Choose a time", 1),
        (LINK, "2", "Or here", 1),
    }


def test_a_candidates_links_are_told_apart_by_place_and_counted_over_all_their_emails(recruiter):
    links = recruiter.get("/api/v1/candidates/c-1/links").json()["items"]

    told = {(one["url"], one["link_position"], one["link_text"]): one for one in links}
    assert set(told) == {(LINK, "1", "Choose a time"), (LINK, "2", "Or here"), (OTHER_LINK, "1", "")}
    assert told[LINK, "1", "Choose a time"] == {
        "url": LINK,
        "link_position": "1",
        "link_text": "Choose a time",
        "click_count": 1,
        "unique_clicks": 1,
        "scanner_click_count": 0,
        "first_clicked_at": "2026-11-21T11:00:00Z",
    }


def test_a_candidates_links_are_counted_by_address_on_request(recruiter):
    links = recruiter.get("/api/v1/candidates/c-1/links", group_by="url").json()["items"]

    counted = [(one["url"], one["click_count"], one["unique_clicks"], one["scanner_click_count"]) for one in links]
    assert counted == [(LINK, 2, 1, 0), (OTHER_LINK, 1, 1, 1)]
    assert {(one["link_position"], one["link_text"]) for one in links} == {(None, None)}


def test_links_that_only_machines_followed_are_a_candidates_on_request(recruiter):
    path = "/api/v1/candidates/c-2/links"

    assert recruiter.get(path).json()["items"] == []
    (link,) = recruiter.get(path, include="automated").json()["items"]
    assert (link["url"], link["click_count"], link["scanner_click_count"]) == (LINK, 1, 1)
    assert link["first_clicked_at"] is None


def test_a_candidate_who_followed_nothing_has_no_links(recruiter):
    assert recruiter.get("/api/v1/candidates/c-5/links").json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("min_clicks", [1, 3, 4])
def test_engaged_contacts_agree_with_the_seeds_contact_query(min_clicks, recruiter, sql):
    expected = sql(
        "SELECT cc.contact_id, COUNT(DISTINCT CASE WHEN et.event_type = 'opened' THEN et.id END) AS opens,"
        " COUNT(DISTINCT CASE WHEN et.event_type = 'clicked' THEN et.id END) AS clicks FROM campaign_contacts cc"
        " LEFT JOIN engagement_tracking et ON cc.id = et.campaign_contact_id WHERE cc.organization_id = %s"
        " GROUP BY cc.contact_id HAVING COUNT(DISTINCT CASE WHEN et.event_type = 'clicked' THEN et.id END) >= %s"
        " ORDER BY clicks DESC",
        OURS,
        min_clicks,
    )

    contacts = recruiter.get("/api/v1/contacts/engaged", min_clicks=min_clicks).json()["items"]

    assert [(contact["contact_id"], contact["opens"], contact["clicks"]) for contact in contacts] == expected


def test_engaged_contacts_show_apart_what_machines_did(recruiter):
    contacts = recruiter.get("/api/v1/contacts/engaged", min_clicks=0).json()["items"]

    counted = {one["contact_id"]: (one["machine_open_count"], one["scanner_click_count"]) for one in contacts}
    # A preview of a link is counted nowhere.
    assert counted == {"c-1": (1, 1), "c-2": (1, 1), "c-3": (0, 0), "c-4": (0, 0), "c-5": (0, 0)}


def test_engaged_contacts_as_csv_have_the_columns_of_the_list(recruiter):
    listed = recruiter.get("/api/v1/contacts/engaged", min_clicks=1).json()["items"]

    lines = recruiter.get("/api/v1/contacts/engaged", min_clicks=1, format="csv").text.splitlines()

    assert lines[0] == "contact_id,opens,clicks,machine_open_count,scanner_click_count"
    assert lines[1:] == [",".join(str(value) for value in contact.values()) for contact in listed]


def test_candidates_are_ranked_with_unmeasured_ones_last(recruiter):
    ranking = recruiter.get("/api/v1/candidates").json()

    assert [(one["candidate_id"], one["score"]) for one in ranking["items"]] == [
        ("c-1", 100),
        ("c-2", 0),
        ("c-3", 0),
        ("c-4", None),
        ("c-5", None),
    ]
    assert ranking["levels"] == {"hot": 1, "warm": 0, "cold": 2, "unmeasured": 2}


def test_the_ranking_is_filtered_by_badge_and_still_counts_all(recruiter):
    ranking = recruiter.get("/api/v1/candidates", level="hot").json()

    assert [one["candidate_id"] for one in ranking["items"]] == ["c-1"]
    assert ranking["levels"]["cold"] == 2


def test_a_candidate_is_scored_alike_in_the_ranking_and_live(recruiter):
    ranking = recruiter.get("/api/v1/candidates").json()["items"]

    assert ranking
    for listed in ranking:
        live = recruiter.get(f"/api/v1/candidates/{listed['candidate_id']}/engagement").json()
        activity = live.pop("recent_activity")
        assert live == listed
        assert all(activity[place]["occurred_at"] >= one["occurred_at"] for place, one in enumerate(activity[1:]))


def test_a_candidate_of_whom_nothing_was_measured_has_no_score(recruiter):
    candidate = recruiter.get("/api/v1/candidates/c-5/engagement").json()

    assert (candidate["score"], candidate["level"], candidate["score_parts"], candidate["open_percent"]) == (None,) * 4
    assert candidate["emails_sent"] == 0


def test_totals_have_a_column_for_every_sum(sql):
    columns = {row[0] for row in sql("SELECT attname FROM pg_attribute WHERE attrelid = 'email_totals'::regclass")}

    assert set(EmailTotals.__struct_fields__) <= columns

"""BR-558.7: machines stand beside people in every answer, and count like them where somebody asks for it."""

import pytest

from tests.support.query_world import CAMPAIGN, LINK, NAMED_JOB, OTHER_JOB, OTHER_LINK, email_id


def counts(email):
    return tuple(email[name] for name in ("open_count", "click_count", "unique_click_count"))


def machines(answer):
    return (answer["machine_open_count"], answer["scanner_click_count"])


def test_an_email_counts_people_and_on_request_everybody(recruiter):
    path = f"/api/v1/emails/{email_id('named')}"

    people, everybody = recruiter.get(path).json(), recruiter.get(path, include="automated").json()

    assert (counts(people), counts(everybody)) == ((1, 2, 2), (2, 3, 3))
    assert machines(people) == machines(everybody) == (1, 1)
    changed = {name for name in people if people[name] != everybody[name]}
    assert changed == {"open_count", "click_count", "unique_click_count"}


@pytest.mark.parametrize("include", [{}, {"include": "automated"}], ids=["people", "everybody"])
def test_the_history_counts_like_each_email(recruiter, include):
    history = recruiter.get("/api/v1/emails", **include).json()["items"]

    assert history
    for listed in history:
        assert listed == recruiter.get(f"/api/v1/emails/{listed['email_id']}", **include).json()


def test_raw_totals_of_a_campaign_are_as_if_machines_were_people(recruiter):
    path = f"/api/v1/campaigns/{CAMPAIGN}/engagement"

    people, raw = recruiter.get(path).json(), recruiter.get(path, include="automated").json()

    shown = ("sent", "opened", "clicked", "total_clicks", "machine_opens", "scanner_clicks", "open_rate", "click_rate")
    assert [people[name] for name in shown] == [3, 2, 2, 3, 2, 2, 66.67, 66.67]
    assert [raw[name] for name in shown] == [3, 3, 3, 5, 2, 2, 100.0, 100.0]
    assert raw["avg_time_to_open_seconds"] == people["avg_time_to_open_seconds"]


@pytest.mark.parametrize("subject", [f"jobs/{NAMED_JOB}", f"jobs/{OTHER_JOB}", "templates/t-1"])
def test_raw_totals_are_never_below_those_of_people(subject, recruiter, manager):
    path = f"/api/v1/{subject}/engagement"
    shown_to = [caller for caller in (recruiter, manager) if caller.get(path).status_code != 404]

    assert recruiter in shown_to
    for caller in shown_to:
        people, raw = caller.get(path).json(), caller.get(path, include="automated").json()
        assert raw["total_clicks"] == people["total_clicks"] + people["scanner_clicks"]
        assert raw["opened"] >= people["opened"]


def test_links_show_scanners_beside_people_and_on_request_both(recruiter):
    path = f"/api/v1/campaigns/{CAMPAIGN}/links"

    def links(**include):
        found = recruiter.get(path, **include).json()["items"]
        return [
            tuple(link[name] for name in ("url", "click_count", "unique_clicks", "scanner_click_count"))
            for link in found
        ]

    assert links() == [(LINK, 2, 1, 1), (OTHER_LINK, 1, 1, 1)]
    assert links(include="automated") == [(LINK, 3, 2, 1), (OTHER_LINK, 2, 1, 1)]


def test_a_link_that_only_scanners_followed_is_listed_on_request(recruiter):
    path = f"/api/v1/jobs/{NAMED_JOB}/links"

    assert OTHER_LINK not in [link["url"] for link in recruiter.get(path).json()["items"]]
    raw = recruiter.get(path, include="automated").json()["items"]
    assert [link["click_count"] for link in raw if link["url"] == OTHER_LINK] == [1]


def test_a_candidates_statistics_count_everybody_on_request_and_the_score_never_does(recruiter, manager):
    for caller, candidate in ((recruiter, "c-1"), (recruiter, "c-2"), (manager, "c-1")):
        path = f"/api/v1/candidates/{candidate}/engagement"
        people, raw = caller.get(path).json(), caller.get(path, include="automated").json()
        assert {"score", "level", "score_parts", "recent_activity"}.isdisjoint(
            name for name in people if people[name] != raw[name]
        )

    machine_only = recruiter.get("/api/v1/candidates/c-2/engagement", include="automated").json()
    assert machines(machine_only) == (1, 1)
    assert (machine_only["emails_opened"], machine_only["open_percent"], machine_only["click_percent"]) == (1, 100, 100)
    assert machine_only["score"] == 0


@pytest.mark.parametrize("include", [{}, {"include": "automated"}], ids=["people", "everybody"])
def test_the_ranking_counts_like_each_candidate(recruiter, include):
    ranking = recruiter.get("/api/v1/candidates", **include).json()["items"]

    assert ranking
    for listed in ranking:
        live = recruiter.get(f"/api/v1/candidates/{listed['candidate_id']}/engagement", **include).json()
        del live["recent_activity"]
        assert live == listed


def test_machines_have_their_place_in_the_timeline(recruiter):
    events = recruiter.get(f"/api/v1/emails/{email_id('second')}/events", include="automated").json()["items"]

    assert {(event["event_type"], event["verdict"], *event["reasons"]) for event in events} == {
        ("delivered", None),
        ("bounce", None),
        ("open", "machine_open", "known_agent"),
        ("click", "scanner"),
        ("click", "preview"),
    }
    places = [event["engagement_event_id"] for event in events]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/emails",
        f"/api/v1/emails/{email_id('named')}",
        f"/api/v1/emails/{email_id('named')}/events",
        "/api/v1/candidates",
        "/api/v1/candidates/c-1/engagement",
        f"/api/v1/campaigns/{CAMPAIGN}/engagement",
        f"/api/v1/campaigns/{CAMPAIGN}/links",
        f"/api/v1/jobs/{NAMED_JOB}/engagement",
        "/api/v1/templates/t-1/links",
    ],
)
@pytest.mark.parametrize("include", ["machines", "", "automated,human", "AUTOMATED"])
def test_anything_else_to_include_is_refused_by_name(path, include, recruiter):
    answer = recruiter.get(path + f"?include={include}")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "include"


def test_the_document_says_what_include_does(client):
    paths = client.get("/schema/openapi.json").json()["paths"]

    including = {
        path
        for path, operations in paths.items()
        for parameter in operations.get("get", {}).get("parameters", [])
        if parameter["name"] == "include" and path.startswith("/api/")
    }
    assert len(including) == 13
    assert "as if machines were people" in paths["/api/v1/campaigns/{campaign_id}/engagement"]["get"]["description"]

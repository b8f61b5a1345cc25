"""Unsubscribes, spam reports, deliverability and follow-up lists, as JSON and as CSV."""

import csv
import io
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from domain.email_facts import Bounced, Clicked, Delivered, Opened, Replied, SpamReported, Unsubscribed
from domain.values import BounceKind, Verdict
from entrypoints.web import contacts, csv_answers
from tests.integration.query_api.test_problems import check_problem
from tests.support.query_world import NAMED_JOB, OTHER_JOB, THEIRS, Story, email_id, hours, project

WAVE = uuid4()
EVIL = '=HYPERLINK("http://evil.example","x")'


def days(number):
    return timedelta(days=number)


@pytest.fixture(scope="module", autouse=True)
def complaints(administrator_url, world_as_it_was):
    """Emails of their own, 40 days old."""
    story = Story(place=2_000_000_000)
    for number in range(1, 8):
        story.sent(
            f"x{number}", to=f"x-{number}", job=NAMED_JOB if number < 3 else OTHER_JOB, campaign=WAVE, ago=days(40)
        )
    story.sent("x8", to=EVIL, job=OTHER_JOB, campaign=WAVE, ago=days(40), address="evil@elsewhere.example")
    story.sent("x9", to="x-9", job=OTHER_JOB, campaign=WAVE, ago=days(40), tracking=False)
    story.sent("y1", to="x-7", job=OTHER_JOB, campaign=None, ago=days(41))
    story.sent("t1", to="t-1", campaign=None, organization=THEIRS, ago=days(40))
    for number in (1, 2, 3, 4, 5, 7, 8, 9):
        story.happened(f"x{number}", Delivered, ago=days(40))
    story.happened("x1", Unsubscribed, ago=hours(9))
    story.happened("x1", Unsubscribed, ago=hours(8))
    story.happened("x3", Unsubscribed, ago=hours(5))
    story.happened("x8", SpamReported, ago=hours(4))
    story.happened("x2", Opened, ago=days(39), verdict=Verdict.MACHINE_OPEN)
    story.happened("x4", Replied, ago=days(39))
    story.happened("x5", Clicked, ago=days(39), url="https://example.com/x")
    story.happened("x6", Bounced, ago=days(40), bounce_kind=BounceKind.SOFT, reason="mailbox_full")
    story.happened("x6", Bounced, ago=days(39), bounce_kind=BounceKind.HARD, reason="mailbox_does_not_exist")
    story.happened("t1", Unsubscribed, ago=hours(3), organization=THEIRS)
    project(administrator_url, story.logged)


@pytest.fixture
def erased(administrator_url, backend):
    """Scrub an email's row as the projection does when its recipient was erased, for as long as the test lasts."""
    undone = []

    def erase(name):
        with psycopg.connect(administrator_url) as connection:
            find = "SELECT recipient_email, recipient_name, email_id FROM email_logs WHERE email_id = %s"
            undone.append(connection.execute(find, (email_id(name),)).fetchone())
            scrub = "UPDATE email_logs SET recipient_email = '', recipient_name = '' WHERE email_id = %s"
            connection.execute(scrub, (email_id(name),))

    yield erase
    with psycopg.connect(administrator_url) as connection:
        for row in undone:
            connection.execute(
                "UPDATE email_logs SET recipient_email = %s, recipient_name = %s WHERE email_id = %s", row
            )


def table(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; header=present; charset=utf-8"
    return list(csv.reader(io.StringIO(answer.text, newline="")))


# --- unsubscribes and spam reports (USE-7) ---


def test_unsubscribes_say_when_who_and_by_which_email_the_latest_first(recruiter):
    items = recruiter.get("/api/v1/compliance/unsubscribes").json()["items"]

    assert [(item["recipient_email"], item["occurred_at"], item["email_id"]) for item in items] == [
        ("x-3@example.com", "2026-11-21T07:00:00Z", str(email_id("x3"))),
        ("x-1@example.com", "2026-11-21T03:00:00Z", str(email_id("x1"))),
    ]
    assert items[0]["campaign_id"] == str(WAVE)
    assert items[0]["template_name"] == "Invitation"
    assert items[0]["recipient_id"] == "x-3"


def test_spam_reports_are_a_list_of_their_own(recruiter):
    items = recruiter.get("/api/v1/compliance/spam-reports").json()["items"]

    assert [item["recipient_email"] for item in items] == ["evil@elsewhere.example"]


@pytest.mark.parametrize(
    "asked, found",
    [
        ({"from": "2026-11-21T07:00:00Z"}, ["x-3"]),
        ({"to": "2026-11-21T07:00:00Z"}, ["x-1"]),
        ({"from": "2026-11-21", "to": "2026-11-21"}, ["x-3", "x-1"]),
        ({"from": "2026-11-21", "tz": "America/New_York"}, ["x-3"]),
        ({"to": "2026-11-20", "tz": "America/New_York"}, ["x-1"]),
        ({"from": "2026-11-22"}, []),
    ],
)
def test_a_period_is_by_days_of_a_zone_or_by_instants(asked, found, recruiter):
    items = recruiter.get("/api/v1/compliance/unsubscribes", **asked).json()["items"]

    assert [item["recipient_id"] for item in items] == found


def test_a_hiring_managers_list_is_of_their_jobs(manager):
    items = manager.get("/api/v1/compliance/unsubscribes").json()["items"]

    assert [item["recipient_id"] for item in items] == ["x-1"]
    assert manager.get("/api/v1/compliance/spam-reports").json()["items"] == []


def test_pages_of_one_make_up_the_list(recruiter):
    first = recruiter.get("/api/v1/compliance/unsubscribes", limit=1).json()
    second = recruiter.get("/api/v1/compliance/unsubscribes", limit=1, cursor=first["next_cursor"]).json()

    assert [page["items"][0]["recipient_id"] for page in (first, second)] == ["x-3", "x-1"]
    assert second["next_cursor"] is None


def test_csv_holds_the_whole_list_whatever_the_limit(recruiter, monkeypatch):
    monkeypatch.setattr(csv_answers.list_answer, "__kwdefaults__", {"rows_at_once": 1})

    rows = table(recruiter.get("/api/v1/compliance/unsubscribes", format="csv", limit=1))

    assert rows[0][:3] == ["occurred_at", "recipient_email", "recipient_name"]
    assert [(row[0], row[1]) for row in rows[1:]] == [
        ("2026-11-21T07:00:00Z", "x-3@example.com"),
        ("2026-11-21T03:00:00Z", "x-1@example.com"),
    ]


def test_csv_comes_for_its_media_type_and_the_parameter_counts_more(recruiter, client):
    path, headers = "/api/v1/compliance/unsubscribes", recruiter.headers | {"Accept": "text/csv"}

    assert len(table(client.get(path, headers=headers))) == 3
    assert client.get(path, headers=headers, params={"format": "json"}).json()["next_cursor"] is None
    assert client.get(path, headers=recruiter.headers | {"Accept": "text/html, */*"}).json()["items"]


def test_no_cell_is_a_formula_and_no_row_is_torn(recruiter):
    answer = recruiter.get("/api/v1/compliance/spam-reports", format="csv")

    [names, row] = table(answer)
    assert dict(zip(names, row, strict=True))["recipient_id"] == f"'{EVIL}"
    assert answer.text.endswith("\r\n")
    assert 'filename="spam-reports.csv"' in answer.headers["content-disposition"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_never_starts_like_a_formula(start):
    [[cell]] = csv.reader(io.StringIO(csv_answers.csv_lines([[f"{start}1+1"]]).decode(), newline=""))

    assert cell == f"'{start}1+1"


def test_quotes_commas_and_lines_survive(client):
    value = 'a "quoted", cell\r\nof two lines ä€'

    [[cell, number]] = csv.reader(io.StringIO(csv_answers.csv_lines([[value, -1.5]]).decode(), newline=""))

    assert (cell, number) == (value, "-1.5")


# --- deliverability (USE-4) ---

MONTH = {"from": "2026-10-01", "to": "2026-10-31"}


def test_deliverability_adds_up_by_domain(recruiter):
    answer = recruiter.get("/api/v1/deliverability", **MONTH).json()

    total = answer["total"]
    assert (answer["start"], answer["end"]) == ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")
    assert [(line["domain"], line["sent"], line["delivered"], line["bounced"]) for line in answer["items"]] == [
        ("example.com", 9, 7, 1),
        ("elsewhere.example", 1, 1, 0),
    ]
    assert answer["rest"] is None
    assert (total["sent"], total["delivered"], total["spam_reported"], total["unsubscribed"]) == (10, 8, 1, 2)
    assert total["bounces"] == {"hard": 1, "block": 0, "soft": 0}
    assert total["bounce_reasons"] == [{"kind": "hard", "reason": "mailbox_does_not_exist", "emails": 1}]
    assert (total["delivery_rate"], total["bounce_rate"], total["spam_rate"]) == (80.0, 10.0, 12.5)


def test_domains_beyond_the_limit_share_a_line(recruiter):
    answer = recruiter.get("/api/v1/deliverability", **MONTH, limit=1).json()

    assert [line["domain"] for line in answer["items"]] == ["example.com"]
    assert (answer["rest"]["domains"], answer["rest"]["sent"], answer["rest"]["spam_reported"]) == (1, 1, 1)
    assert answer["total"]["sent"] == 10


def test_people_who_were_erased_have_no_domain(recruiter, administrator_url, erased):
    erased("x3")

    lines = recruiter.get("/api/v1/deliverability", **MONTH).json()["items"]
    record = recruiter.get("/api/v1/compliance/unsubscribes").json()["items"][0]

    assert [(line["domain"], line["sent"]) for line in lines] == [
        ("example.com", 8),
        (None, 1),
        ("elsewhere.example", 1),
    ]
    assert (record["recipient_email"], record["recipient_name"]) == (None, None)


def test_nothing_sent_has_no_rates(recruiter):
    answer = recruiter.get("/api/v1/deliverability", **{"from": "2020-01-01", "to": "2020-01-31"}).json()

    assert answer["items"] == []
    assert (answer["total"]["sent"], answer["total"]["bounce_rate"], answer["total"]["spam_rate"]) == (0, None, None)


def test_without_a_period_it_is_of_the_last_30_days(recruiter):
    answer = recruiter.get("/api/v1/deliverability").json()

    assert (answer["start"], answer["end"]) == ("2026-10-22T12:00:00Z", "2026-11-21T12:00:00Z")
    assert answer["total"]["sent"] == 4
    assert answer["total"]["dropped"] == 1


def test_a_hiring_managers_deliverability_is_of_their_jobs(manager, stranger):
    assert manager.get("/api/v1/deliverability", **MONTH).json()["total"]["sent"] == 2
    assert stranger.get("/api/v1/deliverability", **MONTH).json()["total"]["sent"] == 1


def test_deliverability_as_csv_has_a_total_and_a_line_for_each_domain(recruiter):
    rows = table(recruiter.get("/api/v1/deliverability", format="csv", **MONTH))

    assert [row[:3] for row in rows] == [
        ["line", "domain", "sent"],
        ["total", "", "10"],
        ["domain", "example.com", "9"],
        ["domain", "elsewhere.example", "1"],
    ]
    assert rows[1][rows[0].index("bounce_reasons")] == "hard mailbox_does_not_exist 1"


# --- follow-up (USE-6) ---


def test_who_did_nothing_with_what_reached_them_is_listed(recruiter):
    items = recruiter.get("/api/v1/contacts/not-engaged", campaign_id=str(WAVE)).json()["items"]

    # x-1, x-3 unsubscribed, x-4 answered, x-5 clicked, x-6 bounced, x-8 reported spam, x-9 is untracked.
    assert [(item["contact_id"], item["emails"]) for item in items] == [("x-2", 1), ("x-7", 1)]
    assert items[0]["email"] == "x-2@example.com"
    assert items[0]["last_sent_at"] == "2026-10-12T12:00:00Z"


def test_who_opted_out_is_left_alone(recruiter, administrator_url):
    path = "/api/v1/contacts/not-engaged"
    with psycopg.connect(administrator_url) as connection:
        connection.execute(
            "INSERT INTO ops.tracking_consents (addressee_id, organization_id, consent, source, changed_at)"
            " SELECT addressee_id, organization_id, 'opted_out', 'api', now() FROM email_logs WHERE email_id = %s",
            (email_id("y1"),),
        )
    try:
        assert [item["contact_id"] for item in recruiter.get(path).json()["items"]] == ["x-2"]
    finally:
        with psycopg.connect(administrator_url) as connection:
            connection.execute("DELETE FROM ops.tracking_consents")


def test_emails_sent_later_do_not_count(recruiter):
    path = "/api/v1/contacts/not-engaged"

    assert recruiter.get(path, campaign_id=str(WAVE), sent_before="2026-10-12T12:00:00Z").json()["items"] == []
    assert len(recruiter.get(path, campaign_id=str(WAVE), sent_before="2026-10-12T12:00:01Z").json()["items"]) == 2


def test_a_hiring_managers_follow_up_is_of_their_jobs(manager, recruiter):
    path = "/api/v1/contacts/not-engaged"

    assert {item["contact_id"] for item in manager.get(path).json()["items"]} == {"x-2"}
    assert {item["contact_id"] for item in recruiter.get(path).json()["items"]} == {"x-2", "x-7"}


@pytest.mark.parametrize("path", ["/api/v1/contacts/not-engaged", "/api/v1/contacts/engaged"])
def test_follow_up_lists_come_as_csv(path, recruiter, monkeypatch):
    monkeypatch.setattr(contacts, "ROWS_AT_ONCE", 1)
    asked = {"min_clicks": 0} if path.endswith("/engaged") else {}
    items = recruiter.get(path, **asked).json()["items"]

    rows = table(recruiter.get(path, format="csv", limit=1, **asked))

    assert rows[0] == list(items[0])
    assert len(rows) == len(items) + 1 > 2
    assert [row[0].removeprefix("'") for row in rows[1:]] == [item["contact_id"] for item in items]


# --- bad input ---


@pytest.mark.parametrize(
    "path, field",
    [
        ("compliance/unsubscribes?from=2026-11-22&to=2026-11-21", "to"),
        ("compliance/unsubscribes?from=2010-01-01&to=2026-11-21", "to"),
        ("compliance/unsubscribes?from=2026-11-21T09:00:00", "from"),
        ("compliance/unsubscribes?from=2026-11-21T09:00:00%2B99:00", "from"),
        ("compliance/unsubscribes?from=yesterday", "from"),
        ("compliance/unsubscribes?to=2026-02-30", "to"),
        ("compliance/unsubscribes?to=9999-12-31", "to"),
        ("compliance/unsubscribes?from=0001-01-01T00:00:00%2B14:00", "from"),
        ("compliance/unsubscribes?tz=Mars/Olympus", "tz"),
        ("compliance/unsubscribes?tz=../../etc/passwd", "tz"),
        ("compliance/unsubscribes?tz=", "tz"),
        ("compliance/unsubscribes?format=xml", "format"),
        ("compliance/spam-reports?cursor=nonsense", "cursor"),
        ("compliance/spam-reports?cursor=nonsense&format=csv", "cursor"),
        ("compliance/spam-reports?limit=0", "limit"),
        ("deliverability?from=1990-01-01", "to"),
        ("deliverability?from=2030-01-01", "to"),
        ("deliverability?limit=1001", "limit"),
        ("contacts/not-engaged?sent_before=2026-11-21T09:00:00", "sent_before"),
        ("contacts/not-engaged?campaign_id=7", "campaign_id"),
        ("contacts/engaged?format=pdf", "format"),
    ],
)
def test_a_bad_question_is_named(path, field, recruiter):
    problem = check_problem(recruiter.get(f"/api/v1/{path}"), 422)

    assert problem["errors"][0]["field"] == field
    assert problem["errors"][0]["detail"]


def test_the_document_shows_both_formats(client):
    paths = client.get("/schema/openapi.json").json()["paths"]

    for path in ("compliance/unsubscribes", "compliance/spam-reports", "deliverability", "contacts/not-engaged"):
        operation = paths[f"/api/v1/{path}"]["get"]
        content = operation["responses"]["200"]["content"]
        assert set(content) == {"application/json", "text/csv"}
        assert all(media_type["example"] for media_type in content.values())
        assert {"format", "limit"} <= {parameter["name"] for parameter in operation["parameters"]}
    assert {"from", "to", "tz"} <= {p["name"] for p in paths["/api/v1/deliverability"]["get"]["parameters"]}

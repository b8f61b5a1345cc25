"""What an analyst finds in the tables, and whether it agrees with what a recruiter sees."""

from pytest_bdd import parsers, then

from tests.bdd.recruiting_team import candidate_id
from tests.bdd.tables import Columns, moment, number, pairs_of, rows_of, text
from tests.support import seed_queries

ROW = {
    "what happened": ("event_type", text),
    "when": ("event_timestamp", moment),
    "link": ("clicked_url", text),
    "address": ("ip_address", text),
}
SHORT_ROW = {"what happened": ("event_type", text), "when": ("occurred_at", moment), "link": ("url", text)}
LOG = {
    "delivered": ("delivered_at", moment),
    "opened": ("opened_at", moment),
    "opens": ("open_count", number),
    "clicked": ("clicked_at", moment),
    "clicks": ("click_count", number),
    "bounced": ("bounced_at", moment),
    "unsubscribed": ("unsubscribed_at", moment),
}
TRACKED = (
    "SELECT event_type, event_timestamp, clicked_url, host(ip_address) AS ip_address, event_data"
    " FROM {table} WHERE email_log_id = %s ORDER BY event_timestamp, event_type DESC"
)
EVENTS = (
    "SELECT event_type, occurred_at, url FROM email_engagement_events WHERE email_log_id = %s"
    " ORDER BY occurred_at, event_type DESC"
)


@then(parsers.re(r'the table "(?P<table>engagement_tracking|automated_engagement)" says of the email to (?P<to>.+):'))
def the_tracking_table_says(scene, table, to, datatable):
    Columns(ROW, scene.moments).assert_rows(f"the rows of {table}", rows_of(datatable), tracked(scene, to, table))


@then(parsers.re(r'the table "engagement_tracking" says nothing of the email to (?P<to>.+)'))
def the_tracking_table_says_nothing(scene, to):
    found = tracked(scene, to)
    assert found == [], f"engagement_tracking has rows: {found}"


@then(parsers.parse('the table "email_engagement_events" says of the email to {to}:'))
def the_event_table_says(scene, to, datatable):
    scene.settle()
    found = scene.service.analyse(scene.team.organization_id, EVENTS, (log_id(scene, to),))
    Columns(SHORT_ROW, scene.moments).assert_rows("the rows of email_engagement_events", rows_of(datatable), found)


@then(parsers.parse('the table "email_logs" says of the email to {to}:'))
def the_log_table_says(scene, to, datatable):
    scene.settle()
    query = "SELECT * FROM email_logs WHERE id = %s"
    (found,) = scene.service.analyse(scene.team.organization_id, query, (log_id(scene, to),))
    Columns(LOG, scene.moments).assert_row("the row of email_logs", pairs_of(datatable), found)


@then(parsers.re(r'the details of "(?P<word>[a-z_]+)" for (?P<to>.+) are:'))
def the_details_are(scene, word, to, datatable):
    (row,) = [row for row in tracked(scene, to) if row["event_type"] == word]
    found = {name: str(value) for name, value in row["event_data"].items()}
    expected = pairs_of(datatable)
    assert found == expected, f"the details of {word}: expected {expected}, found {found}"


@then(parsers.parse('the example query for the figures of the campaign "{campaign}" answers as the recruiter sees it:'))
def the_campaign_query_agrees(scene, campaign, datatable):
    scene.settle()
    team = scene.team
    query = seed_queries.seed_query("campaign_metrics", **{"campaign-uuid": team.campaign_id(campaign)})
    (row,) = scene.service.analyse(team.organization_id, query)
    seen = team.ask(f"/campaigns/{team.campaign_id(campaign)}/engagement")
    answered = {
        "sent": row["total_recipients"],
        "opened": row["opens"],
        "clicked": row["clicks"],
        "total_clicks": row["total_clicks"],
        "open_rate": round(float(row["open_rate"]), 2),
        "click_rate": round(float(row["click_rate"]), 2),
    }
    assert answered == {name: seen[name] for name in answered}, f"the query {answered}, the recruiter {seen}"
    expected = {name.replace(" ", "_"): value for name, value in pairs_of(datatable).items()}
    found = {name: f"{answered[name]:g}" for name in expected}
    assert found == expected, f"expected {expected}, found {found}"


@then(parsers.parse('the example query for the most clicked links answers as the recruiter sees it for "{campaign}":'))
def the_link_query_agrees(scene, campaign, datatable):
    scene.settle()
    team = scene.team
    answered = scene.service.analyse(team.organization_id, seed_queries.seed_query("most_clicked_links"))
    rows = [(row["clicked_url"], row["click_count"], row["unique_clicks"]) for row in answered]
    links = team.all_of(f"/campaigns/{team.campaign_id(campaign)}/links")
    assert rows == [(link["url"], link["click_count"], link["unique_clicks"]) for link in links]
    assert [list(map(str, row)) for row in rows] == datatable[1:], f"found {rows}"


@then("the example query for highly engaged contacts answers as the recruiter sees it:")
def the_contact_query_agrees(scene, datatable):
    scene.settle()
    team = scene.team
    answered = scene.service.analyse(team.organization_id, seed_queries.seed_query("highly_engaged_contacts"))
    rows = [(row["contact_id"], row["opens"], row["clicks"]) for row in answered]
    contacts = team.all_of("/contacts/engaged")
    assert rows == [(contact["contact_id"], contact["opens"], contact["clicks"]) for contact in contacts]
    assert [list(map(str, row)) for row in rows] == datatable[1:], f"found {rows}"


@then("the example query for the engagement score answers as the recruiter sees it:")
def the_score_query_agrees(scene, datatable):
    scene.settle()
    team = scene.team
    for row in rows_of(datatable):
        candidate = candidate_id(row["candidate"])
        query = seed_queries.seed_query("engagement_score", **{"@candidate_id": seed_queries.text(candidate)})
        answered = scene.service.analyse(team.organization_id, query)
        seen = team.ask(f"/candidates/{candidate}/engagement")["score"]
        found = [(one["candidate_id"], int(one["engagement_score"])) for one in answered]
        assert found == [(candidate, seen)], f"the query {found}, the recruiter {seen}"
        assert str(seen) == row["score"], f"expected {row}, found {seen}"


def tracked(scene, to, table="engagement_tracking"):
    scene.settle()
    query = TRACKED.format(table=table)
    return scene.service.analyse(scene.team.organization_id, query, (log_id(scene, to),))


def log_id(scene, to):
    return scene.team.email({"to": to}).email_log_id

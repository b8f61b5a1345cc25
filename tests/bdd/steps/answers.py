"""What a recruiter sees."""

from pytest_bdd import parsers, then

from tests.bdd.recruiting_team import candidate_id
from tests.bdd.tables import Columns, duration, moment, number, pairs_of, percent, points, rows_of, text

EMAIL = {
    "delivered": ("delivered_at", moment),
    "opened": ("opened_at", moment),
    "opens": ("open_count", number),
    "clicked": ("clicked_at", moment),
    "clicks": ("click_count", number),
    "different links": ("unique_click_count", number),
    "replied": ("replied_at", moment),
    "bounced": ("bounced_at", moment),
    "bounce": ("bounce_type", text),
    "reason": ("bounce_reason", text),
    "never sent": ("dropped_at", moment),
    "unsubscribed": ("unsubscribed_at", moment),
    "reported as spam": ("spam_reported_at", moment),
    "opens by machines": ("machine_open_count", number),
    "clicks by scanners": ("scanner_click_count", number),
    "clicks by machines": ("scanner_click_count", number),
    "time to open": ("time_to_open_seconds", duration),
    "to": ("recipient.name", text),
    "email": ("subject", text),
}
EVENT = {
    "what happened": ("event_type", text),
    "when": ("occurred_at", moment),
    "link": ("url", text),
    "judged": ("verdict", text),
}
METRICS = {
    "sent": ("sent", number),
    "delivered": ("delivered", number),
    "opened": ("opened", number),
    "clicked": ("clicked", number),
    "all clicks": ("total_clicks", number),
    "replied": ("replied", number),
    "bounced": ("bounced", number),
    "unsubscribed": ("unsubscribed", number),
    "reported as spam": ("spam_reported", number),
    "opens by machines": ("machine_opens", number),
    "clicks by scanners": ("scanner_clicks", number),
    "open rate": ("open_rate", percent),
    "click rate": ("click_rate", percent),
    "click-to-open rate": ("click_to_open_rate", percent),
    "bounce rate": ("bounce_rate", percent),
    "unsubscribe rate": ("unsubscribe_rate", percent),
    "reply rate": ("reply_rate", percent),
    "average time to open": ("avg_time_to_open_seconds", duration),
}
LINK = {
    "link": ("url", text),
    "position": ("link_position", text),
    "text": ("link_text", text),
    "clicks": ("click_count", number),
    "people": ("unique_clicks", number),
}
CANDIDATE_LINK = LINK | {"emails": ("unique_clicks", number), "first": ("first_clicked_at", moment)}
CANDIDATE = {
    "candidate": ("name", text),
    "score": ("score", points),
    "level": ("level", text),
    "because": ("level_reason", text),
    "points for recency": ("score_parts.recency", points),
    "points for opens": ("score_parts.opens", points),
    "points for clicks": ("score_parts.clicks", points),
    "points for replies": ("score_parts.replies", points),
    "emails sent": ("emails_sent", number),
    "emails opened": ("emails_opened", number),
    "emails clicked": ("emails_clicked", number),
    "opened": ("open_percent", percent),
    "clicked": ("click_percent", percent),
}
ACTIVITY = EVENT | {"email": ("subject", text)}
CONTACT = {"contact": ("contact_id", text), "opens": ("opens", number), "clicks": ("clicks", number)}


@then("these emails show:")
def these_emails_show(scene, datatable):
    rows = rows_of(datatable)
    scene.settle()
    team = scene.team
    found = [team.ask(f"/emails/{team.email(row).email_id}") for row in rows]
    Columns(EMAIL, scene.moments).assert_rows("the emails", rows, found)


@then(parsers.parse("the email to {to} shows:"))
def the_email_shows(scene, to, datatable):
    scene.settle()
    team = scene.team
    found = team.ask(f"/emails/{team.email({'to': to}).email_id}")
    Columns(EMAIL, scene.moments).assert_row(f"the email to {to}", pairs_of(datatable), found)


@then(parsers.parse("the timeline of the email to {to} reads:"))
def the_timeline_reads(scene, to, datatable):
    assert_timeline(scene, to, datatable, "")


@then(parsers.parse("the timeline of the email to {to}, with what machines did, reads:"))
def the_whole_timeline_reads(scene, to, datatable):
    assert_timeline(scene, to, datatable, "?include=automated")


@then(parsers.parse("the timeline of the email to {to} is empty"))
def the_timeline_is_empty(scene, to):
    scene.settle()
    found = scene.team.all_of(f"/emails/{scene.team.email({'to': to}).email_id}/events?include=automated")
    assert found == [], f"the timeline of the email to {to} is not empty: {found}"


@then(parsers.re(r'the figures of the (?P<kind>campaign|job|template) "(?P<name>[^"]+)" are:'))
def the_figures_are(scene, kind, name, datatable):
    scene.settle()
    found = scene.team.ask(f"{path_to(scene.team, kind, name)}/engagement")
    Columns(METRICS, scene.moments).assert_row(f"the figures of {kind} {name}", pairs_of(datatable), found)


@then(parsers.re(r'the links of the (?P<kind>campaign|job|template) "(?P<name>[^"]+)" are:'))
def the_links_are(scene, kind, name, datatable):
    assert_links(scene, kind, name, "url", datatable)


@then(parsers.re(r'the links of the (?P<kind>campaign|job|template) "(?P<name>[^"]+)", by position, are:'))
def the_links_by_position_are(scene, kind, name, datatable):
    assert_links(scene, kind, name, "position", datatable)


@then(parsers.parse("the links that {name} followed are:"))
def the_links_of_a_candidate_are(scene, name, datatable):
    assert_candidate_links(scene, name, datatable)


@then(parsers.parse("no link is told that {name} followed"))
def no_link_of_a_candidate_is_told(scene, name):
    scene.settle()
    found = scene.team.all_of(f"/candidates/{candidate_id(name)}/links?include=automated")
    assert found == [], f"links that {name} followed are told: {found}"


@then(parsers.re(r"for (?P<user>\S+), a hiring manager, the links that (?P<name>.+) followed are:"))
def the_links_of_a_candidate_are_for_a_manager(scene, user, name, datatable):
    assert_candidate_links(scene, name, datatable, token=scene.team.token_of(user, "hiring_manager"))


@then(parsers.parse("the engagement of {name} is:"))
def the_engagement_is(scene, name, datatable):
    scene.settle()
    found = scene.team.ask(f"/candidates/{candidate_id(name)}/engagement")
    Columns(CANDIDATE, scene.moments).assert_row(f"the engagement of {name}", pairs_of(datatable), found)


@then(parsers.parse("the recent activity of {name} reads:"))
def the_recent_activity_reads(scene, name, datatable):
    scene.settle()
    found = scene.team.ask(f"/candidates/{candidate_id(name)}/engagement")["recent_activity"]
    Columns(ACTIVITY, scene.moments).assert_rows(f"the recent activity of {name}", rows_of(datatable), found)


@then("the candidates rank:")
def the_candidates_rank(scene, datatable):
    scene.settle("scores")
    found = scene.team.all_of("/candidates")
    Columns(CANDIDATE, scene.moments).assert_rows("the ranking of the candidates", rows_of(datatable), found)


@then(parsers.parse("the {level} candidates are:"))
def the_candidates_of_a_level_are(scene, level, datatable):
    scene.settle("scores")
    found = scene.team.all_of(f"/candidates?level={level}")
    Columns(CANDIDATE, scene.moments).assert_rows(f"the {level} candidates", rows_of(datatable), found)


@then("the highly engaged contacts are:")
def the_highly_engaged_contacts_are(scene, datatable):
    scene.settle()
    Columns(CONTACT, scene.moments).assert_rows(
        "the highly engaged contacts", rows_of(datatable), scene.team.all_of("/contacts/engaged")
    )


def path_to(team, kind, name):
    return f"/{kind}s/{team.campaign_id(name) if kind == 'campaign' else name}"


def assert_timeline(scene, to, datatable, include):
    scene.settle()
    found = scene.team.all_of(f"/emails/{scene.team.email({'to': to}).email_id}/events{include}")
    Columns(EVENT, scene.moments).assert_rows(f"the timeline of the email to {to}", rows_of(datatable), found)


def assert_candidate_links(scene, name, datatable, token=None):
    scene.settle()
    found = scene.team.all_of(f"/candidates/{candidate_id(name)}/links", token=token)
    Columns(CANDIDATE_LINK, scene.moments).assert_rows(f"the links of {name}", rows_of(datatable), found)


def assert_links(scene, kind, name, grouping, datatable):
    scene.settle()
    found = scene.team.all_of(f"{path_to(scene.team, kind, name)}/links?group_by={grouping}")
    Columns(LINK, scene.moments).assert_rows(f"the links of {kind} {name}", rows_of(datatable), found)

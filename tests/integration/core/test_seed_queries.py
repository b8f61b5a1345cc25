"""CONTRACT.md, Database: every example query of both seeds runs unchanged and agrees with what the API answers from.

The files in `sql` hold the seeds' words; only their placeholders are filled in here.
"""

from datetime import UTC, datetime
from random import Random
from uuid import UUID, uuid5

import pytest

from application.email_registrations import Recipient
from domain.values import Verdict
from tests.support.core import Core, item, registration
from tests.support.databases import copied_database
from tests.support.emails import (
    ACME,
    CALENDAR,
    CAMPAIGN,
    JOB_AD,
    JOHN,
    NOON,
    an_open,
    click,
    days,
    hours,
    minutes,
    seconds,
)
from tests.support.seed_queries import seed_query, text
from tests.support.storages import PostgresStorage

CONTACTS, EMAILS = 12, 60


def ask(core, name, **placeholders):
    return core.query(seed_query(name, **placeholders))


def contact_of(n):
    return uuid5(UUID(int=558), str(n))


@pytest.fixture(scope="module", params=[1, 558])
def campaign(template_url, request):
    """A campaign that the tests only ask about."""
    with copied_database(template_url) as url:
        core = Core(url)
        yield with_a_campaign(core, Random(request.param))
        core.close()


def with_a_campaign(core, random):
    """One tracked email a contact, all delivered, and everything that may happen to them, in any order."""
    core.now = NOON + hours(30)
    core.register(
        *(
            registration(
                f"m-{n}",
                campaign_id=CAMPAIGN,
                campaign_contact_id=contact_of(n),
                recipient=Recipient(id=f"c-{n % CONTACTS}", email=JOHN),
            )
            for n in range(EMAILS)
        )
    )
    told = [item("delivered", NOON, f"m-{n}") for n in range(EMAILS)]
    for n in range(400):
        kind = random.choice(
            ["open", "click", "click", "bounce", "unsubscribe", "spam", "reply", "deferred", "dropped"]
        )
        report = item(kind, NOON + minutes(random.randint(1, 1_500)), f"m-{random.randrange(EMAILS)}", event_id=str(n))
        told.append(report | {"url": random.choice([JOB_AD, CALENDAR]), "link_position": random.choice("12")})
    random.shuffle(told)
    for start in range(0, len(told), 60):
        core.receive(*told[start : start + 60])
        core.drain()
        core.project()
    return core


def sums(core):
    return core.row(
        "SELECT sum(sent) AS sent, sum(opened) AS opened, sum(clicked) AS clicked, sum(total_clicks) AS total_clicks"
        " FROM email_totals WHERE campaign_id = %s",
        CAMPAIGN,
    )


def test_campaign_metrics_are_the_totals(campaign):
    [(recipients, opens, clicks, total_clicks, open_rate, click_rate)] = ask(
        campaign, "campaign_metrics", **{"campaign-uuid": str(CAMPAIGN)}
    )

    total = sums(campaign)
    assert 0 < clicks < opens < recipients == EMAILS
    assert (recipients, opens, clicks, total_clicks) == (
        total["sent"],
        total["opened"],
        total["clicked"],
        total["total_clicks"],
    )
    assert float(open_rate) == pytest.approx(100 * opens / EMAILS)
    assert float(click_rate) == pytest.approx(100 * clicks / EMAILS)


def test_campaign_metrics_equal_a_recount_of_the_emails(campaign):
    [(_, opens, clicks, total_clicks, *_)] = ask(campaign, "campaign_metrics", **{"campaign-uuid": str(CAMPAIGN)})

    assert campaign.query(
        "SELECT count(*) FILTER (WHERE open_count + click_count > 0), count(*) FILTER (WHERE click_count > 0),"
        " sum(click_count) FROM email_logs"
    ) == [(opens, clicks, total_clicks)]


def test_most_clicked_links_are_the_links_statistics(campaign):
    found = ask(campaign, "most_clicked_links")

    assert found == campaign.query(
        "SELECT url, sum(click_count), count(DISTINCT campaign_contact_id) FROM email_links"
        " GROUP BY url ORDER BY 2 DESC"
    )
    assert len(found) == 2


def test_highly_engaged_contacts_are_those_of_the_emails(campaign):
    found = ask(campaign, "highly_engaged_contacts")

    recount = campaign.query(
        "SELECT recipient_id, sum(greatest(open_count, least(click_count, 1))), sum(click_count) FROM email_logs"
        " GROUP BY recipient_id HAVING sum(click_count) >= 3"
    )
    assert sorted(found) == sorted(recount)
    assert [clicks for _, _, clicks in found] == sorted((clicks for _, _, clicks in found), reverse=True)
    assert len(found) > 3


def test_the_use_cases_own_look_ups_find_their_rows(campaign):
    [(email_log_id, organization_id, sender_id, recipient_id)] = ask(
        campaign, "find_email_log", **{"@message_id": text("m-3")}
    )
    found = ask(
        campaign,
        "find_duplicate_event",
        **{
            "@email_log_id": str(email_log_id),
            "@event_type": text("delivered"),
            "@timestamp": text(NOON.isoformat()),
        },
    )

    assert (organization_id, sender_id, recipient_id) == (ACME, "r-7", "c-3")
    assert len(found) == 1


# SCORE: the seed's query looks at the database's clock, so these candidates live today


@pytest.fixture
def today(core):
    core.now = datetime.now(UTC)
    return core


@pytest.mark.parametrize(
    "last_engaged, recency", [(hours(1), 30), (days(2), 20), (days(8), 10), (days(31), 0)], ids=str
)
@pytest.mark.parametrize("opened, clicked", [(0, 1), (1, 0), (2, 1), (3, 3), (5, 2), (7, 0), (7, 7)])
def test_a_score_is_the_seeds(today, last_engaged, recency, opened, clicked):
    at = today.now - last_engaged
    today.register(*(registration(f"m-{n}", sent_at=today.now - days(40)) for n in range(7)))
    today.receive(
        *(item("open", at, f"m-{n}") for n in range(opened)),
        *(item("click", at, f"m-{n}", url=JOB_AD) for n in range(clicked)),
    )
    today.drain()
    today.project()

    row = today.row("SELECT * FROM candidate_scores")
    [(candidate_id, score)] = ask(today, "engagement_score", **{"@candidate_id": text("c-1")})
    assert (candidate_id, score) == (row["candidate_id"], row["score"])
    assert row["recency_points"] == recency
    assert row["emails_opened"] == max(opened, clicked)


def test_machines_have_no_part_in_any_seed_query(core):
    storage = PostgresStorage(core)
    storage.register(campaign_id=CAMPAIGN)
    storage.record(
        an_open(provider_verdict=Verdict.MACHINE_OPEN),
        *(click(NOON + minutes(n), provider_verdict=Verdict.SCANNER) for n in range(5)),
    )
    storage.project()

    assert ask(core, "most_clicked_links") == []
    assert ask(core, "highly_engaged_contacts") == []
    assert core.value("SELECT count(*) FROM engagement_tracking") == 0
    assert core.value("SELECT count(*) FROM email_engagement_events") == 0
    assert core.value("SELECT count(*) FROM automated_engagement") == 6


BURST = [f"https://acme.example/page/{n}" for n in range(5)]


@pytest.mark.parametrize("at_once", [True, False], ids=["one delivery", "one by one"])
def test_a_burst_leaves_every_number_and_the_person_who_clicks_later_stays(core, at_once):
    core.now = NOON + hours(1)
    core.register(*(registration(f"m-{n}", campaign_id=CAMPAIGN, campaign_contact_id=contact_of(n)) for n in (1, 2)))
    core.receive(item("delivered", NOON + minutes(1), "m-1"), item("delivered", NOON + minutes(1), "m-2"))
    burst = [item("click", NOON + minutes(20) + seconds(n / 2), "m-1", url=url) for n, url in enumerate(BURST)]
    later = item("click", NOON + minutes(30), "m-1", url=BURST[2])
    most_before = []
    for delivery in [[*burst, later]] if at_once else [[report] for report in [*burst, later]]:
        core.receive(*delivery)
        core.drain()
        core.project()
        most_before.append(sums(core)["total_clicks"])

    assert set(most_before) == {1} if at_once else {0, 1}  # a first click counts until the others show what it was
    assert sums(core) == {"sent": 2, "opened": 1, "clicked": 1, "total_clicks": 1}
    assert core.value("SELECT sum(scanner_clicks) FROM email_totals") == 5
    assert core.query("SELECT url, click_count, scanner_click_count FROM email_links ORDER BY url") == [
        (url, int(url == BURST[2]), 1) for url in BURST
    ]
    [(recipients, opens, clicks, total_clicks, *_)] = ask(core, "campaign_metrics", **{"campaign-uuid": str(CAMPAIGN)})
    assert (recipients, opens, clicks, total_clicks) == (2, 1, 1, 1)
    assert ask(core, "most_clicked_links") == [(BURST[2], 1, 1)]
    # Two emails: one opened and clicked in the last 24 hours.
    assert core.query("SELECT score, emails_clicked, scanner_click_count FROM candidate_scores") == [
        (30 + 15 + 20, 1, 5)
    ]
    assert core.query("SELECT verdict, count(*), bool_and(reasons <> '{}') FROM automated_engagement GROUP BY 1") == [
        ("scanner", 5, True)
    ]
    rows = core.dump()
    for name in ("engagement", "scores"):
        core.backend.rebuild(name, lambda *_: None)
    assert core.dump() == rows


def test_untracked_and_dropped_emails_have_no_part_in_a_campaigns_metrics(core):
    core.register(
        registration("m-1", campaign_id=CAMPAIGN),
        registration("m-2", campaign_id=CAMPAIGN, tracking=False),
        registration("m-3", campaign_id=CAMPAIGN),
    )
    core.receive(
        item("delivered", message_id="m-1"),
        item("click", NOON + hours(1), "m-1", url=JOB_AD),
        item("delivered", message_id="m-2"),
        item("reply", message_id="m-2"),
        item("dropped", message_id="m-3"),
    )
    core.drain()
    core.project()

    [(recipients, opens, clicks, total_clicks, open_rate, _)] = ask(
        core, "campaign_metrics", **{"campaign-uuid": str(CAMPAIGN)}
    )
    assert (recipients, opens, clicks, total_clicks, open_rate) == (1, 1, 1, 1, 100)
    assert sums(core) == {"sent": 1, "opened": 1, "clicked": 1, "total_clicks": 1}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (2, 0, 1)])
def test_an_implied_open_comes_and_goes_with_what_arrives(core, order):
    reports = [
        item("click", NOON + hours(2), url=JOB_AD),
        item("click", NOON + hours(1), url=CALENDAR),
        item("open", NOON + hours(3)),
    ]
    core.register(registration(campaign_id=CAMPAIGN))
    seen = []
    for place in order:
        core.receive(reports[place])
        core.drain()
        core.project()
        seen.append(
            core.query("SELECT event_timestamp, event_data FROM engagement_tracking WHERE event_type = 'opened'")
        )
        assert ask(core, "campaign_metrics", **{"campaign-uuid": str(CAMPAIGN)})[0][1] == 1

    told = [reports[place]["event_type"] for place in order]
    for n, rows in enumerate(seen):
        clicks = [reports[place]["timestamp"] for place in order[: n + 1] if place < 2]
        if "open" in told[: n + 1]:
            assert rows == [(NOON + hours(3), {"open_count": 1})]
        else:
            assert rows == [(datetime.fromisoformat(min(clicks)), {"implied": True})]

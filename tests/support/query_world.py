"""Two organisations whose ids collide wherever callers choose them, with emails and what became of each."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4, uuid5

import psycopg

from adapters.agents import read_agent
from adapters.postgres.engagement_view import PostgresEngagementView
from adapters.postgres.scores_view import PostgresScoresView
from domain.email_facts import (
    Bounced,
    Clicked,
    Delivered,
    Dropped,
    JobReference,
    Opened,
    Party,
    Personal,
    Replied,
    Sent,
)
from domain.policies.scoring import score_candidate
from domain.values import BounceKind, Verdict
from read_models.engagement.projection import ProjectEngagement
from read_models.events import LoggedFact
from read_models.scores.view import ScoredCandidate

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
OURS, THEIRS = UUID(int=0xA), UUID(int=0xB)
CAMPAIGN, THEIR_CAMPAIGN = UUID(int=0xC1), UUID(int=0xC2)
UNTRACKED_CAMPAIGN = UUID(int=0xC3)
NAMED_JOB, OTHER_JOB = "j-named", "j-other"
MANAGER = "h-1"
LINK = "https://example.com/interviews/1"
OTHER_LINK = "https://example.com/jobs/7"


def hours(number):
    return timedelta(hours=number)


def email_id(name, organization=OURS):
    return uuid5(organization, name)


class Story:
    """Facts in the order in which they are told.

    Args:
        place: Of the first one, less one.
        now: What ``ago`` counts from.
    """

    def __init__(self, place=1_000_000_000, now=NOON):
        self.logged = []
        self._now = now
        # Far from the places that emails registered by a test get.
        self._place = place

    def sent(
        self,
        name,
        *,
        to="c-1",
        job=OTHER_JOB,
        manager="",
        campaign=CAMPAIGN,
        organization=OURS,
        ago=timedelta(hours=5),
        tracking=True,
        address="",
        subject="",
    ):
        named = manager or {NAMED_JOB: MANAGER, OTHER_JOB: "h-2"}.get(job, "")
        self._log(
            email_id(name, organization),
            Sent(
                organization_id=organization,
                provider="sendgrid",
                message_id=f"m-{name}",
                sent_at=self._now - ago,
                recorded_at=self._now - ago,
                subject=subject or f"Subject {name}",
                recipient_type="Candidate",
                recipient_id=to,
                sender=Party(id="r-1", name="Ada"),
                tracking_id=f"t-{name}",
                tracking=tracking,
                job=JobReference(id=job, title=f"Title {job}", hiring_manager_id=named) if job else None,
                template=Party(id="t-1", name="Invitation"),
                campaign_id=campaign,
                campaign_contact_id=uuid5(organization, f"contact {to} {campaign}"),
                personal=Personal(address=address or f"{to}@example.com", name=f"Name {to} {organization.int}"),
            ),
        )

    def happened(self, name, kind, *, ago=timedelta(hours=1), organization=OURS, **fields):
        fact = kind(key=uuid4().bytes, occurred_at=self._now - ago, recorded_at=self._now - ago, **fields)
        self._log(email_id(name, organization), fact)

    def _log(self, of_email, fact):
        self._place += 1
        self.logged.append(LoggedFact(self._place, of_email, fact))


def told(now=NOON):
    story = Story(now=now)
    story.sent("named", to="c-1", job=NAMED_JOB, ago=hours(6))
    story.sent("other", to="c-1", job=OTHER_JOB, ago=hours(5))
    story.sent("second", to="c-2", job=OTHER_JOB, ago=hours(4))
    story.sent("dropped", to="c-3", job=NAMED_JOB, ago=hours(3))
    story.sent("untracked", to="c-4", job=None, campaign=UNTRACKED_CAMPAIGN, ago=hours(2), tracking=False)
    story.sent("old", to="c-5", job=None, campaign=None, ago=timedelta(days=120))
    agent = Personal(ip_address="203.0.113.7", user_agent="Mozilla/5.0 (iPhone)")
    for name in ("named", "other", "second"):
        story.happened(name, Delivered, ago=hours(3))
    story.happened("named", Opened, ago=hours(2), personal=agent)
    story.happened("named", Clicked, ago=hours(1), url=LINK, link_position="1", link_text="Choose a time")
    story.happened("named", Clicked, ago=hours(1), url=LINK, link_position="2", link_text="Or here")
    story.happened(
        "named", Opened, ago=hours(3), verdict=Verdict.MACHINE_OPEN, reasons=("seconds_after_delivery",), rule_version=1
    )
    story.happened("named", Clicked, ago=hours(3), url=OTHER_LINK, verdict=Verdict.SCANNER, reasons=("burst",))
    story.happened("second", Opened, ago=hours(3), verdict=Verdict.MACHINE_OPEN, reasons=("known_agent",))
    story.happened("second", Clicked, ago=hours(3), url=LINK, link_position="1", verdict=Verdict.SCANNER)
    story.happened("second", Clicked, ago=hours(3), url=LINK, link_position="1", verdict=Verdict.PREVIEW)
    story.happened("other", Clicked, ago=hours(1), url=OTHER_LINK, link_position="1")
    story.happened("other", Replied, ago=hours(1))
    story.happened("second", Bounced, ago=hours(3), bounce_kind=BounceKind.HARD, reason="mailbox full")
    story.happened("dropped", Dropped, ago=hours(3), reason="bounced before")
    story.sent("theirs", to="c-1", job=NAMED_JOB, campaign=THEIR_CAMPAIGN, organization=THEIRS)
    for _ in range(7):
        story.happened("theirs", Clicked, url="https://example.org/secret", organization=THEIRS)
    return story.logged


def project(database_url, logged, now=NOON):
    """Fold facts into the tables as the projector does, and score every candidate."""
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        ProjectEngagement(PostgresEngagementView(cursor), None, read_agent)(logged)
        cursor.execute("SELECT DISTINCT organization_id, recipient_id FROM email_logs")
        view = PostgresScoresView(cursor)
        known = view.activity_of(cursor.fetchall(), now)
        view.save([ScoredCandidate(candidate=one, score=score_candidate(one.activity, now)) for one in known])

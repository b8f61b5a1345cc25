"""Six weeks of a recruiting team's emails, and what goes on while somebody watches; the seed decides everything."""

from datetime import datetime, timedelta
from random import Random
from typing import Final

import msgspec

from entrypoints.demo.facts import Fact, Kind
from entrypoints.demo.life import HASTY, REAL, life_of, look_again
from entrypoints.demo.team import Campaign, Candidate, SentEmail, Team, gather_team, random_uuid

PERIOD: Final = timedelta(days=42)
EMAILS_PER_CANDIDATE: Final = 2.5
PROVIDERS: Final = {"sendgrid": 62, "ses": 20, "email": 18}
"""Shares of the providers; only the last one, any other system, can report replies."""

_HOURS: Final = {8: 3, 9: 8, 10: 10, 11: 8, 12: 4, 13: 5, 14: 9, 15: 8, 16: 6, 17: 3}
_SETTLED: Final = timedelta(minutes=5)  # nothing is told of the last minutes: they belong to the live part


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent and what happened.

    Attributes:
        now: Aware UTC; everything is before it.
        emails: In the order sent.
        facts: Distinct; unordered.
        strangers: Facts about emails that nobody registers.
    """

    now: datetime
    team: Team
    emails: list[SentEmail]
    facts: list[Fact]
    strangers: list[Fact]


def tell_history(*, seed: int, emails: int, now: datetime) -> Story:
    """Tell the last six weeks.

    Args:
        seed: The same seed, size and moment tell the same story.
        emails: How many were sent; at least 1.
        now: Aware UTC, when the story ends.
    """
    rng = Random(f"history {seed}")
    team = gather_team(rng, candidates=max(1, round(emails / EMAILS_PER_CANDIDATE)))
    correspondence = Correspondence(team, rng)
    pairs = rng.sample(range(len(team.candidates) * len(team.campaigns)), emails)
    sent = sorted(
        (
            correspondence.email(
                team.candidates[pair // len(team.campaigns)],
                team.campaigns[pair % len(team.campaigns)],
                _working_moment(rng, now - _SETTLED),
            )
            for pair in pairs
        ),
        key=lambda email: email.sent_at,
    )
    facts = [fact for email in sent for fact in life_of(email, rng, REAL) if fact.at <= now]
    strange = [
        correspondence.email(rng.choice(team.candidates), rng.choice(team.campaigns), _working_moment(rng, now))
        for _ in range(max(1, emails // 250))
    ]
    strangers = [fact for email in strange for fact in life_of(email, rng, REAL)[:1] if fact.at <= now]
    return Story(now=now, team=team, emails=sent, facts=facts, strangers=strangers)


class Correspondence:
    """Writes emails that a provider could have sent.

    Args:
        team: Who writes to whom.
        rng: Decides what is left open.
        prefix: Stands before every message id, so that no two parts of a story share one.
    """

    def __init__(self, team: Team, rng: Random, prefix: str = "") -> None:
        self._rng = rng
        self._prefix = prefix
        self._recruiters = team.recruiters
        self._jobs = {job.id: job for job in team.jobs}
        self._templates = {template.id: template for template in team.templates}

    def email(self, candidate: Candidate, campaign: Campaign, sent_at: datetime) -> SentEmail:
        """Write to a candidate within a campaign."""
        rng = self._rng
        (provider,) = rng.choices(list(PROVIDERS), list(PROVIDERS.values()))
        return SentEmail(
            provider=provider,
            message_id=self._message_id(provider),
            sent_at=sent_at,
            candidate=candidate,
            recruiter=rng.choice(self._recruiters),
            job=self._jobs[rng.choice(campaign.job_ids)],
            template=self._templates[rng.choice(campaign.template_ids)],
            campaign=campaign,
            campaign_contact_id=random_uuid(rng),
        )

    def _message_id(self, provider: str) -> str:
        word = f"{self._prefix}{self._rng.getrandbits(96):024x}"
        if provider == "ses":
            return f"0102{word}-{random_uuid(self._rng)}-000000"
        return f"{word}@mail.northwind.example" if provider == "email" else word


class LiveStory:
    """Goes on telling, moment by moment, of new emails and of people who come back to old ones.

    Args:
        history: What went before.
        seed: Decides what happens; what moment it happens at is the caller's.
        session: Distinguishes the message ids of one run of the demo from those of another; lower-case hexadecimal.
    """

    def __init__(self, history: Story, *, seed: int, session: str) -> None:
        self._rng = Random(f"live {seed} {session}")
        self._team = history.team
        self._correspondence = Correspondence(history.team, self._rng, prefix=session)
        opened = {fact.email.message_id for fact in history.facts if fact.kind is Kind.OPENED}
        self._opened = [email for email in history.emails if email.message_id in opened]

    def new_email(self, now: datetime) -> tuple[SentEmail, list[Fact]]:
        """Tell of an email sent now, and of all that will happen to it; some of that lies minutes ahead."""
        candidate = max(self._rng.sample(self._team.candidates, min(2, len(self._team.candidates))), key=_interest)
        sent_at = now.replace(microsecond=0)
        email = self._correspondence.email(candidate, self._rng.choice(self._team.campaigns), sent_at)
        return email, life_of(email, self._rng, HASTY)

    def old_email(self, now: datetime) -> list[Fact]:
        """Tell of somebody who comes back to an email of long ago; nothing if none was ever opened."""
        if not self._opened:
            return []
        email = max(self._rng.choices(self._opened, k=3), key=lambda email: email.candidate.interest)
        return look_again(email, self._rng, now)


def _interest(candidate: Candidate) -> float:
    return candidate.interest


def _working_moment(rng: Random, latest: datetime) -> datetime:
    """Give a moment of a working day in the period; mornings and early afternoons are busiest."""
    while True:
        day = latest - timedelta(days=rng.randrange(PERIOD.days))
        (hour,) = rng.choices(list(_HOURS), list(_HOURS.values()))
        at = day.replace(hour=hour, minute=rng.randrange(60), second=rng.randrange(60), microsecond=0)
        if at.weekday() < 5 and at <= latest:  # noqa: PLR2004  Saturday is 5
            return at

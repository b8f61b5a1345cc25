"""Two years of recruiting mail that is not evenly spread over anything: what a dashboard meets in earnest.

A large organisation and a few small ones, one of them in privacy mode; mailings of campaigns that go out within minutes
beside single emails; weekdays, office hours, favourite templates and jobs; Apple's and the gateways' machines.
"""

import heapq
import math
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from domain.email_facts import (
    Bounced,
    Clicked,
    Deferred,
    Delivered,
    EmailFact,
    JobReference,
    Opened,
    Party,
    Personal,
    Replied,
    ReportedFact,
    Sent,
    SpamReported,
    Unsubscribed,
)
from domain.values import BounceKind, Verdict, addressee_id_for
from tests.benchmarks.traffic import AGENTS

SPACE = UUID("5a0f7e0c-3a2b-4a57-8f5e-0d9a3f6b1c77")
DAYS = 725
"""Less than an organisation keeps emails by default."""
EVENTS_PER_EMAIL = 3.5
IN_MAILINGS = 0.7
"""Of all emails; the others are written one by one."""
USUAL_MAILING = 45
_WEEKDAYS = (1.0, 1.1, 1.05, 1.0, 0.7, 0.08, 0.05)
_HOURS = (1, 1, 1, 1, 1, 2, 8, 25, 60, 95, 100, 80, 55, 75, 90, 85, 65, 40, 20, 10, 6, 4, 2, 1)
_MINUTE, _HOUR, _DAY = 60.0, 3_600.0, 86_400.0
_PRIVATE = Personal()


class Happened(NamedTuple):
    """A fact at its place in an email's stream."""

    email_id: UUID
    version: int
    organization_id: UUID
    addressee_id: UUID
    fact: EmailFact


class Organization:
    """Whose mail it is.

    Attributes:
        share: Of all emails.
        is_private: Whether nobody is told who opened and when.
    """

    def __init__(self, name: str, *, share: float, jobs: int, templates: int, is_private: bool = False):
        self.id = uuid5(SPACE, name)
        self.share = share
        self.is_private = is_private
        self.jobs = [
            JobReference(
                id=f"j-{number}",
                title=f"{_TITLES[number % len(_TITLES)]} {number}",
                hiring_manager_id=f"h-{number % 25}",
            )
            for number in range(jobs)
        ]
        self.job_weights = list(accumulate(1 / (rank + 3) for rank in range(jobs)))
        self.templates = [
            Party(id=f"t-{number}", name=f"{_TEMPLATES[number % len(_TEMPLATES)]} {number}")
            for number in range(templates)
        ]
        self.template_weights = list(accumulate(1 / (rank + 1) for rank in range(templates)))


_TITLES = ("Software Engineer", "Nurse", "Sales Manager", "Data Analyst", "Driver", "Accountant", "Electrician")
_TEMPLATES = ("Interview invitation", "First contact", "Reminder", "Offer", "Rejection", "Talent pool", "Event")
_REASONS = ("550 5.1.1 user unknown", "552 5.2.2 mailbox full")
ORGANIZATIONS = (
    Organization("large", share=0.9, jobs=240, templates=40),
    Organization("medium", share=0.06, jobs=40, templates=15),
    Organization("small", share=0.02, jobs=12, templates=8),
    Organization("private", share=0.015, jobs=12, templates=8, is_private=True),
    Organization("tiny", share=0.005, jobs=3, templates=4),
)


def happenings(events: int, *, until: datetime, seed: int = 558) -> Iterator[Happened]:
    """Tell what happened, in the order in which it did.

    Args:
        events: About how many; the same for the same seed.
        until: Aware; nothing happens later.
        seed: Of chance.
    """
    story = _Story(random.Random(seed), max(1, round(events / EVENTS_PER_EMAIL)), until)
    return story.told()


class _Email:
    __slots__ = ("addressee_id", "id", "organization", "sent_at", "version")

    def __init__(self, email_id: UUID, organization: Organization, addressee_id: UUID, sent_at: datetime):
        self.id = email_id
        self.organization = organization
        self.addressee_id = addressee_id
        self.sent_at = sent_at
        self.version = 0


class _Story:
    def __init__(self, chance: random.Random, emails: int, until: datetime):
        self._chance = chance
        self._emails = emails
        self._until = until
        self._people = [max(10, round(emails * one.share / 4)) for one in ORGANIZATIONS]
        self._number = 0
        self._due: list[tuple[datetime, int, _Email, EmailFact]] = []
        self._ties = 0

    def told(self) -> Iterator[Happened]:
        due = self._due
        for day_ends in self._days():
            while due and due[0][0] < day_ends:
                _, _, email, fact = heapq.heappop(due)
                email.version += 1
                yield Happened(email.id, email.version, email.organization.id, email.addressee_id, fact)

    def _days(self) -> Iterator[datetime]:
        """Write a day's emails, then give its end."""
        days = [self._until - timedelta(days=DAYS - number) for number in range(DAYS)]
        weights = [_WEEKDAYS[day.weekday()] * (0.6 + 0.8 * number / DAYS) for number, day in enumerate(days)]
        written, planned, whole = 0, 0.0, sum(weights)
        for day, weight in zip(days, weights, strict=True):
            planned += self._emails * weight / whole
            while written < round(planned):
                written += self._write(day, round(planned) - written)
            yield day + timedelta(days=1)

    def _write(self, day: datetime, most: int) -> int:
        """Write a mailing or a single email on a day; give how many emails that are."""
        chance = self._chance
        (place,) = chance.choices(range(len(ORGANIZATIONS)), [one.share for one in ORGANIZATIONS])
        organization = ORGANIZATIONS[place]
        single = chance.random() < (1 - IN_MAILINGS) / (1 - IN_MAILINGS + IN_MAILINGS / (USUAL_MAILING * math.exp(0.5)))
        number = 1 if single else min(most, max(5, round(chance.lognormvariate(math.log(USUAL_MAILING), 1))))
        (hour,) = chance.choices(range(24), _HOURS)
        start = day.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(
            seconds=hour * _HOUR + chance.random() * _HOUR
        )
        (job,) = chance.choices(organization.jobs, cum_weights=organization.job_weights)
        (template,) = chance.choices(organization.templates, cum_weights=organization.template_weights)
        # A campaign of a job lasts about six weeks.
        campaign = None if single else uuid5(organization.id, f"{job.id} {day.toordinal() // 45}")
        for _ in range(number):
            start += timedelta(seconds=chance.random() * 4)
            self._send(place, start, job, template, campaign)
        return number

    def _send(self, place: int, at: datetime, job: JobReference, template: Party, campaign: UUID | None) -> None:
        chance, organization = self._chance, ORGANIZATIONS[place]
        self._number += 1
        person = int(self._people[place] * chance.random() ** 1.5)
        address = f"candidate{person}@example.com"
        email = _Email(
            UUID(int=chance.getrandbits(128), version=4), organization, addressee_id_for(organization.id, address), at
        )
        self._happens(
            at,
            email,
            Sent(
                organization_id=organization.id,
                provider="sendgrid",
                message_id=f"m{self._number}",
                sent_at=at,
                recorded_at=at,
                subject=f"{template.name}: {job.title}",
                recipient_type="Candidate",
                recipient_id=f"c-{person}",
                sender=Party(id=f"r-{chance.randrange(30)}", name="Ada Recruiter"),
                tracking_id=f"tracking-{self._number:013d}",
                tracking=chance.random() < 0.98,
                job=job,
                template=template,
                campaign_id=campaign,
                campaign_contact_id=uuid5(campaign, str(person)) if campaign else None,
                addressee_id=email.addressee_id,
                personal=Personal(address=address, name=f"Candidate {person}"),
            ),
        )
        self._answer(email, eagerness=0.3 + 0.03 * (int(template.id[2:]) * 7 % 13))

    def _answer(self, email: _Email, eagerness: float) -> None:
        chance = self._chance
        fate = chance.random()
        if fate < 0.03:
            hard = fate < 0.02
            kind = BounceKind.HARD if hard else BounceKind.SOFT
            self._reported(email, 5, Bounced, bounce_kind=kind, reason=_REASONS[not hard])
            return
        if fate < 0.05:
            self._reported(email, 10, Deferred)
        delivered = 15 + chance.random() * 60
        self._reported(email, delivered, Delivered)
        if chance.random() < 0.35:
            self._engaged(email, delivered + 2, Opened, Verdict.MACHINE_OPEN, ("provider_flag",))
        if chance.random() < 0.06:
            for link in range(4):
                self._engaged(email, delivered + 1 + link / 4, Clicked, Verdict.SCANNER, ("burst",), **_link(link))
        if chance.random() < eagerness:
            self._read(email, delivered)
        if chance.random() < 0.003:
            self._reported(email, delivered + _HOUR, SpamReported)

    def _read(self, email: _Email, delivered: float) -> None:
        """Half of all first opens come within six hours, some after weeks."""
        chance = self._chance
        at = delivered + chance.lognormvariate(math.log(6 * _HOUR), 1.6)
        self._engaged(email, at, Opened)
        while chance.random() < 0.4:
            at += chance.expovariate(1 / _DAY)
            self._engaged(email, at, Opened)
        if chance.random() < 0.3:
            self._engaged(email, at + 20, Clicked, **_link(int(4 * chance.random() ** 2)))
            if chance.random() < 0.3:
                self._engaged(email, at + 5 * _MINUTE, Clicked, **_link(chance.randrange(4)))
            if chance.random() < 0.25:
                self._reported(email, at + chance.expovariate(1 / (5 * _HOUR)), Replied)
        if chance.random() < 0.01:
            self._reported(email, at + 40, Unsubscribed)

    def _engaged(
        self,
        email: _Email,
        after_s: float,
        kind: type[Opened | Clicked],
        verdict: Verdict = Verdict.HUMAN,
        reasons: tuple[str, ...] = (),
        **fields: Any,
    ) -> None:
        number = email.addressee_id.int
        who = Personal(
            ip_address=f"93.184.{number % 256}.{number // 256 % 256}", user_agent=AGENTS[number % len(AGENTS)]
        )
        judged: dict[str, Any] = {"verdict": verdict, "reasons": reasons, "rule_version": 1}
        if email.organization.is_private:
            judged |= {
                "withheld": True,
                "occurred_at": email.sent_at,
                "recorded_at": email.sent_at,
                "personal": _PRIVATE,
            }
        self._reported(email, after_s, kind, **({"personal": who} | judged | fields))

    def _reported(self, email: _Email, after_s: float, kind: type[ReportedFact], **fields: Any) -> None:
        at = email.sent_at + timedelta(seconds=after_s)
        if at < self._until:
            times: dict[str, Any] = {"occurred_at": at, "recorded_at": at}
            self._happens(at, email, kind(key=self._chance.randbytes(16), **(times | fields)))

    def _happens(self, at: datetime, email: _Email, fact: EmailFact) -> None:
        self._ties += 1
        heapq.heappush(self._due, (at, self._ties, email, fact))


def _link(number: int) -> dict[str, Any]:
    return {"url": f"https://careers.example.com/jobs/{number}?utm_source=email", "link_position": str(number)}

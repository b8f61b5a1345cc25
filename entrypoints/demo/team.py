"""Who the simulated emails are from, to and about."""

from datetime import datetime
from enum import StrEnum
from random import Random
from typing import Final
from uuid import UUID

import msgspec

SITE: Final = "https://careers.northwind.example"


class Link(msgspec.Struct, frozen=True):
    """A link of a template; its place in the list is its position in the email."""

    path: str
    text: str


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """What an email is written with.

    Attributes:
        pull: Chance that somebody of average interest opens it, 0.0 to 1.0.
        call: Chance that somebody of average interest who opened it follows a link, 0.0 to 1.0.
        links: The most inviting first.
    """

    id: str
    name: str
    pull: float
    call: float
    links: tuple[Link, ...]


class Recruiter(msgspec.Struct, frozen=True):
    """Who sends."""

    id: str
    name: str


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What it is about."""

    id: str
    title: str
    hiring_manager_id: str


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """Emails with one aim."""

    id: UUID
    name: str
    template_ids: tuple[str, ...]
    job_ids: tuple[str, ...]


class MailProgram(StrEnum):
    """Where somebody reads."""

    GMAIL = "gmail"
    APPLE_MAIL = "apple mail"
    APPLE_MAIL_PRIVATE = "apple mail with privacy protection"
    OUTLOOK = "outlook"
    THUNDERBIRD = "thunderbird"
    PHONE = "phone"


class Gateway(StrEnum):
    """How a security gateway goes about links."""

    HASTY = "hasty"
    """Follows all of them at once, behind the agent of an ordinary browser."""
    MICROSOFT = "microsoft"
    """Follows one from Microsoft's network, minutes later, behind the agent of an ordinary browser."""
    NAMED = "named"
    """Says who it is."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Who receives.

    Attributes:
        interest: 0.0 (deletes everything) to 1.0 (wants the job).
        scanned_by: The security gateway that looks at links first, if there is one.
    """

    id: str
    name: str
    email: str
    interest: float
    mail_program: MailProgram
    scanned_by: Gateway | None
    ip_address: str


class SentEmail(msgspec.Struct, frozen=True, kw_only=True):
    """One email, as the team's own system knows it."""

    provider: str
    message_id: str
    sent_at: datetime
    candidate: Candidate
    recruiter: Recruiter
    job: Job
    template: Template
    campaign: Campaign
    campaign_contact_id: UUID

    @property
    def subject(self) -> str:
        """What the candidate reads first."""
        return f"{self.template.name} - {self.job.title}"

    def url(self, position: int) -> str:
        """Where the link at a position leads."""
        return f"{SITE}/{self.template.links[position].path.format(job=self.job.id)}"


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody and everything an email can name."""

    recruiters: tuple[Recruiter, ...]
    jobs: tuple[Job, ...]
    templates: tuple[Template, ...]
    campaigns: tuple[Campaign, ...]
    candidates: tuple[Candidate, ...]


_UNSUBSCRIBE: Final = Link("preferences", "Email preferences")

TEMPLATES: Final = (
    Template(
        id="interview-invite",
        name="Interview Invitation",
        pull=0.68,
        call=0.42,
        links=(
            Link("schedule/{job}", "Choose a time"),
            Link("jobs/{job}", "About the job"),
            Link("office", "How to find us"),
            _UNSUBSCRIBE,
        ),
    ),
    Template(
        id="application-received",
        name="Application Received",
        pull=0.55,
        call=0.15,
        links=(Link("status/{job}", "Check your status"), Link("process", "How we hire"), _UNSUBSCRIBE),
    ),
    Template(
        id="job-alert",
        name="Job Opportunity Alert",
        pull=0.45,
        call=0.35,
        links=(
            Link("jobs/{job}", "View job opening"),
            Link("jobs/{job}", "Apply now"),  # the same address at two positions
            Link("teams", "Meet the team"),
            _UNSUBSCRIBE,
        ),
    ),
    Template(
        id="follow-up-nurture",
        name="Follow-up Nurture",
        pull=0.45,
        call=0.33,
        links=(Link("stories", "A day with us"), Link("jobs/{job}", "Open positions"), _UNSUBSCRIBE),
    ),
    Template(
        id="assessment-reminder",
        name="Assessment Reminder",
        pull=0.6,
        call=0.4,
        links=(Link("assessments/{job}", "Start the assessment"), Link("help", "Get help"), _UNSUBSCRIBE),
    ),
    Template(
        id="offer-follow-up",
        name="Offer Follow-up",
        pull=0.72,
        call=0.38,
        links=(Link("offers/{job}", "Read your offer"), Link("benefits", "Benefits"), _UNSUBSCRIBE),
    ),
)

_RECRUITERS: Final = (
    "Ada Brandt", "Jonas Keller", "Priya Raman", "Miguel Santos", "Hannah Lindqvist", "Tomasz Nowak", "Grace Okafor",
    "Elif Demir",
)  # fmt: skip
_JOBS: Final = (
    "Software Engineer", "Data Engineer", "Site Reliability Engineer", "Product Manager", "UX Designer",
    "Account Executive", "Customer Success Manager", "Finance Analyst", "Warehouse Team Lead", "Electrician",
    "Graduate Trainee", "Nurse Practitioner",
)  # fmt: skip
_HIRING_MANAGERS: Final = 4
_CAMPAIGNS: Final = (
    ("Engineering autumn 2026", ("job-alert", "interview-invite", "assessment-reminder"), (0, 1, 2, 3)),
    ("Graduate programme", ("application-received", "assessment-reminder", "interview-invite"), (4, 10)),
    ("Silver medallists", ("follow-up-nurture", "job-alert"), (0, 3, 5, 6)),
    ("Sales and success", ("job-alert", "application-received", "offer-follow-up"), (5, 6, 7)),
    ("Operations and care", ("application-received", "interview-invite", "follow-up-nurture"), (8, 9, 11)),
)
_FIRST_NAMES: Final = (
    "Amara", "Anton", "Beatriz", "Carl", "Chen", "Clara", "Daniel", "Elena", "Emeka", "Fatima", "Felix", "Greta",
    "Hugo", "Ines", "Ivan", "Jana", "John", "Kavya", "Lars", "Laura", "Leo", "Lucia", "Malik", "Maria", "Mei", "Nadia",
    "Noah", "Olga", "Omar", "Paula", "Rafael", "Rosa", "Samir", "Sara", "Sofia", "Tariq", "Theo", "Uma", "Viktor",
    "Zoe",
)  # fmt: skip
_LAST_NAMES: Final = (
    "Abadi", "Almeida", "Bauer", "Bianchi", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito",
    "Jansen", "Kaya", "Kowalski", "Larsen", "Meyer", "Moreau", "Mwangi", "Novak", "Okoye", "Patel", "Petrov", "Rossi",
    "Santos", "Schmidt", "Silva", "Singh", "Smith", "Tanaka", "Vogel", "Wagner", "Weber", "Yilmaz", "Zhang",
)  # fmt: skip
_SCANNED: Final = 0.06
_HOSTS: Final = ("mail.example", "inbox.example", "post.example.org", "web.example.net")
_GUARDED_HOSTS: Final = ("bank.example.com", "insurance.example.com")  # behind a gateway that follows links
_PROGRAMS: Final = {
    MailProgram.GMAIL: 34,
    MailProgram.APPLE_MAIL_PRIVATE: 22,
    MailProgram.PHONE: 16,
    MailProgram.OUTLOOK: 14,
    MailProgram.APPLE_MAIL: 9,
    MailProgram.THUNDERBIRD: 5,
}


def gather_team(rng: Random, candidates: int) -> Team:
    """Gather the team and this many candidates; the same for the same state of `rng`."""
    jobs = tuple(
        Job(id=f"j-{n + 1}", title=title, hiring_manager_id=f"h-{n % _HIRING_MANAGERS + 1}")
        for n, title in enumerate(_JOBS)
    )
    return Team(
        recruiters=tuple(Recruiter(f"r-{n + 1}", name) for n, name in enumerate(_RECRUITERS)),
        jobs=jobs,
        templates=TEMPLATES,
        campaigns=tuple(
            Campaign(
                id=random_uuid(rng), name=name, template_ids=template_ids, job_ids=tuple(jobs[n].id for n in about)
            )
            for name, template_ids, about in _CAMPAIGNS
        ),
        candidates=tuple(_candidate(rng, n + 1) for n in range(candidates)),
    )


def random_uuid(rng: Random) -> UUID:
    """Give a version 4 UUID that the seed decides."""
    return UUID(int=rng.getrandbits(128), version=4)


def _candidate(rng: Random, number: int) -> Candidate:
    first, last = rng.choice(_FIRST_NAMES), rng.choice(_LAST_NAMES)
    is_scanned = rng.random() < _SCANNED
    host = rng.choice(_GUARDED_HOSTS if is_scanned else _HOSTS)
    (program,) = rng.choices(list(_PROGRAMS), list(_PROGRAMS.values()))
    return Candidate(
        id=f"c-{number}",
        name=f"{first} {last}",
        email=f"{first}.{last}.{number}@{host}".lower(),
        interest=rng.betavariate(0.8, 0.95),
        mail_program=MailProgram.OUTLOOK if is_scanned else program,
        scanned_by=rng.choice(tuple(Gateway)) if is_scanned else None,
        ip_address=f"203.0.113.{rng.randint(1, 254)}" if number % 7 else f"2001:db8::{number:x}",
    )

"""What happens to the emails of a small team, as their two providers report it: news, repetitions, disorder.

The same seed tells the same story, as far as it is told. What a person does is spaced so that nobody takes them for a
machine: minutes between clicks, an address of their own.
"""

import random
import threading
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4, uuid5

SENDGRID, GENERIC = "sendgrid", "email"
OPENED, OPENED_BY_MACHINE, CLICKED, DELIVERED = "opened", "opened by machine", "clicked", "delivered"
BOUNCED, SPAM_REPORTED, UNSUBSCRIBED, REPLIED = "bounced", "spam_reported", "unsubscribed", "replied"
CAMPAIGNS = 3
EMAILS_PER_PROVIDER_TURN = 3  # of three emails the last goes through the generic provider
MOST_PER_POST = 25
REMEMBERED = 400
LINKS = 4
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
_WORDS = {OPENED: "open", CLICKED: "click", DELIVERED: "delivered", BOUNCED: "bounce", UNSUBSCRIBED: "unsubscribe"}
_SENDGRID_WORDS = _WORDS | {OPENED_BY_MACHINE: "open", SPAM_REPORTED: "spamreport"}
_GENERIC_WORDS = _WORDS | {SPAM_REPORTED: "spam", REPLIED: "reply"}


class Report(NamedTuple):
    """One thing that happened.

    Attributes:
        event_id: The provider's own, the same whenever it is reported again.
        link: Number of the link followed; -1 if none was.
    """

    event_id: str
    email: int
    what: str
    at: datetime
    link: int = -1


class Post(NamedTuple):
    """What a provider sends at once."""

    provider: str
    reports: tuple[Report, ...]


class Story:
    """Emails and what is reported about them; any number of threads may listen.

    Args:
        emails: How many there are.
    """

    def __init__(self, emails: int, seed: int):
        self.emails = emails
        self._random = random.Random(seed)
        self._space = uuid4()  # campaigns and contacts are nobody else's, whoever tells the same story
        self._now = datetime.now(UTC).replace(microsecond=0)
        self._told = 0
        self._lately: dict[str, list[Report]] = {SENDGRID: [], GENERIC: []}
        self._once: set[tuple[int, str]] = set()
        self._telling = threading.Lock()

    @property
    def campaigns(self) -> list[UUID]:
        return [uuid5(self._space, f"campaign {number}") for number in range(CAMPAIGNS)]

    def contact_id(self, email: int) -> UUID:
        return uuid5(self._space, f"contact {email}")

    def registration(self, email: int) -> dict:
        """Give an email as ``POST /api/v1/emails`` takes it."""
        return {
            "provider": provider_of(email),
            "message_id": message_id(email),
            "sent_at": self._sent_at(email).isoformat(),
            "subject": "Interview Invitation",
            "recipient": {"id": f"c-{email}", "email": address(email), "name": f"Candidate {email}"},
            "sender": {"id": "r-1", "name": "Ada Recruiter"},
            "campaign_id": str(self.campaigns[email % CAMPAIGNS]),
            "campaign_contact_id": str(self.contact_id(email)),
        }

    def next_post(self) -> Post:
        """Tell a little more."""
        with self._telling:
            return self._next_post()

    def _next_post(self) -> Post:
        provider = self._random.choice((SENDGRID, SENDGRID, GENERIC))
        lately = self._lately[provider]
        news = [self._news(provider) for _ in range(self._random.randint(1, MOST_PER_POST))]
        again = self._random.choices(lately, k=self._random.randint(0, len(news))) if lately else []
        lately += news
        del lately[:-REMEMBERED]
        reports = news + again
        self._random.shuffle(reports)
        return Post(provider, tuple(reports))

    def fresh_open(self) -> Report:
        """Give an open by a person that is in no post, of an email at SendGrid."""
        with self._telling:
            return self._report(0, OPENED)

    def _news(self, provider: str) -> Report:
        email = self._random.randrange(self.emails // EMAILS_PER_PROVIDER_TURN) * EMAILS_PER_PROVIDER_TURN
        email += EMAILS_PER_PROVIDER_TURN - 1 if provider == GENERIC else self._random.randrange(2)
        words = _SENDGRID_WORDS if provider == SENDGRID else _GENERIC_WORDS
        what = self._random.choices((OPENED, CLICKED, DELIVERED, self._random.choice(tuple(words))), (50, 25, 20, 5))[0]
        if what in {OPENED, OPENED_BY_MACHINE, CLICKED}:
            return self._report(email, what)
        if (email, what) in self._once:  # an email arrives, or comes back, once
            return self._report(email, OPENED)
        self._once.add((email, what))
        return self._report(email, what)

    def _report(self, email: int, what: str) -> Report:
        self._told += 1
        # As people go about it: after the delivery, and never two links at once.
        turn = self._told // 1_000 * 15 % 60
        later = (
            timedelta(minutes=10 + 2 * self._told % 100_000, seconds=turn)
            if what != DELIVERED
            else timedelta(minutes=2)
        )
        at = self._sent_at(email) + later
        link = self._random.randrange(LINKS) if what == CLICKED else -1
        return Report(f"event-{self._told}", email, what, at, link)

    def _sent_at(self, email: int) -> datetime:
        return self._now - timedelta(days=80, minutes=email % 1_000)


def provider_of(email: int) -> str:
    return GENERIC if email % EMAILS_PER_PROVIDER_TURN == EMAILS_PER_PROVIDER_TURN - 1 else SENDGRID


def message_id(email: int) -> str:
    return f"message{email:06d}"


def address(email: int) -> str:
    return f"candidate{email}@example.com"


def link_url(link: int) -> str:
    return f"https://careers.example.com/jobs/{link}"


def worded(post: Post) -> list[dict]:
    """Give a post in the words of its provider."""
    return [(_as_sendgrid if post.provider == SENDGRID else _as_generic)(report) for report in post.reports]


def _as_sendgrid(report: Report) -> dict:
    item: dict = {
        "email": address(report.email),
        "timestamp": int(report.at.timestamp()),
        "event": _SENDGRID_WORDS[report.what],
        "sg_event_id": report.event_id,
        "sg_message_id": f"{message_id(report.email)}.recvd-5d8c7b6a9-x2x4z-1-65F0A1B2-1F.0",
    }
    if report.what in {OPENED, OPENED_BY_MACHINE, CLICKED}:
        item |= {"useragent": _AGENT, "ip": _ip_address(report.email)}
    if report.what == OPENED_BY_MACHINE:
        item |= {"useragent": "Mozilla/5.0", "ip": "17.58.0.1", "sg_machine_open": True}
    if report.what == CLICKED:
        item |= {"url": link_url(report.link), "url_offset": {"index": report.link, "type": "html"}}
    if report.what == BOUNCED:
        item |= {"type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 no such user"}
    return item


def _as_generic(report: Report) -> dict:
    item: dict = {
        "event_type": _GENERIC_WORDS[report.what],
        "message_id": message_id(report.email),
        "timestamp": report.at.isoformat(),
        "recipient": address(report.email),
        "event_id": report.event_id,
    }
    if report.what in {OPENED, CLICKED}:
        item |= {"user_agent": _AGENT, "ip_address": _ip_address(report.email)}
    if report.what == CLICKED:
        item |= {"url": link_url(report.link)}
    if report.what == BOUNCED:
        item |= {"bounce_type": "hard", "bounce_reason": "mailbox_does_not_exist"}
    return item


def _ip_address(email: int) -> str:
    return f"93.184.{email // 256}.{email % 256}"

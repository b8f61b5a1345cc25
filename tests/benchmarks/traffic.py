"""A stream of SendGrid reports about registered emails, in which every report is news."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid5

import msgspec

CAMPAIGNS = 5
EVENTS_PER_EMAIL = 5
_NAMESPACE = UUID("6f2f9a52-6d0b-4a44-9d8e-3b7a9c1d5e01")
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:124.0) Gecko/20100101 Firefox/124.0",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
)
_json = msgspec.json.Encoder().encode


class Traffic:
    """Emails of a recruiting team, sent over the last month, and what their recipients did.

    Attributes:
        expected: Of all events so far, by ``delivered`` (emails), ``opens`` and ``clicks`` (human and machine).
    """

    def __init__(self, emails: int, *, name: str = "", seed: int = 558):
        self.emails = emails
        self.expected: Counter[str] = Counter()
        self._name = name
        self._random = random.Random(seed)
        self._now = int(time.time())
        self._delivered: set[int] = set()
        self._events = 0

    @property
    def campaigns(self) -> list[UUID]:
        return [uuid5(_NAMESPACE, f"{self._name} campaign {number}") for number in range(CAMPAIGNS)]

    def registrations(self) -> list[dict]:
        """Give the emails as ``POST /api/v1/emails`` takes them."""
        campaigns = [str(campaign) for campaign in self.campaigns]
        return [
            {
                "provider": "sendgrid",
                "message_id": self._message_id(number),
                "sent_at": datetime.fromtimestamp(self._sent_at(number), UTC).isoformat(),
                "subject": "Interview Invitation - Software Engineer",
                "recipient": {
                    "type": "Candidate",
                    "id": f"c-{number * 2 // 3}",
                    "email": self._address(number),
                    "name": f"Candidate {number}",
                },
                "sender": {"id": f"r-{number % 12}", "name": "Ada Recruiter"},
                "job": {"id": f"j-{number % 20}", "title": "Software Engineer", "hiring_manager_id": "h-2"},
                "template": {"id": f"t-{number % 5}", "name": "Interview Invitation"},
                "campaign_id": campaigns[number % CAMPAIGNS],
                "campaign_contact_id": str(uuid5(_NAMESPACE, f"{self._name} contact {number}")),
            }
            for number in range(self.emails)
        ]

    def events(self, count: int) -> list[dict]:
        """Give the next reports, as SendGrid words them."""
        return [self._event() for _ in range(count)]

    def opens_of(self, numbers: range) -> list[dict]:
        """Give one open by a person for each of these emails."""
        return [self._opened(number, by_machine=False) for number in numbers]

    def bodies(self, posts: int, events_per_post: int) -> Iterator[bytes]:
        """Give webhook bodies."""
        return (_json(self.events(events_per_post)) for _ in range(posts))

    def _event(self) -> dict:
        chance = self._random.random()
        number = self._random.randrange(self.emails)
        if chance < 0.2 and number not in self._delivered:
            return self._delivered_to(number)
        if chance < 0.8:
            return self._opened(number, by_machine=self._random.random() < 0.05)
        return self._clicked(number)

    def _delivered_to(self, number: int) -> dict:
        self._delivered.add(number)
        self.expected["delivered"] += 1
        return self._report(number, "delivered", 2) | {"response": "250 2.0.0 OK", "smtp-id": "<x@ismtpd0001p1lon1>"}

    def _opened(self, number: int, *, by_machine: bool) -> dict:
        self.expected["opens"] += 1
        return self._report(number, "open", self._random.randrange(60, 3_000)) | {
            "useragent": self._random.choice(AGENTS),
            "ip": f"93.184.{number % 256}.{number // 256 % 256}",
            "sg_content_type": "html",
            "sg_machine_open": by_machine,
        }

    def _clicked(self, number: int) -> dict:
        self.expected["clicks"] += 1
        return self._report(number, "click", self._random.randrange(60, 3_000)) | {
            "useragent": self._random.choice(AGENTS[:3]),
            "ip": f"93.184.{number % 256}.{number // 256 % 256}",
            "url": f"https://careers.example.com/jobs/{self._random.randrange(4)}?utm_source=email",
            "url_offset": {"index": self._random.randrange(3), "type": "html"},
        }

    def _report(self, number: int, event: str, seconds_later: int) -> dict:
        self._events += 1
        return {
            "email": self._address(number),
            "timestamp": self._sent_at(number) + seconds_later,
            "event": event,
            "category": ["recruiting"],
            "sg_event_id": f"{self._name}{self._events:012d}ZGVsaXZlcmVk",
            "sg_message_id": f"{self._message_id(number)}.recvd-7b6c8d9f5-abcde-1-65F0A1B2-1F.0",
        }

    def _message_id(self, number: int) -> str:
        return f"{self._name}m{number:08d}"

    def _address(self, number: int) -> str:
        return f"candidate{number}@example{number % 40}.com"

    def _sent_at(self, number: int) -> int:
        return self._now - 3_600 - number * 7919 % (30 * 86_400)

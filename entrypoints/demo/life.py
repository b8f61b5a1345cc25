"""What becomes of one email: how it is delivered, and what machines and people then do with it."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Final

import msgspec

from entrypoints.demo.facts import Bounce, Cause, Fact, Kind
from entrypoints.demo.team import Gateway, MailProgram, SentEmail, random_uuid


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast life goes, in seconds.

    Attributes:
        delivery: Shortest and longest time to delivery.
        first_open: Median time from delivery to the first open.
        reading: Longest time from an open to a click, or from a click to the next or a reply.
        return_after: Median time until somebody looks again.
    """

    delivery: tuple[float, float]
    first_open: float
    reading: float
    return_after: float


REAL: Final = Pace(delivery=(1, 40), first_open=2.5 * 3600, reading=600, return_after=20 * 3600)
HASTY: Final = Pace(delivery=(1, 3), first_open=25, reading=12, return_after=40)
"""For an audience: what takes a day takes a minute."""

_BOUNCES: Final = (
    (
        0.020,
        Bounce(
            kind="hard",
            reason="mailbox_does_not_exist",
            status="5.1.1",
            answer="550 5.1.1 The email account that you tried to reach does not exist",
            ses_type=("Permanent", "General"),
        ),
    ),
    (
        0.010,
        Bounce(
            kind="soft",
            reason="mailbox_full",
            status="4.2.2",
            answer="452 4.2.2 The mailbox is full",
            ses_type=("Transient", "MailboxFull"),
        ),
    ),
    (
        0.006,
        Bounce(
            kind="block",
            reason="spam_content",
            status="5.7.1",
            answer="554 5.7.1 Message rejected as spam",
            ses_type=("Transient", "ContentRejected"),
        ),
    ),
)
_DROPPED: Final = 0.006
_DEFERRED: Final = 0.04
_SPAM_REPORTED: Final = 0.002
_UNSUBSCRIBED: Final = 0.008
_IMAGES_BLOCKED: Final = 0.08
_LOOKS_AGAIN: Final = 0.35
_CLICKS_ANOTHER: Final = 0.3
_REPLIES: Final = 0.25
_FULL_INTEREST: Final = 1.15
_NO_INTEREST: Final = 0.35

_IPHONE: Final = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_MAC: Final = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_CHROME: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
_ANDROID: Final = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"
)
_THUNDERBIRD: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.5.0"
_OUTLOOK: Final = (
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; .NET4.0C; .NET4.0E; "
    "Microsoft Outlook 16.0.5266)"
)
_GMAIL_PROXY: Final = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
_OPENS_WITH: Final = {
    MailProgram.GMAIL: _GMAIL_PROXY,
    MailProgram.APPLE_MAIL: _MAC,
    MailProgram.APPLE_MAIL_PRIVATE: f"{_IPHONE} Mobile/15E148",
    MailProgram.OUTLOOK: _OUTLOOK,
    MailProgram.THUNDERBIRD: _THUNDERBIRD,
    MailProgram.PHONE: _ANDROID,
}
_CLICKS_WITH: Final = {
    MailProgram.GMAIL: _CHROME,
    MailProgram.APPLE_MAIL: f"{_MAC} Version/18.6 Safari/605.1.15",
    MailProgram.APPLE_MAIL_PRIVATE: f"{_IPHONE} Version/18.6 Mobile/15E148 Safari/604.1",
    MailProgram.OUTLOOK: _CHROME,
    MailProgram.THUNDERBIRD: "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
    MailProgram.PHONE: _ANDROID,
}
_PREFETCH_AGENT: Final = "Mozilla/5.0"
_NAMED_GATEWAY: Final = "Mozilla/5.0 (compatible; Barracuda Link Protection/2.0)"
_GATEWAY_ADDRESS: Final = "198.51.100.23"


def life_of(email: SentEmail, rng: Random, pace: Pace) -> list[Fact]:
    """Tell everything that will ever happen to an email, unordered; every email is delivered, comes back or is dropped.

    Args:
        email: Just sent.
        rng: Decides; the same state tells the same life.
        pace: How soon things happen.
    """
    life = _Life(email, rng, pace)
    left_at = email.sent_at + timedelta(seconds=math.ceil(rng.uniform(*pace.delivery)))
    chance = rng.random()
    if chance < _DROPPED:
        return [life.fact(Kind.DROPPED, left_at)]
    chance -= _DROPPED
    for share, bounce in _BOUNCES:
        if chance < share:
            return [life.fact(Kind.BOUNCED, left_at, bounce=bounce)]
        chance -= share
    facts: list[Fact] = []
    delivered_at = left_at
    if rng.random() < _DEFERRED:
        facts.append(life.fact(Kind.DEFERRED, left_at))
        delivered_at += timedelta(seconds=math.ceil(life.around(pace.reading)))
    facts.append(life.fact(Kind.DELIVERED, delivered_at))
    facts += life.of_machines(delivered_at)
    facts += life.of_a_person(delivered_at)
    return facts


def look_again(email: SentEmail, rng: Random, at: datetime) -> list[Fact]:
    """Tell how somebody comes back to an email of long ago: opens it, and perhaps follows a link."""
    life = _Life(email, rng, HASTY)
    opened = life.opened(at)
    return [opened, *life.clicks(at)] if rng.random() < email.template.call else [opened]


class _Life:
    """The life of one email, told piece by piece."""

    def __init__(self, email: SentEmail, rng: Random, pace: Pace) -> None:
        self._email = email
        self._rng = rng
        self._pace = pace
        self._keenness = _NO_INTEREST + _FULL_INTEREST * email.candidate.interest

    def fact(
        self,
        kind: Kind,
        at: datetime,
        *,
        cause: Cause = Cause.PERSON,
        position: int = -1,
        agent: tuple[str, str] = ("", ""),
        bounce: Bounce | None = None,
    ) -> Fact:
        return Fact(
            event_id=str(random_uuid(self._rng)),
            email=self._email,
            kind=kind,
            at=at.replace(microsecond=0),
            cause=cause,
            position=position,
            ip_address=agent[0],
            user_agent=agent[1],
            bounce=bounce,
        )

    def around(self, median_s: float) -> float:
        """Give a duration near a median, seldom much longer."""
        return median_s * self._rng.lognormvariate(0, 0.9)

    def of_machines(self, delivered_at: datetime) -> Iterator[Fact]:
        candidate = self._email.candidate
        if candidate.mail_program is MailProgram.APPLE_MAIL_PRIVATE:
            at = delivered_at + timedelta(seconds=self._rng.randint(2, 20))
            yield self.fact(Kind.OPENED, at, cause=Cause.PREFETCH, agent=("17.58.0.1", _PREFETCH_AGENT))
        at = delivered_at + timedelta(seconds=self._rng.randint(1, 4))
        match candidate.scanned_by:
            case Gateway.HASTY:
                for position in range(len(self._email.template.links)):
                    seconds = timedelta(seconds=position // 2)  # two a second
                    yield self._scanned(at + seconds, position, (_GATEWAY_ADDRESS, _CHROME))
            case Gateway.MICROSOFT:
                later = timedelta(minutes=self._rng.randint(1, 30))  # one link at a time, whenever it has time
                yield self._scanned(at + later, 0, (f"40.107.{self._rng.randint(1, 254)}.9", _CHROME))
            case Gateway.NAMED:
                yield self._scanned(at + timedelta(minutes=2), 0, (_GATEWAY_ADDRESS, _NAMED_GATEWAY))

    def _scanned(self, at: datetime, position: int, agent: tuple[str, str]) -> Fact:
        return self.fact(Kind.CLICKED, at, cause=Cause.SCANNER, position=position, agent=agent)

    def of_a_person(self, delivered_at: datetime) -> Iterator[Fact]:
        rng, template = self._rng, self._email.template
        # A person needs longer than any machine to notice an email.
        seen_at = delivered_at + timedelta(seconds=15 + self.around(self._pace.first_open))
        if rng.random() < _SPAM_REPORTED:
            yield self.fact(Kind.SPAM_REPORTED, seen_at)
            return
        if rng.random() >= min(0.97, template.pull * self._keenness):
            return
        has_images = rng.random() >= _IMAGES_BLOCKED
        if has_images:
            yield self.opened(seen_at)
            while rng.random() < _LOOKS_AGAIN:
                yield self.opened(seen_at + timedelta(seconds=60 + self.around(self._pace.return_after)))
        if rng.random() < min(0.9, template.call * self._keenness**2):
            yield from self.clicks(seen_at)
        if self._email.provider == "email" and rng.random() < _REPLIES * self._keenness:
            yield self.fact(Kind.REPLIED, seen_at + 2 * self._a_while())
        if rng.random() < _UNSUBSCRIBED:
            yield self.fact(Kind.UNSUBSCRIBED, seen_at + self._a_while())

    def opened(self, at: datetime) -> Fact:
        candidate = self._email.candidate
        proxied = candidate.mail_program is MailProgram.GMAIL
        address = "66.249.93.1" if proxied else candidate.ip_address
        return self.fact(Kind.OPENED, at, agent=(address, _OPENS_WITH[candidate.mail_program]))

    def clicks(self, opened_at: datetime) -> Iterator[Fact]:
        candidate = self._email.candidate
        agent = (candidate.ip_address, _CLICKS_WITH[candidate.mail_program])
        at = opened_at + self._a_while()
        inviting = range(len(self._email.template.links) - 1)  # the last one is about preferences
        yield self.fact(Kind.CLICKED, at, position=0, agent=agent)
        while self._rng.random() < _CLICKS_ANOTHER:
            at += self._a_while()
            yield self.fact(Kind.CLICKED, at, position=self._rng.choice(inviting), agent=agent)

    def _a_while(self) -> timedelta:
        return timedelta(seconds=self._rng.uniform(6, 6 + self._pace.reading))  # three links take a person over 10 s

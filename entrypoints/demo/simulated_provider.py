"""Reports facts as providers do: signed, in batches, in any order, and again."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Final
from uuid import UUID

import msgspec

from entrypoints.demo.facts import Fact
from entrypoints.demo.keys import TOPIC_ARN
from entrypoints.demo.payloads import Item, generic_event, sendgrid_event, ses_event, ses_feedback
from entrypoints.demo.signing import Signatures

REPEATS: Final = {1: 70, 2: 19, 3: 7, 4: 3, 5: 1}
"""How often a report is made, and the share of each number."""
LARGEST_BATCH: Final = 100
_BOTH_SES_FORMATS: Final = 0.3


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request to a webhook endpoint; it may be sent any number of times.

    Attributes:
        reports: How many reports it carries.
        repeats: How many of them were carried by an earlier post as well.
    """

    provider: str
    post_id: str
    body: bytes
    reports: int
    repeats: int = 0


class SimulatedProvider:
    """SendGrid, SES and any other system, as their receiver meets them.

    Args:
        signatures: Prove who posts.
        rng: Decides about order, batches and repetition.
    """

    def __init__(self, signatures: Signatures, rng: Random) -> None:
        self._signatures = signatures
        self._rng = rng

    def report(self, facts: Iterable[Fact]) -> list[Post]:
        """Report facts as untidily as providers do: each one to five times, shuffled, in batches of 1 to 100."""
        numbers, shares = list(REPEATS), list(REPEATS.values())
        reports = [fact for fact in facts for _ in range(self._rng.choices(numbers, shares)[0])]
        self._rng.shuffle(reports)
        posts = list(self.report_once_each(reports))
        self._rng.shuffle(posts)
        return posts

    def report_once_each(self, reports: Sequence[Fact]) -> Iterator[Post]:
        """Report in the order given, in batches of 1 to 100; who occurs twice is reported twice.

        SES posts every report alone; the same one again is the same post again, and what both of its formats can
        tell comes in both now and then.
        """
        yield from self._batches("sendgrid", sendgrid_event, _of("sendgrid", reports))
        yield from self._batches("email", generic_event, _of("email", reports))
        published: dict[str, Post] = {}
        for fact in _of("ses", reports):
            if post := published.get(fact.event_id):
                yield msgspec.structs.replace(post, repeats=1)
                continue
            post = published[fact.event_id] = self._sns(fact.event_id, ses_event(fact), fact.at)
            yield post
            older = ses_feedback(fact) if self._rng.random() < _BOTH_SES_FORMATS else None
            if older:
                yield msgspec.structs.replace(self._sns(self._uuid(), older, fact.at), repeats=1)

    def test_posts(self) -> list[Post]:
        """Give what the providers' test buttons send: about no email at all, or plain words."""
        example = {
            "email": "example@test.com",
            "timestamp": int(datetime.now(UTC).timestamp()),
            "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
            "event": "processed",
            "category": ["cat facts"],
        }
        notice = "Successfully validated SNS topic for Amazon SES event publishing."
        return [
            Post(provider="sendgrid", post_id=self._uuid(), body=_json([example]), reports=1),
            self._sns(self._uuid(), notice, datetime.now(UTC)),
        ]

    def headers(self, post: Post, *, now: datetime) -> dict[str, str]:
        """Give the headers with which to send a post now."""
        return self._signatures.headers(post.provider, post.body, post_id=post.post_id, now=now)

    def _batches(self, provider: str, put: Callable[[Fact], Item], reports: list[Fact]) -> Iterator[Post]:
        seen: set[str] = set()
        start = 0
        while start < len(reports):
            batch = reports[start : start + self._rng.randint(1, LARGEST_BATCH)]
            start += len(batch)
            repeats = 0
            for fact in batch:
                repeats += fact.event_id in seen
                seen.add(fact.event_id)
            body = _json([put(fact) for fact in batch])
            yield Post(provider=provider, post_id=self._uuid(), body=body, reports=len(batch), repeats=repeats)

    def _sns(self, message_id: str, message: Item | str, at: datetime) -> Post:
        fields = {
            "Type": "Notification",
            "MessageId": message_id,
            "TopicArn": TOPIC_ARN,
            "Message": message if isinstance(message, str) else json.dumps(message),
            "Timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        }
        body = self._signatures.sns_envelope(fields, self._rng.choice("12"))
        return Post(provider="ses", post_id=message_id, body=body, reports=1)

    def _uuid(self) -> str:
        return str(UUID(int=self._rng.getrandbits(128), version=4))


def _of(provider: str, reports: Sequence[Fact]) -> list[Fact]:
    return [fact for fact in reports if fact.email.provider == provider]


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()

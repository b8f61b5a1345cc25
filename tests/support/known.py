"""What is known about one email, worked out from its facts in another way than rows are, to compare with those."""

from datetime import datetime

import msgspec

from domain.email_facts import (
    Bounced,
    Clicked,
    Deferred,
    Delivered,
    Dropped,
    Opened,
    Rejudged,
    Replied,
    SpamReported,
    Unsubscribed,
)
from domain.values import BounceKind

GRAVEST_FIRST = [BounceKind.HARD, BounceKind.BLOCK, BounceKind.SOFT]


class Known(msgspec.Struct, kw_only=True, frozen=True):
    """First times, the bounce that counts, and what people and machines did; named as the columns of `email_logs`.

    Attributes:
        opened_at: Of the earliest open by a person; withheld ones have no time.
        clicked_at: Of the earliest click by a person; withheld ones have no time.
        bounced_at: Of the gravest bounce, then the earliest.
        links_clicked: URL and position of each link that people followed (BR-558.3).
    """

    delivered_at: datetime | None
    deferred_at: datetime | None
    opened_at: datetime | None
    open_count: int
    machine_open_count: int
    clicked_at: datetime | None
    click_count: int
    scanner_click_count: int
    links_clicked: frozenset[tuple[str, str]]
    bounced_at: datetime | None
    bounce_type: BounceKind | None
    bounce_reason: str | None
    dropped_at: datetime | None
    spam_reported_at: datetime | None
    unsubscribed_at: datetime | None
    replied_at: datetime | None
    reply_count: int

    @property
    def unique_click_count(self):
        return len(self.links_clicked)


KNOWN = [*(name for name in Known.__struct_fields__ if name != "links_clicked"), "unique_click_count"]
"""What rows tell as well."""


def known_of(facts):
    """Tell what is known by the facts of one email, in stream order."""
    verdicts = _verdicts_in_the_end(facts)
    of_people, counted_apart = ([], []), ([], [])
    for fact in facts:
        if isinstance(fact, Opened | Clicked):
            verdict = verdicts[fact.key]
            if verdict.is_human:
                of_people[isinstance(fact, Clicked)].append(fact)
            elif verdict.is_counted_apart:
                counted_apart[isinstance(fact, Clicked)].append(fact)
    opens, clicks = of_people
    bounced = _counting_bounce(facts)
    return Known(
        delivered_at=_first(_of(Delivered, facts)),
        deferred_at=_first(_of(Deferred, facts)),
        opened_at=_first(opens),
        open_count=len(opens),
        machine_open_count=len(counted_apart[0]),
        clicked_at=_first(clicks),
        click_count=len(clicks),
        scanner_click_count=len(counted_apart[1]),
        links_clicked=frozenset((fact.url, fact.link_position) for fact in clicks),
        bounced_at=bounced and bounced.occurred_at,
        bounce_type=bounced and bounced.bounce_kind,
        bounce_reason=(bounced and bounced.reason) or None,
        dropped_at=_first(_of(Dropped, facts)),
        spam_reported_at=_first(_of(SpamReported, facts)),
        unsubscribed_at=_first(_of(Unsubscribed, facts)),
        replied_at=_first(_of(Replied, facts)),
        reply_count=len(_of(Replied, facts)),
    )


def news_of(message):
    """Take the facts that an email decided on since they were last collected."""
    return [recorded.fact for recorded in message.collect_events()]


def _verdicts_in_the_end(facts):
    verdicts = {}
    for fact in facts:
        if isinstance(fact, Opened | Clicked):
            verdicts[fact.key] = fact.verdict
        elif isinstance(fact, Rejudged):
            verdicts |= {judgement.key: judgement.verdict for judgement in fact.judgements}
    return verdicts


def _counting_bounce(facts):
    def rank(bounced):
        return GRAVEST_FIRST.index(bounced.bounce_kind), bounced.occurred_at, bounced.reason

    return min(_of(Bounced, facts), key=rank, default=None)


def _of(kind, facts):
    return [fact for fact in facts if isinstance(fact, kind)]


def _first(facts):
    """Give the earliest time; an open or a click that was withheld tells none."""
    times = [fact.occurred_at for fact in facts if not (fact.withheld and isinstance(fact, Opened | Clicked))]
    return min(times, default=None)

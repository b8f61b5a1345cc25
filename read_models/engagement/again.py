"""Emails that later facts show in a new light: judged anew or erased, they are folded again from their whole streams.

Source:
    BR-558.7: totals, scores and link statistics follow a revised verdict; SEC-6: rows forget whom a person had erased.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from domain.email_facts import NOBODY, Engagement, Fact, Rejudged, Rejudgement, Sent, addressee_of
from domain.recipient_facts import Erased
from read_models.engagement.view import EngagementView
from read_models.events import EventLog, LoggedFact

MOST_FACTS_FOLDED_AGAIN: Final = 50_000
"""In one transaction: what they become is held in memory. What does not fit is left for the next transaction."""

_MARKS: Final[frozenset[type[Any]]] = frozenset({Rejudged, Erased})

F = TypeVar("F", bound=Fact)


class Again(msgspec.Struct, frozen=True):
    """Which emails are folded again.

    Attributes:
        taken: How many facts of the batch may be folded at once.
        emails: For each email the place of the fact that erased its recipient; ``None`` if none of these facts did.
    """

    taken: int
    emails: Mapping[UUID, int | None] = {}


def to_fold_again(batch: Sequence[LoggedFact], view: EngagementView, log: EventLog) -> Again:
    """Find the emails that facts of a batch show in a new light."""
    marks = [(n, logged) for n, logged in enumerate(batch) if type(logged.fact) in _MARKS]
    if not marks:
        return Again(len(batch))
    erased = {logged.stream_id: logged.place for _, logged in marks if type(logged.fact) is Erased}
    known = _emails_to(erased, view)
    taken = _as_many_as_fit(marks, known, log) or len(batch)
    emails: dict[UUID, int | None] = {
        logged.stream_id: None for n, logged in marks if n < taken and type(logged.fact) is Rejudged
    }
    erased = {logged.stream_id: logged.place for n, logged in marks if n < taken and type(logged.fact) is Erased}
    if erased:
        for logged in batch[:taken]:
            if isinstance(logged.fact, Sent) and logged.place < erased.get(addressee_of(logged.fact), 0):
                emails[logged.stream_id] = erased[addressee_of(logged.fact)]
        for addressee_id, place in erased.items():
            emails |= dict.fromkeys(known[addressee_id], place)
    return Again(taken, emails)


def _emails_to(erased: Mapping[UUID, int], view: EngagementView) -> dict[UUID, list[UUID]]:
    known: dict[UUID, list[UUID]] = {addressee_id: [] for addressee_id in erased}
    if erased:
        for email_id, addressee_id in view.emails_to(erased.keys()).items():
            known[addressee_id].append(email_id)
    return known


def _as_many_as_fit(
    marks: Sequence[tuple[int, LoggedFact]], known: Mapping[UUID, Sequence[UUID]], log: EventLog
) -> int | None:
    """Give the number of facts before the mark that is too much; ``None`` if none is."""
    meant = [known.get(logged.stream_id, ()) or [logged.stream_id] for _, logged in marks]
    lengths = log.lengths({email_id for emails in meant for email_id in emails})
    counted: set[UUID] = set()
    total = 0
    for (n, _), emails in zip(marks, meant, strict=True):
        total += sum(lengths.get(email_id, 0) for email_id in emails if email_id not in counted)
        if total > MOST_FACTS_FOLDED_AGAIN and counted:
            return n
        counted.update(emails)
    return None


def as_known_by_now(stream: Sequence[LoggedFact], *, erased: bool) -> Iterator[LoggedFact]:
    """Give an email's facts, each with the verdict that holds in the end; nameless if the recipient was erased."""
    revised: dict[bytes, tuple[Rejudgement, int]] = {}
    for logged in stream:
        if isinstance(logged.fact, Rejudged):
            revised |= {judged.key: (judged, logged.fact.rule_version) for judged in logged.fact.judgements}
    for logged in stream:
        fact = logged.fact
        if isinstance(fact, Engagement) and fact.key in revised:
            judged, rule_version = revised[fact.key]
            fact = msgspec.structs.replace(
                fact,
                verdict=judged.verdict,
                reasons=judged.reasons,
                confidence=judged.confidence,
                rule_version=rule_version,
            )
        if erased and isinstance(fact, Sent):
            fact = msgspec.structs.replace(fact, personal=NOBODY, subject="", addressee_id=addressee_of(fact))
        yield logged if fact is logged.fact else LoggedFact(logged.place, logged.stream_id, fact)


def judged_anew_at(stream: Sequence[LoggedFact]) -> list[datetime]:
    """Tell when an email's facts were judged anew; of withheld ones not even that is told (BR-558.8)."""
    facts = [logged.fact for logged in stream]
    shown = {fact.key for fact in facts if isinstance(fact, Engagement) and not fact.withheld}
    return [
        fact.recorded_at
        for fact in facts
        if isinstance(fact, Rejudged) and any(judged.key in shown for judged in fact.judgements)
    ]


def nameless(fact: F) -> F:
    """Give what a fact tells about an erased recipient: that it happened."""
    return msgspec.structs.replace(fact, personal=NOBODY, metadata=None)

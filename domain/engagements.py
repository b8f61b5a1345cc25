"""The opens and clicks of one email, as they are judged now."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, TypeAlias

import msgspec

from domain.commands import RecordClick, RecordOpen
from domain.email_facts import NOBODY, Clicked, Opened, Personal, Rejudgement
from domain.policies.detection.bursts import Link
from domain.policies.detection.detection import Detection
from domain.policies.detection.judgement import Impression, Judgement, Reason, impression_kept
from domain.policies.detection.neighbours import REACH, Circumstances, Observation, episode, judgement_alone
from domain.policies.detection.solitude import Glance, may_compare
from domain.values import Verdict

Kept: TypeAlias = Opened | Clicked
PersonalOf: TypeAlias = Callable[[Kept], Personal]

_FETCHES_NO_IMAGES: Final = frozenset({Verdict.SCANNER, Verdict.PREVIEW, Verdict.SELF})
_COMPARED: Final = frozenset({Reason.AFTER_CERTAIN_HIT, Reason.ECHOED_CLICK})
"""Reasons that rest on addresses and agents of two engagements."""
_BY_OTHERS: Final = _COMPARED | {Reason.LINK_BURST}
"""Reasons that rest on other engagements."""


class Engagements:
    """Opens and clicks with their judgements, which depend on the set of them and not on the order of arrival."""

    __slots__ = (
        "_all_in_doubt",
        "_are_opens_of_people",
        "_facts",
        "_in_doubt",
        "_observed",
        "_personal_of",
        "_revised",
    )

    def __init__(self) -> None:
        self._facts: dict[bytes, Kept] = {}
        self._revised: dict[bytes, Judgement] = {}
        self._observed: dict[bytes, Observation] = {}
        self._in_doubt: set[bytes] = set()
        self._all_in_doubt = False
        self._are_opens_of_people = True
        self._personal_of: PersonalOf = _as_kept

    def __bool__(self) -> bool:
        return bool(self._facts)

    def keep(self, fact: Kept) -> None:
        """Take the next fact of the stream."""
        self._facts[fact.key] = fact
        if self._are_opens_of_people and (isinstance(fact, Clicked) or not fact.verdict.is_human):
            self._are_opens_of_people = False

    def revise(self, judgements: Sequence[Rejudgement]) -> None:
        """Judge kept facts as the stream says they are judged from now on."""
        for revised in judgements:
            self._revised[revised.key] = Judgement(revised.verdict, revised.reasons, revised.confidence)
            self._observed.pop(revised.key, None)
        self._are_opens_of_people = False

    def reveal(self, personal_of: PersonalOf) -> None:
        """Give the means to learn addresses and agents of kept facts; few are ever asked for."""
        self._personal_of = personal_of

    def observe(self, report: RecordOpen | RecordClick, key: bytes, impression: Impression) -> None:
        """Look at an open or a click that was just kept with all that its report told; less of it may be kept."""
        self._observed[key] = Observation(
            at=report.occurred_at,
            key=key,
            link=_link_of(self._facts[key]),
            ip_address=report.ip_address,
            user_agent=report.user_agent,
            impression=impression,
        )
        if impression.verdict is not None and not impression.verdict.is_human:
            self._are_opens_of_people = False
        self._in_doubt.add(key)

    def doubt_all(self) -> None:
        """Judge all of them again: what is known of the email changed."""
        self._all_in_doubt = True

    def look_again(self, detection: Detection) -> None:
        """Judge all of them again by other rules, as far as what is kept of them allows."""
        for key, fact in self._facts.items():
            if not fact.withheld:
                seen = self._observation(fact)
                address = seen.ip_address or self._personal_of(fact).ip_address  # a part tells its network, too
                impression = detection.impression_anew(
                    seen.impression, seen.user_agent, address, is_click=seen.link is not None
                )
                self._observed[key] = msgspec.structs.replace(seen, impression=impression)
        self.doubt_all()

    def settle(self, *, sent_at: datetime, delivered_at: datetime | None, links: int = 0) -> list[Rejudgement]:
        """Judge what is in doubt, and what is near it in time.

        Args:
            sent_at: Aware UTC.
            delivered_at: Aware UTC; ``None`` if nobody told.
            links: How many the email has; 0 if nobody told.

        Returns:
            What is judged for the first time, or differently than before.
        """
        if not (self._in_doubt or (self._all_in_doubt and self._facts)):
            return []
        if self._are_opens_of_people and not self._all_in_doubt:
            changed = self._opens_alone()
        else:
            changed = self._settled(sent_at, delivered_at, links)
        self._in_doubt.clear()
        self._all_in_doubt = False
        return changed

    def _opens_alone(self) -> list[Rejudgement]:
        """Judge opens beside which there is nothing that a rule compares them with: half of what comes in."""
        changed: list[Rejudgement] = []
        for key in self._in_doubt:
            self._judge(key, self._observed[key].impression.judgement(is_click=False), changed)
        return changed

    def _settled(self, sent_at: datetime, delivered_at: datetime | None, links: int) -> list[Rejudgement]:
        glances: list[Glance] = []
        first_open_before = first_open_at = None
        has_known_click = rests_on_others = False
        clicks = hits = 0
        for key, fact in self._facts.items():  # for every report that comes: no calls that can be spared
            is_news = key in self._in_doubt
            if (seen := self._observed.get(key)) is not None:
                at, is_click, verdict = seen.at, seen.link is not None, seen.impression.verdict
            else:
                at, is_click, verdict = fact.occurred_at, isinstance(fact, Clicked), None
                if not fact.withheld and (reasons := (judged := self._revised.get(key) or fact).reasons):
                    verdict = impression_kept(judged.verdict, reasons).verdict
                    rests_on_others = rests_on_others or not _BY_OTHERS.isdisjoint(reasons)
            if is_click:
                clicks += 1
                has_known_click = has_known_click or not is_news
            elif verdict is None or verdict not in _FETCHES_NO_IMAGES:
                if first_open_at is None or at < first_open_at:
                    first_open_at = at
                if not is_news and (first_open_before is None or at < first_open_before):
                    first_open_before = at
            if verdict is not None and not verdict.is_human:
                hits += 1
            if seen is not None or not fact.withheld:
                glances.append((at, is_click, verdict, is_news))
        email = Circumstances(sent_at=sent_at, delivered_at=delivered_at, first_open_at=first_open_at, links=links)
        everything = self._all_in_doubt or (has_known_click and first_open_at != first_open_before)
        if (rests_on_others and everything) or ((hits or clicks > 1) and may_compare(glances, everything=everything)):
            return self._compared(email, everything=everything)
        return self._each_alone(email, everything=everything)

    def _each_alone(self, email: Circumstances, *, everything: bool) -> list[Rejudgement]:
        """Judge where no two engagements are near enough for any rule: nobody's address is asked for."""
        changed: list[Rejudgement] = []
        for key in self._facts if everything else self._in_doubt:
            one = self._observed.get(key)
            if one is None:
                fact = self._facts[key]
                if fact.withheld or not isinstance(fact, Clicked):
                    continue  # what is known of an open by itself does not change with the email
                one = self._observation_of(fact, fact.personal)
            self._judge(key, judgement_alone(one, email), changed)
        return changed

    def _compared(self, email: Circumstances, *, everything: bool) -> list[Rejudgement]:
        facts = [(self._at(fact), key) for key, fact in self._facts.items() if self._is_comparable(fact)]
        facts.sort()
        changed: list[Rejudgement] = []
        for near in _episodes(facts):
            if everything or not self._in_doubt.isdisjoint(near):
                seen = [self._observation(self._facts[key]) for key in near]
                for key, judgement in zip(near, episode(seen, email), strict=True):
                    self._judge(key, judgement, changed)
        return changed

    def _at(self, fact: Kept) -> datetime:
        observed = self._observed.get(fact.key)
        return fact.occurred_at if observed is None else observed.at

    def judgement_of(self, fact: Kept) -> Judgement:
        """Say how a kept fact is judged now."""
        return self._revised.get(fact.key) or Judgement(fact.verdict, fact.reasons, fact.confidence)

    def _is_comparable(self, fact: Kept) -> bool:
        return not fact.withheld or fact.key in self._observed

    def _observation(self, fact: Kept) -> Observation:
        if observed := self._observed.get(fact.key):
            return observed
        return self._observation_of(fact, self._personal_of(fact))

    def _observation_of(self, fact: Kept, personal: Personal) -> Observation:
        judged = self.judgement_of(fact)
        # What was never told is no loss: whatever was judged without it can be judged so again.
        is_gone = personal.is_ip_address_cut or personal == NOBODY
        rests_on_what_is_gone = is_gone and not _COMPARED.isdisjoint(judged.reasons)
        return Observation(
            at=fact.occurred_at,
            key=fact.key,
            link=_link_of(fact),
            ip_address="" if personal.is_ip_address_cut else personal.ip_address or personal.hidden_ip_address,
            user_agent=personal.user_agent,
            impression=impression_kept(judged.verdict, judged.reasons),
            standing=judged if rests_on_what_is_gone else None,
        )

    def _judge(self, key: bytes, judgement: Judgement, changed: list[Rejudgement]) -> None:
        if key not in self._in_doubt:
            known = self.judgement_of(self._facts[key])
            if not _differs(judgement, known):
                return
        self._revised[key] = judgement
        changed.append(Rejudgement(key, judgement.verdict, judgement.reasons, judgement.confidence))


def _differs(judgement: Judgement, known: Judgement) -> bool:
    """Whether a fact is worth it: a person who is seen in another light, and is still a person, is none."""
    if judgement.verdict is known.verdict and judgement.verdict.is_human:
        return False
    return (judgement.verdict, judgement.reasons) != (known.verdict, known.reasons)


def _link_of(fact: Kept) -> Link | None:
    return (fact.url, fact.link_position) if isinstance(fact, Clicked) else None


def _as_kept(fact: Kept) -> Personal:
    return fact.personal


def _episodes(facts: Sequence[tuple[datetime, bytes]]) -> list[list[bytes]]:
    """Part facts, in the order of their times, where nothing happened for so long that no rule reaches over."""
    episodes: list[list[bytes]] = []
    last: datetime | None = None
    for at, key in facts:
        if last is not None and at - last <= REACH:
            episodes[-1].append(key)
        else:
            episodes.append([key])
        last = at
    return episodes

"""Telling people from machines.

Source:
    BR-558.7 Bot detection: exclude known email security scanners; nothing is dropped, everything is judged.
"""

from typing import Final

import msgspec

from domain.commands import RecordClick, RecordOpen
from domain.values import Verdict

RULE_VERSION: Final = 1


class Judgement(msgspec.Struct, frozen=True):
    """Who is thought to have caused an open or a click.

    Attributes:
        verdict: Decides whether it counts as human.
        reasons: Names of the rules that fired, empty for an unsuspicious report.
        confidence: 0.0 to 1.0.
    """

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    confidence: float = 1.0


UNSUSPICIOUS: Final = Judgement(Verdict.HUMAN, confidence=0.5)


def judge_open(report: RecordOpen) -> Judgement:
    """Judge an open by what its provider says about it."""
    return _by_provider(report)


def judge_click(report: RecordClick) -> Judgement:
    """Judge a click by what its provider says about it."""
    return _by_provider(report)


def _by_provider(report: RecordOpen | RecordClick) -> Judgement:
    if report.provider_verdict is None:
        return UNSUSPICIOUS
    return Judgement(report.provider_verdict, ("provider_flag",))

"""Reads what our own pixel, links and unsubscribe pages reported."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Final, TypedDict

import msgspec

from adapters.payloads.fields import USER_AGENT_CUT
from application.first_party_reports import PROVIDER, FirstPartyReport
from application.ports.provider import AboutEmail, MalformedDeliveryError, Outcome
from domain.commands import AnyReport, RecordClick, RecordOpen, RecordUnsubscribe
from domain.values import Signal

_decode: Final = msgspec.json.Decoder(FirstPartyReport).decode


class FirstParty:
    """See `application.ports.provider.Translator`."""

    name: ClassVar[str] = PROVIDER

    def translate(self, headers: Mapping[str, str], body: bytes) -> list[Outcome]:
        del headers
        try:
            report = _decode(body)
        except msgspec.DecodeError as error:
            raise MalformedDeliveryError("this is no report of our own links") from error
        return [AboutEmail(report.email_id, _command(report), report.viewer)]


class _Fact(TypedDict):
    message_id: str
    recipient: str
    occurred_at: datetime
    event_id: str


class _Engagement(_Fact):
    ip_address: str
    user_agent: str
    signals: tuple[Signal, ...]
    without_details: bool


def _command(report: FirstPartyReport) -> AnyReport:
    match report.kind:
        case "open":
            return RecordOpen(**_engagement(report))
        case "click":
            return RecordClick(
                **_engagement(report), url=report.url, link_position=report.position, link_text=report.text
            )
        case "unsubscribe":
            return RecordUnsubscribe(**_fact(report))


def _engagement(report: FirstPartyReport) -> _Engagement:
    return {
        **_fact(report),
        "ip_address": report.ip_address,
        "user_agent": report.user_agent[:USER_AGENT_CUT],
        "signals": report.signals,
        "without_details": report.without_details,
    }


def _fact(report: FirstPartyReport) -> _Fact:
    return {"message_id": "", "recipient": "", "occurred_at": report.occurred_at, "event_id": report.request_id}

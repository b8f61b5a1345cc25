"""Reads what our own pixel, links and unsubscribe pages reported."""

from collections.abc import Mapping
from typing import ClassVar, Final

import msgspec

from adapters.payloads.fields import USER_AGENT_CUT
from application.first_party_reports import PROVIDER, FirstPartyReport
from application.ports.provider import AboutEmail, MalformedDeliveryError, Outcome
from domain.commands import AnyReport, RecordClick, RecordOpen, RecordUnsubscribe

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


def _command(report: FirstPartyReport) -> AnyReport:
    match report.kind:
        case "open":
            return RecordOpen(
                message_id="",
                recipient="",
                occurred_at=report.occurred_at,
                event_id=report.request_id,
                ip_address=report.ip_address,
                user_agent=report.user_agent[:USER_AGENT_CUT],
                signals=report.signals,
                without_details=report.without_details,
            )
        case "click":
            return RecordClick(
                message_id="",
                recipient="",
                occurred_at=report.occurred_at,
                event_id=report.request_id,
                url=report.url,
                link_position=report.position,
                link_text=report.text,
                ip_address=report.ip_address,
                user_agent=report.user_agent[:USER_AGENT_CUT],
                signals=report.signals,
                without_details=report.without_details,
            )
        case "unsubscribe":
            return RecordUnsubscribe(
                message_id="", recipient="", occurred_at=report.occurred_at, event_id=report.request_id
            )

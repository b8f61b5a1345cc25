"""Take in what readers of instrumented emails do, and let them have what they came for, whatever is away."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from secrets import token_hex
from typing import Final, Literal

import msgspec

from application.first_party_reports import NO_ENDPOINT, PROVIDER, FirstPartyReport
from application.ports.clock import Clock
from application.ports.inbox_intake import ProvenDelivery
from application.ports.report_spool import ReportSpool
from application.ports.tracking_tokens import BrokenTokenError, EmailReference, TrackedLink, TrackingTokens
from application.tokens import hash_of
from domain.values import Signal
from domain.web_addresses import web_address

AGENT_CUT: Final = 1024
_PREFETCH_HEADERS: Final = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_PREFETCH_WORDS: Final = ("prefetch", "prerender", "preview")

_encode: Final = msgspec.json.Encoder().encode


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a pixel, a link or an unsubscription.

    Attributes:
        method: GET, HEAD or POST.
        headers: Lower-case names.
        client: Address it comes from; ``None`` if that cannot be told.
        correlation_id: Follows it into logs.
        session: What the browser keeps of being signed in here; "" of nearly everybody. Not kept: a hash of it goes
            along until it is known whose it is.
    """

    method: str
    headers: Mapping[str, str]
    client: IPv4Address | IPv6Address | None
    correlation_id: str
    session: str = ""


class ReceiveEngagement:
    """Serves our own links; one instance serves every request of a process.

    What is reported goes the way of every provider's reports: inbox, drain, the email's decision.

    Args:
        tokens: Read what links carry.
        spool: Keeps reports without the database.
        clock: Gives aware UTC.

    Source:
        TRUST.md, tokens; BR-558.7 and DETECTION.md, rule 2; RFC 8058.
    """

    def __init__(self, tokens: TrackingTokens, spool: ReportSpool, clock: Clock) -> None:
        self._tokens = tokens
        self._spool = spool
        self._clock = clock

    def open(self, token: str, visit: Visit) -> None:
        """Report that an email was displayed, or its images fetched.

        Raises:
            BrokenTokenError: It is no email's pixel.
            ReportLostError: Not kept; the pixel can be answered all the same.
        """
        self._keep("open", self._tokens.read_open(token), visit)

    def target_of(self, token: str) -> tuple[EmailReference, TrackedLink]:
        """Give where a link leads: exactly where its author meant.

        Raises:
            BrokenTokenError: Nowhere.
        """
        email, link = self._tokens.read_click(token)
        if web_address(link.url) != link.url:
            raise BrokenTokenError("a link leads to web pages only")
        return email, link

    def click(self, email: EmailReference, link: TrackedLink, visit: Visit) -> None:
        """Report that a link was followed.

        Raises:
            ReportLostError: Not kept; the reader can be sent on all the same.
        """
        self._keep("click", email, visit, link)

    def recipient_of(self, token: str) -> EmailReference:
        """Say whose recipient could unsubscribe; changes nothing.

        Raises:
            BrokenTokenError: Nobody's.
        """
        return self._tokens.read_unsubscribe(token)

    async def unsubscribe(self, token: str, visit: Visit) -> None:
        """Report that the recipient wants no more email, and return once that outlives a power cut.

        Raises:
            BrokenTokenError: It is nobody's token.
            ReportLostError: Not kept: the recipient has to be told.
        """
        await self._spool.durable(self._keep("unsubscribe", self._tokens.read_unsubscribe(token), visit))

    def _keep(
        self,
        kind: Literal["open", "click", "unsubscribe"],
        email: EmailReference,
        visit: Visit,
        link: TrackedLink | None = None,
    ) -> int:
        now = self._clock()
        report = FirstPartyReport(
            kind=kind,
            email_id=email.email_id,
            request_id=token_hex(8),
            occurred_at=now,
            ip_address="" if visit.client is None else str(visit.client),
            user_agent=visit.headers.get("user-agent", "").replace("\x00", "")[:AGENT_CUT],
            signals=signals_of(visit),
            without_details=_asks_for_privacy(visit.headers),
            url=(link.counted_as or link.url) if link else "",
            position=link.position if link else "",
            text=link.text if link else "",
            viewer=hash_of(visit.session) if visit.session else b"",
        )
        return self._spool.keep(
            ProvenDelivery(
                endpoint_id=NO_ENDPOINT,
                organization_id=email.organization_id,
                provider=PROVIDER,
                correlation_id=visit.correlation_id,
                received_at=now,
                headers={},
                body=_encode(report),
            )
        )


def signals_of(visit: Visit) -> tuple[Signal, ...]:
    """Say what a request tells about who makes it."""
    found = []
    if visit.method == "HEAD":
        found.append(Signal.HEAD)
    said = " ".join(visit.headers.get(name, "") for name in _PREFETCH_HEADERS).lower()
    if any(word in said for word in _PREFETCH_WORDS):
        found.append(Signal.PREFETCH)
    if not visit.headers.get("user-agent", "").strip():
        found.append(Signal.NO_AGENT)
    return tuple(found)


def _asks_for_privacy(headers: Mapping[str, str]) -> bool:
    return headers.get("sec-gpc", "").strip() == "1" or headers.get("dnt", "").strip() == "1"

"""Readers of one registered email, on memory adapters, and what is recorded of them."""

import asyncio
from ipaddress import ip_address

from adapters.tracking_tokens import SealedTokens
from application.ports.report_spool import ReportLostError
from application.ports.tracking_tokens import EmailReference, TrackedLink
from application.receive_engagement import ReceiveEngagement, Visit
from domain.email_facts import Sent
from tests.support.core import registration
from tests.support.drain_scene import DrainScene
from tests.support.emails import ACME, NOON, seconds

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
LINK = TrackedLink(url="https://a.example/x?y=%40", position="2", text="Choose a time")
LATER = seconds(3600)


class MemorySpool:
    def __init__(self):
        self.kept = []
        self.is_full = False
        self.durable_until = 0

    def keep(self, report):
        if self.is_full:
            raise ReportLostError("no room")
        self.kept.append(report)
        return len(self.kept)

    async def durable(self, number):
        self.durable_until = number


class Readers:
    """A registered email, its readers, and the drain."""

    def __init__(self):
        self.scene = DrainScene()
        [registered] = self.scene.register(registration(sent_at=NOON))
        self.email = EmailReference(ACME, registered.email_id)
        self.tokens = SealedTokens(["a secret key for tests"])
        self.spool = MemorySpool()
        self.scene.now = NOON + LATER
        self.reception = ReceiveEngagement(self.tokens, self.spool, lambda: self.scene.now)

    def visit(self, method="GET", client="203.0.113.7", **headers):
        told = {"user-agent": CHROME} | {name.replace("_", "-"): value for name, value in headers.items()}
        return Visit(method=method, headers=told, client=client and ip_address(client), correlation_id="request-1")

    def open(self, **told):
        self.reception.open(self.tokens.for_open(self.email), self.visit(**told))

    def click(self, link=LINK, **told):
        email, target = self.reception.target_of(self.tokens.for_click(self.email, link))
        self.reception.click(email, target, self.visit(**told))
        return target.url

    def unsubscribe(self):
        asyncio.run(self.reception.unsubscribe(self.tokens.for_unsubscribe(self.email), self.visit(method="POST")))

    def facts(self):
        """Drain, and give what was recorded beside the registration."""
        for report in self.spool.kept:
            self.scene.store.receive(
                endpoint_id=report.endpoint_id,
                organization_id=report.organization_id,
                provider=report.provider,
                headers=report.headers,
                body=report.body,
                received_at=report.received_at,
            )
        self.scene.drain.drain_all()
        return [logged.fact for logged in self.scene.store.log if not isinstance(logged.fact, Sent)]

"""The drain on memory adapters: an inbox, a clock, and a provider that can be broken."""

import msgspec

from adapters.first_party import FirstParty
from adapters.memory.store import MemoryStore
from adapters.memory.unit_of_work import MemoryUnitsOfWork
from adapters.providers.generic import GenericEmail
from adapters.reply_addresses import SignedReplyAddresses
from application.drain_inbox import DrainInbox
from application.match_mail import MatchMail
from application.ports.provider import ConfirmSubscription
from application.ports.unit_of_work import ConcurrentAppendError
from application.register_emails import RegisterEmails
from application.rematch_orphans import RematchOrphans
from application.retry_parked import RetryParked
from tests.support.core import ENDPOINT, registration
from tests.support.emails import ACME, NOON

POISON = b"a body that this version stumbles over"
SUBSCRIBE = b"please confirm"
CONFIRMATION_URL = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"


class StumblingProvider(GenericEmail):
    """The generic provider with a bug: it stumbles over one body until it is mended."""

    def __init__(self):
        self.is_mended = False

    def translate(self, headers, body):
        if body == SUBSCRIBE:
            return [ConfirmSubscription(CONFIRMATION_URL)]
        if body == POISON:
            if self.is_mended:
                return []
            raise ZeroDivisionError("john@example.com")
        return super().translate(headers, body)


class RivalledUnits:
    """Transactions in which another worker is quicker, the first times."""

    def __init__(self, units):
        self._units = units
        self.rivals = 0
        self.begun = 0

    def begin(self):
        self.begun += 1
        return _Rivalled(self._units.begin(), self)

    def rival_comes(self):
        if self.rivals:
            self.rivals -= 1
            raise ConcurrentAppendError("another worker was quicker")


class _Rivalled:
    def __init__(self, context, rivalry):
        self._context = context
        self._rivalry = rivalry

    def __enter__(self):
        unit = self._context.__enter__()
        append = unit.append

        def append_after_rival(messages):
            self._rivalry.rival_comes()
            return append(messages)

        unit.append = append_after_rival
        return unit

    def __exit__(self, *error):
        return self._context.__exit__(*error)


class DrainScene:
    """Everything the write side does, and what it left behind.

    Args:
        others: Providers beside the generic one.
    """

    def __init__(self, others=()):
        self.now = NOON
        self.store = MemoryStore(lambda: self.now)
        self.units = RivalledUnits(MemoryUnitsOfWork(self.store))
        self.provider = StumblingProvider()
        providers = {"email": self.provider, **dict(others)}
        self.rematch = RematchOrphans(self.units)
        self.addresses = SignedReplyAddresses(["the secret key of the tests"])
        translators = {**providers, FirstParty.name: FirstParty()}
        self.drain = DrainInbox(self.units, translators, lambda: self.now, MatchMail(providers, self.addresses))
        self.register_emails = RegisterEmails(self.units, providers, self.rematch, lambda: self.now, self.addresses)
        self.retry = RetryParked(self.units, providers, self.drain)

    def register(self, *registrations, organization_id=ACME):
        return self.register_emails(organization_id, list(registrations) or [registration()])

    def receive(self, *items, body=None, provider="email", organization_id=ACME):
        return self.store.receive(
            endpoint_id=ENDPOINT,
            organization_id=organization_id,
            provider=provider,
            headers={},
            body=msgspec.json.encode(items) if body is None else body,
            received_at=self.now,
        )

    def kinds(self):
        """Names of all recorded facts, in the global order."""
        return [type(logged.fact).__name__ for logged in self.store.log]

    def parked(self):
        return [(row.status, row.times_seen) for row in self.store.parked.values()]

    def reasons(self):
        return [row.report.reason for row in self.store.parked.values() if row.status == "failed"]

"""Turn acknowledged webhooks into domain events, many deliveries in one transaction."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import chain
from typing import Final
from uuid import UUID

import msgspec

from application.match_mail import MatchMail
from application.parking import failure_of, failures_under, orphan_of
from application.ports.clock import Clock
from application.ports.detection import CurrentDetection, built_in
from application.ports.inbound_mail import InboundMail
from application.ports.mail_threads import WaitingMail
from application.ports.parked_reports import FailedReport, Orphan
from application.ports.provider import (
    AboutEmail,
    ConfirmSubscription,
    Ignored,
    MalformedDeliveryError,
    Rejected,
    Translator,
)
from application.ports.unit_of_work import (
    ConcurrentAppendError,
    Delivery,
    StoreUnavailableError,
    UnitOfWork,
    UnitsOfWork,
)
from application.recording import REPEATED, Recording
from application.transactions import in_transaction
from domain.commands import AnyReport, RecordClick, RecordOpen, RecordUnsubscribe, Report
from domain.email_message import EmailMessage
from domain.tracking_terms import TrackingPolicy
from domain.values import Signal, addressee_id_for, email_id_within

logger = logging.getLogger(__name__)

DELIVERIES_PER_TRANSACTION: Final = 400
BYTES_PER_TRANSACTION: Final = 1_000_000
FULL_BYTES: Final = BYTES_PER_TRANSACTION * 9 // 10
"""Of a batch that may have had no room for more: bodies were measured sealed, which makes them a little longer."""
BACKOFF: Final = (5, 30, 120, 600, 3600)
"""Seconds to wait after each failed attempt; after the last one the delivery is set aside."""
LATEST_FUTURE: Final = timedelta(hours=24)
"""How far a provider's clock may be ahead before its times are not believed."""


class Drained(msgspec.Struct, kw_only=True):
    """What became of a drained batch; every report of every delivery is in one of these numbers.

    Attributes:
        has_more: Whether something may be due that the batch had no room for.
        ignored: Number of reports by why they add nothing.
    """

    deliveries: int = 0
    has_more: bool = False
    events: int = 0
    repeated: int = 0
    orphaned: int = 0
    failed: int = 0
    postponed: int = 0
    ignored: Counter[str] = msgspec.field(default_factory=Counter)

    def count(self, nothing_new: str) -> None:
        """Count a report on a known email, by what `Recording.record` said of it."""
        if not nothing_new:
            self.events += 1
        elif nothing_new == REPEATED:
            self.repeated += 1
        else:
            self.ignored[nothing_new] += 1

    def add(self, other: "Drained") -> None:
        """Count what became of another batch, too."""
        self.deliveries += other.deliveries
        self.events += other.events
        self.repeated += other.repeated
        self.orphaned += other.orphaned
        self.failed += other.failed
        self.postponed += other.postponed
        self.ignored.update(other.ignored)

    def outcomes(self) -> dict[str, int]:
        """Give the numbers of reports by what became of them, zeros left out."""
        counts = {
            "recorded": self.events,
            "repeated": self.repeated,
            "orphaned": self.orphaned,
            "failed": self.failed,
            **{f"ignored_{reason}": count for reason, count in self.ignored.items()},
        }
        return {outcome: count for outcome, count in counts.items() if count}


class _Understood(msgspec.Struct):
    """One delivery, taken apart.

    Attributes:
        reports: Each with the id of the email that it is about.
        ignored: Why items add nothing, one reason an item.
        viewers: Hashes of sessions, by the place of what they did among the reports.
    """

    delivery: Delivery
    reports: list[tuple[UUID, AnyReport]] = []
    failures: list[FailedReport] = []
    confirmations: list[ConfirmSubscription] = []
    ignored: list[str] = []
    mails: list[InboundMail] = []
    viewers: dict[int, bytes] = {}


class DrainInbox:
    """Drains the inbox; any number of these may run at once, in any number of processes.

    Args:
        units: Begins transactions.
        providers: By name.
        clock: Gives aware UTC.
        match_mail: Finds the emails that incoming mails answer.
        detection: Gives the rules by which who engaged is judged.

    Source:
        DB-1: the events and the end of their inbox row are one transaction; DESIGN.md, the drain.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        providers: Mapping[str, Translator],
        clock: Clock,
        match_mail: MatchMail,
        detection: CurrentDetection = built_in,
    ) -> None:
        self.detection = detection
        self._units = units
        self._providers = providers
        self._clock = clock
        self._match_mail = match_mail

    def drain_all(self, keep_on: Callable[[], bool] = lambda: True) -> int:
        """Drain all that is due by now, or until `keep_on` says no; what comes meanwhile may wait for the next time.

        Returns:
            Number of deliveries taken out of the inbox.

        Raises:
            StoreUnavailableError: The database went away; what was not committed waits in the inbox.
        """
        total = 0
        while keep_on():
            drained = self.drain_batch()
            total += drained.deliveries
            if not drained.has_more:
                break
        return total

    def drain_batch(self) -> Drained:
        """Drain one batch; a batch that fails as a whole is tried again one delivery at a time.

        Raises:
            StoreUnavailableError: The database went away; nothing of the batch happened.
        """
        try:
            return in_transaction(self._units, self._claim_and_process)
        except StoreUnavailableError:
            raise
        except Exception:  # whatever one delivery does, the others are drained
            logger.exception("A batch failed; its deliveries are tried one by one", extra={"event": "batch_failed"})
            return self._drain_singly()

    def _claim_and_process(self, unit: UnitOfWork) -> Drained:
        deliveries = unit.claim_deliveries(most=DELIVERIES_PER_TRANSACTION, most_bytes=BYTES_PER_TRANSACTION)
        drained = self.process(unit, deliveries)
        drained.has_more = len(deliveries) == DELIVERIES_PER_TRANSACTION or _bytes_of(deliveries) >= FULL_BYTES
        return drained

    def _drain_singly(self) -> Drained:
        """Drain one delivery a transaction until the one that failed the batch is out of the way."""
        total = Drained(has_more=True)
        for _ in range(DELIVERIES_PER_TRANSACTION):
            try:
                one = self._drain_one_alone()
            except ConcurrentAppendError:
                continue
            total.add(one)
            if one.deliveries == 0 or one.postponed or one.failed:
                total.has_more = one.deliveries > 0
                break
        return total

    def _drain_one_alone(self) -> Drained:
        claimed: list[Delivery] = []
        try:
            with self._units.begin() as unit:
                claimed = unit.claim_deliveries(most=1, most_bytes=1)
                return self.process(unit, claimed)
        except (StoreUnavailableError, ConcurrentAppendError):
            raise
        except Exception as error:
            named = _named(claimed[0]) if claimed else {}
            logger.exception("A delivery failed", extra={"event": "delivery_failed", **named})
            return self._give_way(claimed, error)

    def _give_way(self, deliveries: Sequence[Delivery], error: Exception) -> Drained:
        """Postpone what failed for an unforeseen reason, and set it aside after the last attempt."""
        drained = Drained(deliveries=len(deliveries))
        with self._units.begin() as unit:
            policies = _policies(unit, deliveries)
            waiting = unit.still_waiting([delivery.id for delivery in deliveries])
            for delivery in deliveries:
                if delivery.id in waiting:
                    self._postpone_or_park(unit, delivery, error, drained, policies)
            unit.count_outcomes(drained.outcomes())
        return drained

    def _postpone_or_park(
        self,
        unit: UnitOfWork,
        delivery: Delivery,
        error: Exception,
        drained: Drained,
        policies: Mapping[UUID, TrackingPolicy],
    ) -> None:
        # The error's text may quote personal data; its type does not.
        reason = f"internal error ({type(error).__name__}), see the log for delivery {delivery.id}"
        if delivery.attempts < len(BACKOFF):
            until = self._clock() + timedelta(seconds=BACKOFF[delivery.attempts])
            unit.postpone_delivery(delivery.id, error=reason, until=until)
            drained.postponed += 1
        else:
            unit.parked.park_failures(failures_under(policies, [failure_of(delivery, reason)]))
            unit.close_deliveries([delivery.id])
            drained.failed += 1

    def process(self, unit: UnitOfWork, deliveries: Sequence[Delivery]) -> Drained:
        """Process deliveries as part of a transaction; see `drain_batch`."""
        drained = Drained(deliveries=len(deliveries))
        self._leave_unopened(unit, deliveries, drained)
        deliveries = [delivery for delivery in deliveries if not delivery.unopened]
        understood: list[_Understood] = []
        stumbled: list[tuple[Delivery, Exception]] = []
        for delivery in deliveries:
            try:
                understood.append(self._understand(delivery))
                logger.debug("A delivery is processed", extra={"event": "delivery_processed", **_named(delivery)})
            except Exception as error:
                logger.exception("A delivery could not be read", extra={"event": "delivery_failed", **_named(delivery)})
                stumbled.append((delivery, error))
        # From here to the end nobody changes what may be recorded; reading took most of the time, and needed no policy.
        policies = _policies(unit, deliveries)
        for delivery, cause in stumbled:
            self._postpone_or_park(unit, delivery, cause, drained, policies)
        self._record(unit, understood, drained, policies)
        return drained

    def _leave_unopened(self, unit: UnitOfWork, deliveries: Sequence[Delivery], drained: Drained) -> None:
        """Have those that no key opens wait for their key, however long that takes: parked, they would be lost."""
        unopened = [delivery for delivery in deliveries if delivery.unopened]
        for delivery in unopened:
            wait_s = BACKOFF[min(delivery.attempts, len(BACKOFF) - 1)]
            until = self._clock() + timedelta(seconds=wait_s)
            unit.postpone_delivery(delivery.id, error=delivery.unopened, until=until)
        if unopened:
            drained.postponed += len(unopened)
            logger.error(
                "Deliveries cannot be opened and wait: %s",
                unopened[0].unopened,
                extra={"event": "deliveries_unopened", "deliveries": len(unopened), "delivery_id": unopened[0].id},
            )

    def _understand(self, delivery: Delivery) -> _Understood:
        found = _Understood(delivery)
        provider = self._providers[delivery.provider]
        try:
            outcomes = provider.translate(delivery.headers, delivery.body)
        except MalformedDeliveryError as error:
            found.failures.append(failure_of(delivery, str(error)))
            return found
        latest = self._clock() + LATEST_FUTURE
        namespace, name = delivery.organization_id.bytes, provider.name
        for outcome in outcomes:
            if isinstance(outcome, Report):  # first, because most are
                if outcome.occurred_at > latest:
                    when = outcome.occurred_at.isoformat()
                    reason = f"the time of a {outcome.KIND} report lies in the future: {when}"
                    found.failures.append(failure_of(delivery, reason, outcome.message_id))
                else:
                    email_id = email_id_within(namespace, name, outcome.message_id, outcome.recipient)
                    found.reports.append((email_id, outcome))
            elif isinstance(outcome, AboutEmail):
                if outcome.viewer:
                    found.viewers[len(found.reports)] = outcome.viewer
                found.reports.append((outcome.email_id, outcome.report))
            elif isinstance(outcome, Ignored):
                found.ignored.append(outcome.reason)
            elif isinstance(outcome, Rejected):
                found.failures.append(failure_of(delivery, outcome.reason, outcome.message_id, outcome.body))
            elif isinstance(outcome, ConfirmSubscription):
                found.confirmations.append(outcome)
            else:
                found.mails.append(outcome)
        return found

    def _match(self, unit: UnitOfWork, understood: Sequence[_Understood]) -> list[WaitingMail]:
        """Turn mails into reports on the emails that they answer.

        Returns:
            Those whose email nobody registered; they will be parked.
        """
        mails = [(found, mail) for found in understood for mail in found.mails]
        waiting: list[WaitingMail] = []
        outcomes = self._match_mail(unit, [(found.delivery.organization_id, mail) for found, mail in mails])
        for (found, _), outcome in zip(mails, outcomes, strict=True):
            if isinstance(outcome, Ignored):
                found.ignored.append(outcome.reason)
                continue
            found.reports.append((outcome.email_id, outcome.report))
            if outcome.waiting is not None:
                waiting.append(outcome.waiting)
        return waiting

    def _record(
        self,
        unit: UnitOfWork,
        understood: Sequence[_Understood],
        drained: Drained,
        policies: Mapping[UUID, TrackingPolicy],
    ) -> None:
        waiting = self._match(unit, understood)
        _note_own_views(unit, [found for found in understood if found.viewers])
        # By their numbers: to find a UUID takes two calls of Python, and there are three a report.
        email_ids = {email_id.int: email_id for found in understood for email_id, _ in found.reports}
        messages = {message.id.int: message for message in unit.messages(list(email_ids.values())).values()}
        detection = self.detection()
        told = [[(messages[email_id.int], report) for email_id, report in found.reports] for found in understood]
        strangers = _unsubscribing_strangers(understood, told, policies)
        recording = Recording(unit, policies, list(chain.from_iterable(told)), detection, set(strangers.values()))
        orphans: list[Orphan] = []
        for found, about in zip(understood, told, strict=True):
            delivery = found.delivery
            for message, report in about:
                if message.is_known:
                    drained.count(
                        recording.record(message, report, received_at=delivery.received_at, delivery_id=delivery.id)
                    )
                elif report.recipient:
                    policy = policies[delivery.organization_id]
                    orphans.append(orphan_of(delivery, message.id, report, policy, detection))
                    if isinstance(report, RecordUnsubscribe) and (stranger := strangers.get(id(report))):
                        recording.unsubscribe_stranger(
                            stranger,
                            report,
                            organization_id=delivery.organization_id,
                            received_at=delivery.received_at,
                        )
                else:
                    # Named by our own id, which nobody has before the registration: it was registered, and is gone.
                    drained.ignored["purged_email"] += 1
        unit.append(list(messages.values()))
        recording.finish()
        if orphans:
            unit.parked.park_orphans(orphans)
            unit.threads.wait(waiting)
            drained.orphaned = len(orphans)
        _keep_the_rest(unit, understood, drained, policies)
        unit.close_deliveries([found.delivery.id for found in understood])
        # Last: workers that add to the same counts wait for each other from here to the commit.
        unit.count_outcomes(drained.outcomes())


def _unsubscribing_strangers(
    understood: Sequence[_Understood],
    told: Sequence[Sequence[tuple[EmailMessage, AnyReport]]],
    policies: Mapping[UUID, TrackingPolicy],
) -> dict[int, UUID]:
    """Name, by `id` of the report, who unsubscribed from an email that nobody registered, where that ends tracking."""
    return {
        id(report): addressee_id_for(found.delivery.organization_id, report.recipient)
        for found, about in zip(understood, told, strict=True)
        if policies[found.delivery.organization_id].unsubscribe_ends_tracking
        for message, report in about
        if isinstance(report, RecordUnsubscribe) and report.recipient and not message.is_known
    }


def _keep_the_rest(
    unit: UnitOfWork, understood: Sequence[_Understood], drained: Drained, policies: Mapping[UUID, TrackingPolicy]
) -> None:
    """Park what cannot be understood, keep what is to be confirmed, and count what says nothing of an email."""
    failures = [failure for found in understood for failure in found.failures]
    if failures:
        unit.parked.park_failures(failures_under(policies, failures))
        drained.failed += len(failures)
    confirmations = [(found.delivery.endpoint_id, one) for found in understood for one in found.confirmations]
    if confirmations:
        unit.request_confirmations(confirmations)
    drained.ignored.update(chain.from_iterable(found.ignored for found in understood))


def _note_own_views(unit: UnitOfWork, understood: Sequence[_Understood]) -> None:
    """Say of opens and clicks by the email's own organisation that it was no recipient (verdict ``self``)."""
    if not understood:
        return
    homes = unit.homes_of_viewers({viewer for found in understood for viewer in found.viewers.values()})
    for found in understood:
        for place, viewer in found.viewers.items():
            email_id, report = found.reports[place]
            if homes.get(viewer) == found.delivery.organization_id and isinstance(report, RecordOpen | RecordClick):
                signals = (*report.signals, Signal.OWN_VIEW)
                found.reports[place] = email_id, msgspec.structs.replace(report, signals=signals)


def _bytes_of(deliveries: Sequence[Delivery]) -> int:
    return sum(len(delivery.body) for delivery in deliveries)


def _named(delivery: Delivery) -> dict[str, object]:
    """Give what links the log of a request, this delivery, and the events that name it."""
    return {"delivery_id": delivery.id, "request_id": delivery.correlation_id}


def _policies(unit: UnitOfWork, deliveries: Sequence[Delivery]) -> dict[UUID, TrackingPolicy]:
    return unit.tracking.policies({delivery.organization_id for delivery in deliveries})

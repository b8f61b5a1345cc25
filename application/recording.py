"""Record reports on their emails under the terms that hold in a transaction."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from application.ports.unit_of_work import UnitOfWork
from application.suspicions import Told, impressions_by_report
from domain.commands import AnyReport, RecordBounce, RecordClick, RecordDrop, RecordOpen, RecordUnsubscribe
from domain.email_facts import Sent, addressee_of
from domain.email_message import EmailMessage
from domain.policies.detection.detection import Detection
from domain.tracking_terms import DEFAULT_POLICY, OPEN_TERMS, Consent, ConsentSource, TrackingPolicy, TrackingTerms

REPEATED: Final = "repeated"
_ENGAGEMENTS: Final = (RecordOpen, RecordClick)
_WITH_WORDS: Final = (RecordClick, RecordBounce, RecordDrop)
"""Reports of which words of the sender or the provider are kept unsealed, such as links."""


class _Unsubscription(NamedTuple):
    """What somebody said by unsubscribing, and when that became known."""

    organization_id: UUID
    said_at: datetime
    received_at: datetime


class Recording:
    """Records reports of one batch; made after `TrackingRecords.policies` was asked, in the same transaction.

    Args:
        unit: The transaction.
        policies: Of every organisation of the batch.
        told: Every report that will be recorded, and about which email.
        detection: Judges who engaged.
        strangers: Who unsubscribed by a report on an email that nobody registered; see `unsubscribe_stranger`.

    Source:
        BR-558.1 Tracking consent: nobody's open or click is recorded against their will, of earlier emails neither.
    """

    def __init__(
        self,
        unit: UnitOfWork,
        policies: Mapping[UUID, TrackingPolicy],
        told: Told,
        detection: Detection,
        strangers: Collection[UUID] = (),
    ) -> None:
        self._unit = unit
        self._detection = detection
        unit.reveal(list({m for m, report in told if isinstance(report, _ENGAGEMENTS) and m.was_engaged}))
        # Who it was tells nothing in what other reports leave unsealed.
        unit.identify(list({message for message, report in told if isinstance(report, _WITH_WORDS)}))
        self._usual = {
            organization_id: OPEN_TERMS if policy == DEFAULT_POLICY else TrackingTerms(policy)
            for organization_id, policy in policies.items()
        }
        addressees = [addressee_of(message.sent) for message in {m for m, _ in told} if message.sent is not None]
        self._consents = unit.tracking.consents([*addressees, *strangers])
        self._is_all_open = not self._consents and all(terms is OPEN_TERMS for terms in self._usual.values())
        self._unsubscribed: dict[UUID, _Unsubscription] = {}
        self._impressions = impressions_by_report(self._allowed(told), policies, detection, unit.sightings)

    def _allowed(self, told: Told) -> Told:
        """Leave out whose addresses may not even be remembered for a moment."""
        if self._is_all_open:
            return told
        return [
            (message, report)
            for message, report in told
            if (sent := message.sent) is not None and not self._terms_of(sent).refusal
        ]

    def record(self, message: EmailMessage, report: AnyReport, *, received_at: datetime, delivery_id: int) -> str:
        """Record a report on an email that is known.

        Returns:
            "" if it was news; else why it adds nothing: ``repeated``, or what `EmailMessage.refusal_of` says.
        """
        sent = message.sent
        if sent is None:
            raise ValueError("reports about unknown emails are parked, not recorded")
        terms = self._terms_of(sent)
        is_news = message.record(
            report,
            received_at=received_at,
            delivery_id=delivery_id,
            terms=terms,
            detection=self._detection,
            impression=self._impressions.get(id(report)),
        )
        if is_news:
            if isinstance(report, RecordUnsubscribe) and terms.policy.unsubscribe_ends_tracking:
                self._opt_out(
                    addressee_of(sent), _Unsubscription(sent.organization_id, report.occurred_at, received_at)
                )
            return ""
        return message.refusal_of(report, terms) or REPEATED

    def unsubscribe_stranger(
        self, addressee_id: UUID, report: RecordUnsubscribe, *, organization_id: UUID, received_at: datetime
    ) -> None:
        """Heed what somebody says about an email that nobody registered; the report itself waits for it.

        Source:
            BR-558.1: it may be told before anybody writes to that person.
        """
        self._opt_out(addressee_id, _Unsubscription(organization_id, report.occurred_at, received_at))

    def finish(self) -> None:
        """Keep what people said by unsubscribing."""
        if not self._unsubscribed:
            return
        recipients = self._unit.tracking.recipients(self._unsubscribed)
        for addressee_id, unsubscription in self._unsubscribed.items():
            recipients[addressee_id].change_consent(
                Consent.OPTED_OUT,
                organization_id=unsubscription.organization_id,
                changed_at=unsubscription.received_at,
                source=ConsentSource.UNSUBSCRIBE,
                said_at=unsubscription.said_at,
            )
        self._unit.tracking.keep_consents(list(recipients.values()))

    def _terms_of(self, sent: Sent) -> TrackingTerms:
        if self._is_all_open:
            return OPEN_TERMS
        usual = self._usual[sent.organization_id]
        if self._consents and (consent := self._consents.get(addressee_of(sent))):
            return TrackingTerms(usual.policy, consent)
        return usual

    def _opt_out(self, addressee_id: UUID, unsubscription: _Unsubscription) -> None:
        if self._consents.get(addressee_id) is Consent.OPTED_IN:
            recipient = self._unit.tracking.recipients([addressee_id])[addressee_id]
            if recipient.has_outdone(Consent.OPTED_OUT, unsubscription.said_at):
                return  # they agreed since
        self._consents[addressee_id] = Consent.OPTED_OUT
        known = self._unsubscribed.get(addressee_id)
        if known is None or known.said_at < unsubscription.said_at:
            self._unsubscribed[addressee_id] = unsubscription

"""Somebody whom an organisation writes to, known or not yet, and what they said about being tracked."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.email_facts import AnyFact
from domain.fact_stream import FactStream
from domain.recipient_facts import ConsentChanged, Erased
from domain.tracking_terms import Consent, ConsentSource


class Recipient(FactStream[AnyFact]):
    """Decides what a change of consent means and folds what was decided: what was said last holds.

    Source:
        BR-558.1 Tracking consent; kept also for people to whom nothing was sent yet.
    """

    TOPIC: ClassVar[str] = "Recipient"

    __slots__ = ("consent", "consent_changed_at", "consent_source")

    def __init__(self, addressee_id: UUID) -> None:
        """Begin with nothing said.

        Args:
            addressee_id: As `addressee_id_for` names them.
        """
        super().__init__(addressee_id)
        self.consent: Consent | None = None
        self.consent_changed_at: datetime | None = None
        self.consent_source: ConsentSource | None = None

    def change_consent(
        self,
        consent: Consent,
        *,
        organization_id: UUID,
        changed_at: datetime,
        source: ConsentSource,
        changed_by: str = "",
    ) -> bool:
        """Keep what somebody said.

        Args:
            consent: Their will.
            organization_id: Whom they said it to.
            changed_at: Aware UTC.
            source: How it became known.
            changed_by: As `ConsentChanged` tells it.

        Returns:
            Whether that was news; saying the same again changes nothing.
        """
        if consent is self.consent:
            return False
        self._record(
            ConsentChanged(
                organization_id=organization_id,
                consent=consent,
                changed_at=changed_at,
                source=source,
                changed_by=changed_by,
            )
        )
        return True

    def erase(self, *, organization_id: UUID, erased_at: datetime, erased_by: str = "") -> None:
        """Say that the person's key is destroyed; what they said about tracking stays, it names nobody.

        Args:
            organization_id: Who knew them.
            erased_at: Aware UTC.
            erased_by: As `Erased` tells it.

        Source:
            SEC-6 Erasure.
        """
        self._record(Erased(organization_id=organization_id, erased_at=erased_at, erased_by=erased_by))

    def _evolve(self, fact: AnyFact) -> None:
        if isinstance(fact, ConsentChanged):
            self.consent = fact.consent
            self.consent_changed_at = fact.changed_at
            self.consent_source = fact.source

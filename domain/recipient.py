"""Somebody whom an organisation writes to, known or not yet, and what they said about being tracked."""

from datetime import datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID

from domain.email_facts import AnyFact
from domain.fact_stream import FactStream
from domain.recipient_facts import ConsentChanged, Erased
from domain.tracking_terms import Consent, ConsentSource

_MOMENT: Final = timedelta(microseconds=1)


class Recipient(FactStream[AnyFact]):
    """Decides what a change of consent means and folds what was decided: what was said last holds, whenever it is told.

    Source:
        BR-558.1 Tracking consent; kept also for people to whom nothing was sent yet.
    """

    TOPIC: ClassVar[str] = "Recipient"

    __slots__ = ("consent", "consent_changed_at", "consent_said_at", "consent_source")

    def __init__(self, addressee_id: UUID) -> None:
        """Begin with nothing said.

        Args:
            addressee_id: As `addressee_id_for` names them.
        """
        super().__init__(addressee_id)
        self.consent: Consent | None = None
        self.consent_changed_at: datetime | None = None
        self.consent_said_at: datetime | None = None
        self.consent_source: ConsentSource | None = None

    def change_consent(
        self,
        consent: Consent,
        *,
        organization_id: UUID,
        changed_at: datetime,
        source: ConsentSource,
        changed_by: str = "",
        said_at: datetime | None = None,
    ) -> bool:
        """Keep what somebody said.

        Args:
            consent: Their will.
            organization_id: Whom they said it to.
            changed_at: Aware UTC.
            source: How it became known.
            changed_by: As `ConsentChanged` tells it.
            said_at: Aware UTC, when they said it, if a report tells of it later; ``None``: now.

        Returns:
            Whether that was news; what was taken back since, and objecting again, change nothing. Agreeing again is
            news: it outlives an objection from before that is told after it.
        """
        said = changed_at if said_at is None else min(said_at, changed_at)
        if said_at is None and self.consent_said_at is not None:
            # Whoever says it now says it last, whatever another clock shows.
            said = max(said, self.consent_said_at + _MOMENT)
            if consent is self.consent is Consent.OPTED_OUT:
                return False
        elif self.has_outdone(consent, said):
            return False
        self._record(
            ConsentChanged(
                organization_id=organization_id,
                consent=consent,
                changed_at=changed_at,
                source=source,
                changed_by=changed_by,
                said_at=None if said == changed_at else said,
            )
        )
        return True

    def has_outdone(self, consent: Consent, said_at: datetime) -> bool:
        """Whether what somebody said at a time adds nothing to what is known; of the same instant, objecting holds."""
        known = self.consent_said_at
        if known is None or said_at > known:
            return known is not None and consent is self.consent is Consent.OPTED_OUT
        return said_at < known or self.consent is Consent.OPTED_OUT or consent is Consent.OPTED_IN

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
            if fact.consent is not self.consent:
                self.consent_changed_at = fact.changed_at
                self.consent_source = fact.source
            self.consent = fact.consent
            self.consent_said_at = fact.said_at or fact.changed_at

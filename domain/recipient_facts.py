"""What can be known about a person whom an organisation writes to, apart from any single email.

The stream of these facts is named by `domain.values.addressee_id_for`; no fact repeats the address.
"""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.tracking_terms import Consent, ConsentSource


class ConsentChanged(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Somebody agreed to be tracked, or no longer does (BR-558.1).

    Attributes:
        organization_id: Whom they said it to.
        changed_at: Aware UTC, when it became known to us.
        source: How it became known.
        changed_by: Id of the API key or user who asked; "" if they did it themselves, by unsubscribing.
        said_at: Aware UTC, when they said it, if it became known later only; ``None``: then.
    """

    TOPIC: ClassVar[str] = "Recipient.ConsentChanged"

    organization_id: UUID
    consent: Consent
    changed_at: datetime
    source: ConsentSource
    changed_by: str = ""
    said_at: datetime | None = None


class Erased(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The person's key was destroyed: what was recorded until now keeps counting and tells nothing more (SEC-6).

    Attributes:
        erased_at: Aware UTC.
        erased_by: Id of the API key or user who asked; "" for a command of the operator.
    """

    TOPIC: ClassVar[str] = "Recipient.Erased"

    organization_id: UUID
    erased_at: datetime
    erased_by: str = ""

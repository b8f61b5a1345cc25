"""What reports of every kind have in common."""

from datetime import datetime
from typing import TypedDict

from adapters.payloads.fields import Metadata


class Facts(TypedDict):
    """The fields of `domain.commands.Report` that a provider's item tells, whatever happened."""

    message_id: str
    recipient: str
    occurred_at: datetime
    event_id: str
    metadata: Metadata | None

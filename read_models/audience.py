"""For whom a question is answered."""

from uuid import UUID

import msgspec


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """Whose emails an answer may speak of.

    Attributes:
        organization_id: Nothing of another organisation is ever seen.
        hiring_manager_id: Only emails about jobs that name this person, and only what follows from these; ``None``: all
            emails of the organisation.

    Source:
        ROLE: a hiring manager sees the jobs that name them, nothing else; organisations never see each other.
    """

    organization_id: UUID
    hiring_manager_id: str | None = None

"""The sums that a dashboard is made of."""

from typing import Protocol
from uuid import UUID

import msgspec

from read_models.audience import Audience
from read_models.dashboard.dashboard import USUAL_COUNTING, Counting, Days, Sums


class DashboardFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which emails; ``None`` asks for all."""

    job_id: str | None = None
    campaign_id: UUID | None = None
    template_id: str | None = None


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Something to filter by."""

    id: str
    name: str


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What a dashboard can be filtered by, by name."""

    jobs: list[Choice]
    templates: list[Choice]


class DashboardQueries(Protocol):
    """Sums over tracked emails."""

    async def sums(
        self, audience: Audience, period: Days, wanted: DashboardFilter, counting: Counting = USUAL_COUNTING
    ) -> Sums:
        """Sum up the emails sent in a period and in the one before it, or what happened in these.

        As activity every email counts once a period, and once in each of its points; the time to open is not told.

        Raises:
            AnswersUnavailableError: Ask again later.
        """
        ...

    async def choices(self, audience: Audience, wanted: DashboardFilter) -> Choices:
        """Give the jobs and templates that the audience has emails about, as many as a list can hold.

        Args:
            audience: For whom.
            wanted: The filter that holds; its job and template are among the choices in any case, by their ids where
                the audience knows no name of them.

        Raises:
            AnswersUnavailableError: Ask again later.
        """
        ...

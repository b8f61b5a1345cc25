"""The sums that a dashboard is made of."""

from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec

from read_models.audience import Audience
from read_models.dashboard.dashboard import USUAL_COUNTING, Counting, Days, Sums
from read_models.paging import Page, PageRequest


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
    """What a dashboard can be filtered by: what it is filtered by first, then what the latest emails were about.

    Attributes:
        more_jobs: Whether there are others.
        more_templates: Likewise.
    """

    jobs: list[Choice]
    templates: list[Choice]
    more_jobs: bool
    more_templates: bool


class FilterBy(StrEnum):
    """What somebody chooses one of."""

    JOB = "job"
    TEMPLATE = "template"


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
        """Give the jobs and templates that the audience has emails about, as many as a list can hold at most.

        Args:
            audience: For whom.
            wanted: The filter that holds; its job and template are among the choices in any case, by their ids where
                the audience knows no name of them.

        Raises:
            AnswersUnavailableError: Ask again later.
        """
        ...

    async def choices_named(self, audience: Audience, by: FilterBy, words: str, page: PageRequest) -> Page[Choice]:
        """Give jobs or templates that the audience has emails about, by name.

        Args:
            audience: For whom.
            by: Which of them.
            words: Their names contain these, in whatever case, or their ids are these; "": all of them.
            page: Which part of the list.

        Raises:
            InvalidCursorError: The cursor is of another list.
            AnswersUnavailableError: Ask again later.
        """
        ...

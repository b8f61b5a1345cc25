"""How well a campaign, a job or a template does, and which links people follow."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec

from read_models.audience import Audience
from read_models.metrics.metrics import EmailTotals
from read_models.paging import Page, PageRequest


class CampaignEmails(msgspec.Struct, frozen=True):
    """The emails of a campaign."""

    id: UUID


class JobEmails(msgspec.Struct, frozen=True):
    """The emails about a job."""

    id: str


class TemplateEmails(msgspec.Struct, frozen=True):
    """The emails written with a template."""

    id: str


Subject = CampaignEmails | JobEmails | TemplateEmails


class LinkGrouping(StrEnum):
    """What makes two followed links the same."""

    URL = "url"
    POSITION = "position"


class LinkClicks(msgspec.Struct, frozen=True, kw_only=True):
    """How often people followed a link.

    Attributes:
        link_position: Where in the email; ``None`` when links are told apart by URL alone.
        link_text: What it says; ``None`` when links are told apart by URL alone.
        unique_clicks: Number of different contacts.
        scanner_click_count: Clicks by machines; in neither of the two, unless that is asked for.

    Source:
        AF-4: per-link click statistics by URL and by position; the same URL twice in one email is two positions.
    """

    url: str
    link_position: str | None
    link_text: str | None
    click_count: int
    unique_clicks: int
    scanner_click_count: int


class CandidateLinkClicks(LinkClicks, frozen=True, kw_only=True):
    """How often a candidate followed a link.

    Attributes:
        unique_clicks: Number of emails in which they followed it.
        first_clicked_at: When they did so first; ``None`` where only machines did.

    Source:
        USE-5: links per candidate.
    """

    first_clicked_at: datetime | None


class MetricsQueries(Protocol):
    """Answers for a set of emails; ``None`` where the audience sees no such campaign, job, template or candidate."""

    async def totals(self, audience: Audience, subject: Subject) -> EmailTotals | None:
        """Sum up what happened to the emails.

        Raises:
            AnswersUnavailableError: Ask again later.
        """
        ...

    async def links(
        self,
        audience: Audience,
        subject: Subject,
        grouping: LinkGrouping,
        page: PageRequest,
        *,
        with_automated: bool = False,
    ) -> Page[LinkClicks] | None:
        """List followed links, the most clicked first.

        Args:
            audience: For whom.
            subject: Of which emails.
            grouping: What makes two links the same.
            page: Which part.
            with_automated: Count clicks as if machines were people, links that only they followed included.

        Raises:
            InvalidCursorError: The cursor is of another list.
            AnswersUnavailableError: Ask again later.
        """
        ...

    async def candidate_links(
        self,
        audience: Audience,
        candidate_id: str,
        grouping: LinkGrouping,
        page: PageRequest,
        *,
        with_automated: bool = False,
    ) -> Page[CandidateLinkClicks] | None:
        """List the links that a candidate followed, over all their emails, the most clicked first.

        A link that they followed in privacy mode only is left out: that it was followed is counted where many are
        (`links`), and nobody is told by whom.

        Args:
            audience: For whom.
            candidate_id: Whose.
            grouping: What makes two links the same.
            page: Which part.
            with_automated: As for `links`.

        Raises:
            InvalidCursorError: The cursor is of another list.
            AnswersUnavailableError: Ask again later.

        Source:
            USE-5: links per candidate; BR-558.8: nothing about one person.
        """
        ...

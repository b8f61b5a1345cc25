"""How many emails arrive, by the domain they go to."""

from datetime import datetime
from typing import Protocol

import msgspec

from read_models.audience import Audience
from read_models.deliverability.deliverability import Deliverability
from read_models.periods import Period


class DomainLine(Deliverability, frozen=True, kw_only=True):
    """Emails to one domain.

    Attributes:
        domain: Lower case; ``None``: of people who were erased.
    """

    domain: str | None


class RestLine(Deliverability, frozen=True, kw_only=True):
    """Emails to the domains that are not listed.

    Attributes:
        domains: How many these are.
    """

    domains: int


class DeliverabilityReport(msgspec.Struct, frozen=True, kw_only=True):
    """Emails sent within a period.

    Attributes:
        start: First instant of the period.
        end: First instant after it.
        items: The domains with the most emails, these first.
        rest: All other domains together; ``None``: there are none.
    """

    start: datetime
    end: datetime
    total: Deliverability
    items: list[DomainLine]
    rest: RestLine | None


class DeliverabilityQueries(Protocol):
    """Whether emails arrive."""

    async def by_domain(self, audience: Audience, period: Period, *, most: int) -> DeliverabilityReport:
        """Count the emails sent within a period by recipient domain.

        Args:
            audience: For whom.
            period: With both ends.
            most: Domains that get a line of their own.

        Raises:
            AnswersUnavailableError: Ask again later.

        Source:
            USE-4: deliverability by recipient domain.
        """
        ...

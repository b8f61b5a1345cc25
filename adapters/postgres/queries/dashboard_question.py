"""What a dashboard asks the database, and what it is told, whatever the figures are made from."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composable, Composed, Identifier, Placeholder

from adapters.postgres.queries.visibility import audience_parameters, sees_totals
from read_models.audience import Audience
from read_models.dashboard.dashboard import Counting, Days, Reached, ReachedInPoint
from read_models.dashboard.queries import DashboardFilter
from read_models.metrics.metrics import EmailTotals

TOTALS_FIELDS: Final = EmailTotals.__struct_fields__
REACHED_FIELDS: Final = Reached.__struct_fields__
RATED_FIELDS: Final = (*REACHED_FIELDS, "replied", "bounced", "raw_opened", "raw_clicked")
"""What a change of a tile is told from."""

MailingKey = tuple[UUID, str]
"""Campaign and template; `NO_CAMPAIGN` and "" where there is none."""


class DashboardQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for which emails of which days, and how they are counted."""

    audience: Audience
    period: Days
    wanted: DashboardFilter
    counting: Counting

    @property
    def days(self) -> list[date]:
        """First days of the points of the series."""
        return self.period.points(self.period.step(may_be_coarse=self.counting.may_be_coarse))

    @property
    def regards_jobs(self) -> bool:
        """Whether the job of an email decides if it is asked for."""
        return self.wanted.job_id is not None or self.audience.hiring_manager_id is not None

    @property
    def regards_everything(self) -> bool:
        """Whether all emails of the organisation are asked for."""
        return self.audience.hiring_manager_id is None and not self._filters()

    def parameters(self) -> dict[str, Any]:
        """Give the parameters of the conditions, and the bounds of the period and of its points."""
        return {
            **audience_parameters(self.audience),
            **dict(self._filters()),
            "before": _midnight(self.period.before.first, self.period.zone),
            "start": _midnight(self.period.first, self.period.zone),
            "end": _midnight(self.period.last + timedelta(days=1), self.period.zone),
            "bounds": [_midnight(day, self.period.zone) for day in self.days],
        }

    def chosen(self) -> Composed:
        """Give the condition that a row ``t`` with organisation, job, campaign and template is asked for."""
        conditions: list[Composable] = [
            SQL("t.organization_id = %(organization_id)s"),
            sees_totals(self.audience, "t"),
        ]
        conditions += [SQL("t.{} = {}").format(Identifier(name), Placeholder(name)) for name, _ in self._filters()]
        return SQL(" AND ").join(conditions)

    def _filters(self) -> list[tuple[str, Any]]:
        wanted = msgspec.structs.asdict(self.wanted)
        return [(name, value) for name, value in wanted.items() if value is not None]


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, before anything is named.

    Attributes:
        points: By place in the series, from 1.
    """

    totals: EmailTotals
    previous: EmailTotals
    points: Mapping[int, ReachedInPoint]
    mailings: Mapping[MailingKey, Reached]


async def rows_of(
    connection: AsyncConnection[DictRow], query: Composed, parameters: Mapping[str, Any]
) -> list[DictRow]:
    """Give the rows that answer a query."""
    return await (await connection.execute(query, parameters)).fetchall()


def added_up(rows: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> dict[str, int]:
    """Add rows up, field by field; what is NULL adds nothing."""
    return {name: sum(row[name] or 0 for row in rows) for name in fields}


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)

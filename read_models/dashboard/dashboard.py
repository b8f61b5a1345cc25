"""The dashboard's figures: a period beside the one before it."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from enum import StrEnum
from itertools import islice
from typing import Final
from uuid import UUID

import msgspec

from read_models.metrics.metrics import (
    RATE_DECIMALS,
    EmailTotals,
    EngagementMetrics,
    as_if_people,
    metrics_of,
    percent,
)

TILES = ("open_rate", "click_rate", "click_to_open_rate", "reply_rate", "bounce_rate")
MOST_POINTS = 92
"""Of a series by day; longer periods are told by week. Where points may be coarse, also of one by week or month."""


class Step(StrEnum):
    """How far apart the points of a series are."""

    DAY = "day"
    WEEK = "week"
    """From Monday."""
    MONTH = "month"
    QUARTER = "quarter"

    def beginning(self, day: date) -> date:
        """Give the first day of the point that a day is in."""
        if self is Step.DAY:
            return day
        if self is Step.WEEK:
            return day - timedelta(days=day.weekday())
        return date(day.year, day.month - (day.month - 1) % _MONTHS[self], 1)

    def after(self, beginning: date) -> date:
        """Give the first day of the point after the one that begins on a day."""
        if self in _MONTHS:
            months = beginning.month - 1 + _MONTHS[self]
            return date(beginning.year + months // 12, months % 12 + 1, 1)
        return beginning + timedelta(days=1 if self is Step.DAY else 7)


_MONTHS: Final = {Step.MONTH: 1, Step.QUARTER: 3}


class Basis(StrEnum):
    """What a period is a period of."""

    COHORT = "cohort"
    """The emails sent in it, whatever happened to them since."""
    ACTIVITY = "activity"
    """What happened in it, whenever the emails were sent."""


class Counting(msgspec.Struct, frozen=True, kw_only=True):
    """How the emails of a dashboard are counted.

    Attributes:
        with_automated: Whether machines count like people.
        may_be_coarse: Whether years are told by month or quarter, for whoever has no room for hundreds of weeks.
    """

    basis: Basis = Basis.COHORT
    with_automated: bool = False
    may_be_coarse: bool = False


USUAL_COUNTING: Final = Counting()


class Days(msgspec.Struct, frozen=True, kw_only=True):
    """A period in days of a time zone, first and last included."""

    first: date = msgspec.field(name="from")
    last: date = msgspec.field(name="to")
    zone: str = msgspec.field(name="tz")

    @property
    def number(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Days":
        """As many days just before it."""
        return Days(first=self.first - timedelta(days=self.number), last=self.first - timedelta(days=1), zone=self.zone)

    def step(self, *, may_be_coarse: bool) -> Step:
        """Say how far apart the points of its series are: as close as `MOST_POINTS` allows."""
        *finer, coarsest = Step if may_be_coarse else (Step.DAY, Step.WEEK)
        return next((step for step in finer if self._has_room(step)), coarsest)

    def points(self, step: Step) -> list[date]:
        """Give the first day of each point; that of the first may be before the period."""
        return list(self._beginnings(step))

    def _has_room(self, step: Step) -> bool:
        return next(islice(self._beginnings(step), MOST_POINTS, None), None) is None

    def _beginnings(self, step: Step) -> Iterator[date]:
        day = step.beginning(self.first)
        while day <= self.last:
            yield day
            day = step.after(day)


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """A rate beside that of the previous period.

    Attributes:
        value: Percent; ``None`` where nothing was measured.
        change: In percentage points; ``None`` where either period measured nothing.
    """

    value: float | None
    change: float | None


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A day, or the week, month or quarter that begins then.

    Attributes:
        sent: How many emails were sent.
        opens: Of these, how many a person has opened since; as activity: how many emails a person opened then.
        clicks: Likewise, in how many a person has followed a link.
        replies: Likewise, how many were answered.
        bounces: Likewise, how many came back.
    """

    date: date
    sent: int
    opens: int
    clicks: int
    replies: int
    bounces: int


class Mailing(msgspec.Struct, frozen=True, kw_only=True):
    """Emails with the same template in the same campaign, and how they did.

    Attributes:
        subject: Of the latest of them; "" where the recipient was erased.
    """

    campaign_id: UUID | None
    template_id: str | None
    template_name: str | None
    subject: str
    sent: int
    opens: int
    clicks: int
    open_rate: float | None
    click_rate: float | None


class TemplateFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How the emails of a template did."""

    template_id: str
    name: str
    sent: int
    opens: int
    clicks: int
    open_rate: float | None
    click_rate: float | None


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """Sums of a group of emails."""

    sent: int
    opened: int
    clicked: int


class ReachedInPoint(Reached, frozen=True, kw_only=True):
    """Sums of the emails of a point of the series."""

    replied: int
    bounced: int


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """What the dashboard is made of; with machines as people already but for the totals, which tell both.

    Attributes:
        points: By first day of each point that has emails.
        templates: Id, name and sums, the most sent (as activity: opened) first.
        mailings: Campaign, template, its name, latest subject and sums, the best first.
    """

    totals: EmailTotals
    previous: EmailTotals
    points: Mapping[date, ReachedInPoint]
    templates: list[tuple[str, str, Reached]]
    mailings: list[tuple[UUID | None, str | None, str | None, str, Reached]]


class Dashboard(msgspec.Struct, frozen=True, kw_only=True):
    """What `GET /api/v1/dashboard` answers."""

    basis: Basis
    period: Days
    previous_period: Days
    step: Step
    tiles: dict[str, Tile]
    totals: EngagementMetrics
    series: list[Point]
    top_emails: list[Mailing]
    templates: list[TemplateFigures]


def dashboard_of(period: Days, sums: Sums, counting: Counting = USUAL_COUNTING) -> Dashboard:
    """Put the figures of a period together.

    Source:
        AF-1, UI-1; MET-1: percentages of tracked emails sent in the period: as a cohort, whenever they were opened; as
        activity, of whatever was opened in it, so that they may exceed 100. BR-558.7: machines count if asked for.
    """
    totals, previous = (
        metrics_of(as_if_people(one) if counting.with_automated else one) for one in (sums.totals, sums.previous)
    )
    step = period.step(may_be_coarse=counting.may_be_coarse)
    return Dashboard(
        basis=counting.basis,
        period=period,
        previous_period=period.before,
        step=step,
        tiles={name: _tile(getattr(totals, name), getattr(previous, name)) for name in TILES},
        totals=totals,
        series=[_point(day, sums.points.get(day)) for day in period.points(step)],
        top_emails=[_mailing(*mailing) for mailing in sums.mailings],
        templates=[_template(*template) for template in sums.templates],
    )


def _tile(value: float | None, before: float | None) -> Tile:
    known = value is not None and before is not None
    return Tile(value=value, change=round(value - before, RATE_DECIMALS) if known else None)  # type: ignore[operator]  # known


def _point(day: date, reached: ReachedInPoint | None) -> Point:
    if reached is None:
        return Point(date=day, sent=0, opens=0, clicks=0, replies=0, bounces=0)
    return Point(
        date=day,
        sent=reached.sent,
        opens=reached.opened,
        clicks=reached.clicked,
        replies=reached.replied,
        bounces=reached.bounced,
    )


def _mailing(
    campaign_id: UUID | None, template_id: str | None, name: str | None, subject: str, reached: Reached
) -> Mailing:
    return Mailing(
        campaign_id=campaign_id,
        template_id=template_id,
        template_name=name,
        subject=subject,
        sent=reached.sent,
        opens=reached.opened,
        clicks=reached.clicked,
        open_rate=percent(reached.opened, reached.sent),
        click_rate=percent(reached.clicked, reached.sent),
    )


def _template(template_id: str, name: str, reached: Reached) -> TemplateFigures:
    return TemplateFigures(
        template_id=template_id,
        name=name,
        sent=reached.sent,
        opens=reached.opened,
        clicks=reached.clicked,
        open_rate=percent(reached.opened, reached.sent),
        click_rate=percent(reached.clicked, reached.sent),
    )

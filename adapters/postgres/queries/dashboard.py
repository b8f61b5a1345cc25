"""The dashboard from sums by quarters of an hour: every range, filter and time zone is a sum of a few thousand rows."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composed, Identifier, Placeholder

from adapters.postgres.queries.visibility import audience_parameters, sees_job, sees_totals
from adapters.postgres.query_pool import ScopedDatabase
from read_models.audience import Audience
from read_models.dashboard.dashboard import Days, Reached, Sums
from read_models.dashboard.queries import Choice, Choices, DashboardFilter
from read_models.engagement.view import NO_CAMPAIGN
from read_models.metrics.metrics import EmailTotals

MOST_TEMPLATES: Final = 50
MOST_MAILINGS: Final = 5
MOST_CHOICES: Final = 500
FEW: Final = 5
"""Fewer emails than this tell little: they come last in the ranking."""

# Days by their bounds, not by local time: arithmetic with zones would cost several times as much as the sums.
POINTS: Final = SQL("""
SELECT width_bucket(t.sent_quarter, %(bounds)s::timestamptz[]) AS point, {sums} FROM email_totals t
WHERE {chosen} AND t.sent_quarter >= %(start)s AND t.sent_quarter < %(end)s GROUP BY 1
""")
PREVIOUS: Final = SQL("""
SELECT {sums} FROM email_totals t WHERE {chosen} AND t.sent_quarter >= %(before)s AND t.sent_quarter < %(start)s
""")
MAILINGS: Final = SQL("""
SELECT t.campaign_id, t.template_id, {sums} FROM email_totals t
WHERE {chosen} AND t.sent_quarter >= %(start)s AND t.sent_quarter < %(end)s GROUP BY 1, 2
""")
TOTALS_FIELDS: Final = EmailTotals.__struct_fields__
REACHED_FIELDS: Final = Reached.__struct_fields__
RATED_FIELDS: Final = (*REACHED_FIELDS, "replied", "bounced")
"""What a change of a tile is told from."""
NAMES: Final = "SELECT id, name FROM templates WHERE organization_id = %(organization_id)s AND id = ANY(%(ids)s)"
SUBJECT: Final = SQL("""
SELECT e.subject FROM email_logs e WHERE e.organization_id = %(organization_id)s
    AND {of_campaign} AND {of_template}
    AND e.sent_at >= %(start)s AND e.sent_at < %(end)s AND e.subject <> '' AND {sees_email}
ORDER BY e.sent_at DESC LIMIT 1
""")
JOBS: Final = SQL("""
SELECT j.id, j.title AS name FROM jobs j WHERE j.organization_id = %(organization_id)s AND {sees_job}
ORDER BY j.title, j.id LIMIT %(most)s
""")
TEMPLATES: Final = SQL("""
SELECT p.id, p.name FROM templates p WHERE p.organization_id = %(organization_id)s AND EXISTS (
    SELECT FROM email_totals t WHERE t.organization_id = p.organization_id AND t.template_id = p.id
        AND t.template_id <> '' AND {sees_totals}
) ORDER BY p.name, p.id LIMIT %(most)s
""")


class PostgresDashboardQueries:
    """Implements `DashboardQueries`."""

    def __init__(self, database: ScopedDatabase) -> None:
        self._database = database

    async def sums(self, audience: Audience, period: Days, wanted: DashboardFilter) -> Sums:
        days = list(period.points())
        parameters = {
            **audience_parameters(audience),
            **dict(_filters(wanted)),
            "before": _midnight(period.before.first, period.zone),
            "start": _midnight(period.first, period.zone),
            "end": _midnight(period.last + timedelta(days=1), period.zone),
            "bounds": [_midnight(day, period.zone) for day in days],
        }
        chosen = _chosen(audience, wanted)
        async with self._database.reading(audience.organization_id) as connection:
            points = await _rows(connection, POINTS, TOTALS_FIELDS, chosen, parameters)
            [previous] = await _rows(connection, PREVIOUS, RATED_FIELDS, chosen, parameters)
            groups = await _rows(connection, MAILINGS, REACHED_FIELDS, chosen, parameters)
            names = await self._names(connection, parameters, groups)
            return Sums(
                totals=EmailTotals(**_added_up(points, TOTALS_FIELDS)),
                previous=EmailTotals(**_added_up([previous], RATED_FIELDS)),
                points={days[row["point"] - 1]: _reached(row) for row in points},
                templates=_templates(groups, names),
                mailings=[
                    (
                        campaign_id := None if row["campaign_id"] == NO_CAMPAIGN else row["campaign_id"],
                        template_id := row["template_id"] or None,
                        names.get(row["template_id"]),
                        await _subject(connection, audience, parameters, campaign_id, template_id),
                        _reached(row),
                    )
                    for row in _best(groups)
                ],
            )

    async def choices(self, audience: Audience) -> Choices:
        parameters = {**audience_parameters(audience), "most": MOST_CHOICES}
        async with self._database.reading(audience.organization_id) as connection:
            jobs = await connection.execute(JOBS.format(sees_job=sees_job(audience, "j", "id")), parameters)
            found_jobs = await jobs.fetchall()
            templates = await connection.execute(TEMPLATES.format(sees_totals=sees_totals(audience, "t")), parameters)
            found_templates = await templates.fetchall()
        return Choices(
            jobs=[Choice(id=row["id"], name=row["name"] or row["id"]) for row in found_jobs],
            templates=[Choice(id=row["id"], name=row["name"] or row["id"]) for row in found_templates],
        )

    async def _names(
        self, connection: AsyncConnection[DictRow], parameters: dict[str, Any], groups: list[DictRow]
    ) -> dict[str, str]:
        ids = sorted({row["template_id"] for row in groups if row["template_id"]})
        cursor = await connection.execute(NAMES, {**parameters, "ids": ids})
        return {row["id"]: row["name"] or row["id"] for row in await cursor.fetchall()}


async def _rows(
    connection: AsyncConnection[DictRow],
    query: SQL,
    fields: Sequence[str],
    chosen: Composed,
    parameters: dict[str, Any],
) -> list[DictRow]:
    sums = SQL(", ").join(SQL("sum(t.{0})::bigint AS {0}").format(Identifier(name)) for name in fields)
    return await (await connection.execute(query.format(sums=sums, chosen=chosen), parameters)).fetchall()


def _added_up(rows: Sequence[DictRow], fields: Sequence[str]) -> dict[str, int]:
    return {name: sum(row[name] or 0 for row in rows) for name in fields}


def _templates(groups: list[DictRow], names: dict[str, str]) -> list[tuple[str, str, Reached]]:
    of_template: dict[str, list[DictRow]] = {}
    for row in groups:
        if row["template_id"]:
            of_template.setdefault(row["template_id"], []).append(row)
    sums = [(template_id, _reached(_added_up(rows, REACHED_FIELDS))) for template_id, rows in of_template.items()]
    sums.sort(key=lambda one: (-one[1].sent, one[0]))
    return [
        (template_id, names.get(template_id, template_id), reached) for template_id, reached in sums[:MOST_TEMPLATES]
    ]


def _best(groups: list[DictRow]) -> list[DictRow]:
    """Give the mailings that were opened most, those of a few emails last."""
    rows = [row for row in groups if row["sent"]]
    rows.sort(
        key=lambda row: (
            row["sent"] < FEW,
            -row["opened"] / row["sent"],
            -row["clicked"] / row["sent"],
            -row["sent"],
            str(row["campaign_id"]),
            row["template_id"],
        )
    )
    return rows[:MOST_MAILINGS]


async def _subject(
    connection: AsyncConnection[DictRow],
    audience: Audience,
    parameters: dict[str, Any],
    campaign_id: UUID | None,
    template_id: str | None,
) -> str:
    cursor = await connection.execute(
        SUBJECT.format(
            sees_email=sees_job(audience, "e", "job_id"),
            of_campaign=SQL("e.campaign_id = %(campaign_id)s" if campaign_id else "e.campaign_id IS NULL"),
            of_template=SQL("e.template_id = %(template_id)s" if template_id else "e.template_id IS NULL"),
        ),
        {**parameters, "campaign_id": campaign_id, "template_id": template_id},
    )
    row = await cursor.fetchone()
    return str(row["subject"]) if row else ""


def _reached(row: Mapping[str, Any]) -> Reached:
    return Reached(sent=row["sent"], opened=row["opened"], clicked=row["clicked"])


def _filters(wanted: DashboardFilter) -> list[tuple[str, Any]]:
    named = (("job_id", wanted.job_id), ("campaign_id", wanted.campaign_id), ("template_id", wanted.template_id))
    return [(name, value) for name, value in named if value is not None]


def _chosen(audience: Audience, wanted: DashboardFilter) -> Composed:
    conditions = [SQL("t.organization_id = %(organization_id)s"), sees_totals(audience, "t")]
    conditions += [SQL("t.{} = {}").format(Identifier(name), Placeholder(name)) for name, _ in _filters(wanted)]
    return SQL(" AND ").join(conditions)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)

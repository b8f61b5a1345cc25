"""The dashboard: figures from sums or from what happened, with the names of what they are about."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.sql import SQL

from adapters.postgres.queries.activity_sums import activity_sums
from adapters.postgres.queries.cohort_sums import cohort_sums
from adapters.postgres.queries.dashboard_question import REACHED_FIELDS, DashboardQuestion, MailingKey
from adapters.postgres.queries.visibility import audience_parameters, sees_job, sees_totals
from adapters.postgres.query_pool import ScopedDatabase
from read_models.audience import Audience
from read_models.dashboard.dashboard import USUAL_COUNTING, Basis, Counting, Days, Reached, Sums
from read_models.dashboard.queries import Choice, Choices, DashboardFilter
from read_models.engagement.view import NO_CAMPAIGN

MOST_TEMPLATES: Final = 50
MOST_MAILINGS: Final = 5
MOST_CHOICES: Final = 500
FEW: Final = 5
"""Fewer emails than this tell little: they come last in the ranking."""

NAMES: Final = "SELECT id, name FROM templates WHERE organization_id = %(organization_id)s AND id = ANY(%(ids)s)"
SUBJECT: Final = SQL("""
SELECT e.subject FROM email_logs e WHERE e.organization_id = %(organization_id)s
    AND {of_campaign} AND {of_template}
    AND {sent} AND e.sent_at < %(end)s AND e.subject <> '' AND {sees_email}
ORDER BY e.sent_at DESC LIMIT 1
""")
SENT_SINCE: Final = {Basis.COHORT: SQL("e.sent_at >= %(start)s"), Basis.ACTIVITY: SQL("true")}
# What is chosen comes first within, so that it is there however many others are; all are shown by name.
JOBS: Final = SQL("""
SELECT id, name FROM (
    SELECT j.id, j.title AS name FROM jobs j WHERE j.organization_id = %(organization_id)s AND {sees_job}
    ORDER BY j.id IS NOT DISTINCT FROM %(job_id)s DESC, j.title, j.id LIMIT %(most)s
) shown ORDER BY name, id
""")
TEMPLATES: Final = SQL("""
SELECT id, name FROM (
    SELECT p.id, p.name FROM templates p WHERE p.organization_id = %(organization_id)s AND EXISTS (
        SELECT FROM email_totals t WHERE t.organization_id = p.organization_id AND t.template_id = p.id
            AND t.template_id <> '' AND {sees_totals}
    ) ORDER BY p.id IS NOT DISTINCT FROM %(template_id)s DESC, p.name, p.id LIMIT %(most)s
) shown ORDER BY name, id
""")


class PostgresDashboardQueries:
    """Implements `DashboardQueries`."""

    def __init__(self, database: ScopedDatabase) -> None:
        self._database = database

    async def sums(
        self, audience: Audience, period: Days, wanted: DashboardFilter, counting: Counting = USUAL_COUNTING
    ) -> Sums:
        question = DashboardQuestion(audience=audience, period=period, wanted=wanted, counting=counting)
        gather = activity_sums if counting.basis is Basis.ACTIVITY else cohort_sums
        gathered = await gather(self._database, question)
        async with self._database.reading(audience.organization_id) as connection:
            names = await _names(connection, question, gathered.mailings)
            return Sums(
                totals=gathered.totals,
                previous=gathered.previous,
                points={question.days[place - 1]: reached for place, reached in gathered.points.items()},
                templates=_templates(gathered.mailings, names, counting.basis),
                mailings=[
                    (
                        None if campaign_id == NO_CAMPAIGN else campaign_id,
                        template_id or None,
                        names.get(template_id),
                        await _subject(connection, question, campaign_id, template_id),
                        reached,
                    )
                    for (campaign_id, template_id), reached in _best(gathered.mailings, counting.basis)
                ],
            )

    async def choices(self, audience: Audience, wanted: DashboardFilter) -> Choices:
        parameters = {
            **audience_parameters(audience),
            "job_id": wanted.job_id,
            "template_id": wanted.template_id,
            "most": MOST_CHOICES,
        }
        async with self._database.reading(audience.organization_id) as connection:
            jobs = await connection.execute(JOBS.format(sees_job=sees_job(audience, "j", "id")), parameters)
            found_jobs = await jobs.fetchall()
            templates = await connection.execute(TEMPLATES.format(sees_totals=sees_totals(audience, "t")), parameters)
            found_templates = await templates.fetchall()
        return Choices(jobs=_with(wanted.job_id, found_jobs), templates=_with(wanted.template_id, found_templates))


def _with(chosen: str | None, rows: Sequence[DictRow]) -> list[Choice]:
    """Give what was found, and what is chosen in any case: by its id where the audience knows no name of it."""
    choices = [Choice(id=row["id"], name=row["name"] or row["id"]) for row in rows]
    if chosen is None or any(choice.id == chosen for choice in choices):
        return choices
    return [*choices, Choice(id=chosen, name=chosen)]


async def _names(
    connection: AsyncConnection[DictRow], question: DashboardQuestion, mailings: Mapping[MailingKey, Reached]
) -> dict[str, str]:
    ids = sorted({template_id for _, template_id in mailings if template_id})
    cursor = await connection.execute(NAMES, {**question.parameters(), "ids": ids})
    return {row["id"]: row["name"] or row["id"] for row in await cursor.fetchall()}


def _templates(
    mailings: Mapping[MailingKey, Reached], names: Mapping[str, str], basis: Basis
) -> list[tuple[str, str, Reached]]:
    """Add mailings up by template, those with the most to tell first."""
    of_template: dict[str, list[Reached]] = {}
    for (_, template_id), reached in mailings.items():
        if template_id:
            of_template.setdefault(template_id, []).append(reached)
    sums = [
        (template_id, Reached(**{name: sum(getattr(one, name) for one in those) for name in REACHED_FIELDS}))
        for template_id, those in of_template.items()
    ]
    first = "opened" if basis is Basis.ACTIVITY else "sent"
    sums.sort(key=lambda one: (-getattr(one[1], first), -one[1].sent, one[0]))
    return [
        (template_id, names.get(template_id, template_id), reached) for template_id, reached in sums[:MOST_TEMPLATES]
    ]


def _best(mailings: Mapping[MailingKey, Reached], basis: Basis) -> list[tuple[MailingKey, Reached]]:
    if basis is Basis.ACTIVITY:
        rows = [row for row in mailings.items() if row[1].opened]
        rows.sort(key=lambda row: (-row[1].opened, -row[1].clicked, str(row[0][0]), row[0][1]))
    else:
        rows = [row for row in mailings.items() if row[1].sent]
        rows.sort(key=_by_share_opened)
    return rows[:MOST_MAILINGS]


def _by_share_opened(row: tuple[MailingKey, Reached]) -> tuple[Any, ...]:
    """Order the mailings that were opened most first, those of a few emails last."""
    (campaign_id, template_id), reached = row
    return (
        reached.sent < FEW,
        -reached.opened / reached.sent,
        -reached.clicked / reached.sent,
        -reached.sent,
        str(campaign_id),
        template_id,
    )


async def _subject(
    connection: AsyncConnection[DictRow], question: DashboardQuestion, campaign_id: UUID, template_id: str
) -> str:
    """Give the subject of the mailing's latest email."""
    cursor = await connection.execute(
        SUBJECT.format(
            sees_email=sees_job(question.audience, "e", "job_id"),
            sent=SENT_SINCE[question.counting.basis],
            of_campaign=SQL(
                "e.campaign_id IS NULL" if campaign_id == NO_CAMPAIGN else "e.campaign_id = %(of_campaign)s"
            ),
            of_template=SQL("e.template_id = %(of_template)s" if template_id else "e.template_id IS NULL"),
        ),
        {**question.parameters(), "of_campaign": campaign_id, "of_template": template_id},
    )
    row = await cursor.fetchone()
    return str(row["subject"]) if row else ""

"""The dashboard: figures from sums or from what happened, with the names of what they are about."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composed, Placeholder

from adapters.postgres.queries.activity_sums import activity_sums
from adapters.postgres.queries.cohort_sums import cohort_sums
from adapters.postgres.queries.dashboard_question import REACHED_FIELDS, DashboardQuestion, MailingKey, rows_of
from adapters.postgres.queries.visibility import audience_parameters, sees_job, sees_totals
from adapters.postgres.query_pool import ScopedDatabase
from read_models.audience import Audience
from read_models.dashboard.dashboard import USUAL_COUNTING, Basis, Counting, Days, Reached, Sums
from read_models.dashboard.queries import Choice, Choices, DashboardFilter, FilterBy
from read_models.engagement.view import NO_CAMPAIGN
from read_models.paging import Page, PageRequest, page_of

MOST_TEMPLATES: Final = 50
MOST_MAILINGS: Final = 5
MOST_CHOICES: Final = 200
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
JOBS: Final = SQL("""
SELECT j.id, j.title AS name, j.named_at FROM jobs j WHERE j.organization_id = %(organization_id)s AND {sees_job}
""")
TEMPLATES: Final = SQL("""
SELECT p.id, p.name, p.named_at FROM templates p WHERE p.organization_id = %(organization_id)s AND EXISTS (
    SELECT FROM email_totals t WHERE t.organization_id = p.organization_id AND t.template_id = p.id
        AND t.template_id <> '' AND {sees_totals}
)
""")
# What is chosen comes first, so that it is there however many others are.
LATEST: Final = SQL("""
SELECT id, name FROM ({those}) c ORDER BY id IS NOT DISTINCT FROM {chosen} DESC, named_at DESC, id LIMIT %(rows)s
""")
# By the beginning of the name: a cursor has no room for 2,000 characters.
BY_NAME: Final = SQL("""
SELECT id, name, beginning FROM (SELECT id, name, left(name, 100) AS beginning FROM ({those}) c) c
WHERE (%(words)s = '' OR id = %(words)s OR strpos(lower(name), lower(%(words)s)) > 0) AND {after}
ORDER BY beginning, id LIMIT %(rows)s
""")
AFTER: Final = SQL("(beginning, id) > (%(beginning)s, %(id)s)")


class ChoiceKey(NamedTuple):
    """Place of a job or a template in the list by name."""

    beginning: str
    id: str


class PostgresDashboardQueries:
    """Implements `DashboardQueries`."""

    def __init__(self, database: ScopedDatabase) -> None:
        self._database = database

    async def sums(
        self, audience: Audience, period: Days, wanted: DashboardFilter, counting: Counting = USUAL_COUNTING
    ) -> Sums:
        question = DashboardQuestion(audience=audience, period=period, wanted=wanted, counting=counting)
        gather = activity_sums if counting.basis is Basis.ACTIVITY else cohort_sums
        gathered, days = await gather(self._database, question), question.days
        async with self._database.reading(audience.organization_id) as connection:
            names = await _names(connection, question, gathered.mailings)
            return Sums(
                totals=gathered.totals,
                previous=gathered.previous,
                points={days[place - 1]: reached for place, reached in gathered.points.items()},
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
            "rows": MOST_CHOICES + 1,
        }
        async with self._database.reading(audience.organization_id) as connection:
            jobs = await rows_of(
                connection,
                LATEST.format(those=_those(audience, FilterBy.JOB), chosen=Placeholder("job_id")),
                parameters,
            )
            templates = await rows_of(
                connection,
                LATEST.format(those=_those(audience, FilterBy.TEMPLATE), chosen=Placeholder("template_id")),
                parameters,
            )
        return Choices(
            jobs=_with(wanted.job_id, jobs[:MOST_CHOICES]),
            templates=_with(wanted.template_id, templates[:MOST_CHOICES]),
            more_jobs=len(jobs) > MOST_CHOICES,
            more_templates=len(templates) > MOST_CHOICES,
        )

    async def choices_named(self, audience: Audience, by: FilterBy, words: str, page: PageRequest) -> Page[Choice]:
        after = page.after(ChoiceKey)
        query = BY_NAME.format(those=_those(audience, by), after=AFTER if after else SQL("true"))
        parameters = {
            **audience_parameters(audience),
            "words": words,
            "rows": page.limit + 1,
            **(after._asdict() if after else {}),
        }
        async with self._database.reading(audience.organization_id) as connection:
            rows = await rows_of(connection, query, parameters)
        return page_of(
            [_choice(row) for row in rows], page.limit, keys=[ChoiceKey(row["beginning"], row["id"]) for row in rows]
        )


def _those(audience: Audience, by: FilterBy) -> Composed:
    """Give the query for the jobs or templates that an audience has emails about."""
    if by is FilterBy.JOB:
        return JOBS.format(sees_job=sees_job(audience, "j", "id"))
    return TEMPLATES.format(sees_totals=sees_totals(audience, "t"))


def _with(chosen: str | None, rows: Sequence[DictRow]) -> list[Choice]:
    """Give what was found, and what is chosen in any case: by its id where the audience knows no name of it."""
    choices = [_choice(row) for row in rows]
    if chosen is None or any(choice.id == chosen for choice in choices):
        return choices
    return [Choice(id=chosen, name=chosen), *choices]


def _choice(row: DictRow) -> Choice:
    return Choice(id=row["id"], name=row["name"] or row["id"])


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

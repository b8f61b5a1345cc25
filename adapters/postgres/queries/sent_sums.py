"""Emails sent in a period, from the smallest sums that can tell: every range and zone is a sum of a few thousand rows.

Without a filter the organisation's own sums by quarters of an hour are enough; and unless jobs matter, mailings are
summed up by whole days, with quarters of an hour at the ends of the period, where its days are not those of UTC.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composed, Identifier

from adapters.postgres.queries.dashboard_question import DashboardQuestion, rows_of

# Days by their bounds, not by local time: arithmetic with zones would cost several times as much as the sums.
POINTS: Final = SQL("""
SELECT width_bucket(t.sent_quarter, %(bounds)s::timestamptz[]) AS point, {sums} FROM {table} t
WHERE {chosen} AND t.sent_quarter >= %(start)s AND t.sent_quarter < %(end)s GROUP BY 1
""")
BEFORE: Final = SQL("""
SELECT {sums} FROM {table} t WHERE {chosen} AND t.sent_quarter >= %(before)s AND t.sent_quarter < %(start)s
""")
MAILINGS: Final = SQL("""
SELECT t.campaign_id, t.template_id, {sums} FROM email_totals t
WHERE {chosen} AND t.sent_quarter >= %(start)s AND t.sent_quarter < %(end)s GROUP BY 1, 2
""")
MAILINGS_BY_DAYS: Final = SQL("""
SELECT t.campaign_id, t.template_id, {sums} FROM (
    SELECT t.campaign_id, t.template_id, {fields} FROM mailing_totals t
    WHERE {chosen} AND t.sent_day >= %(days_from)s::date AND t.sent_day < %(days_to)s::date
    UNION ALL SELECT t.campaign_id, t.template_id, {fields} FROM email_totals t
    WHERE {chosen} AND t.sent_quarter >= %(start)s AND t.sent_quarter < %(days_from)s
    UNION ALL SELECT t.campaign_id, t.template_id, {fields} FROM email_totals t
    WHERE {chosen} AND t.sent_quarter >= %(days_to)s AND t.sent_quarter < %(end)s
) t GROUP BY 1, 2
""")


async def sent_by_point(
    connection: AsyncConnection[DictRow], question: DashboardQuestion, fields: Sequence[str]
) -> list[DictRow]:
    """Give ``point``, its place in the series, and the sums of fields, for points with emails."""
    query = POINTS.format(sums=_sums(fields), table=_table(question), chosen=question.chosen())
    return await rows_of(connection, query, question.parameters())


async def sent_before(
    connection: AsyncConnection[DictRow], question: DashboardQuestion, fields: Sequence[str]
) -> list[DictRow]:
    """Give one row with the sums of fields over the period before; NULL without emails."""
    query = BEFORE.format(sums=_sums(fields), table=_table(question), chosen=question.chosen())
    return await rows_of(connection, query, question.parameters())


async def sent_by_mailing(
    connection: AsyncConnection[DictRow], question: DashboardQuestion, fields: Sequence[str]
) -> list[DictRow]:
    """Give ``campaign_id``, ``template_id`` and the sums of fields, for mailings with emails in the period.

    Args:
        connection: Of the organisation.
        question: Which emails.
        fields: Of ``mailing_totals``.
    """
    parameters = question.parameters()
    if question.regards_jobs:
        query = MAILINGS.format(sums=_sums(fields), chosen=question.chosen())
    else:
        query = MAILINGS_BY_DAYS.format(
            sums=_sums(fields),
            fields=SQL(", ").join(SQL("t.{}").format(Identifier(name)) for name in fields),
            chosen=question.chosen(),
        )
        days_from, days_to = whole_days(parameters["start"], parameters["end"])
        parameters |= {"days_from": days_from, "days_to": days_to}
    return await rows_of(connection, query, parameters)


def whole_days(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Give the begin and the end of the days of UTC that lie in a period as a whole; its end twice if none does."""
    first = _day_of(start)
    if first < start:
        first += timedelta(days=1)
    last = _day_of(end)
    return (first, last) if first <= last else (end, end)


def _day_of(instant: datetime) -> datetime:
    return datetime.combine(instant.date(), time(), UTC)


def _table(question: DashboardQuestion) -> Identifier:
    return Identifier("organization_totals" if question.regards_everything else "email_totals")


def _sums(fields: Sequence[str]) -> Composed:
    return SQL(", ").join(SQL("sum(t.{0})::bigint AS {0}").format(Identifier(name)) for name in fields)

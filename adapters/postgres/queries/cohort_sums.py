"""Emails sent in a period, from sums by quarters of an hour: every range and zone is a sum of a few thousand rows."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.sql import SQL, Identifier

from adapters.postgres.queries.dashboard_question import (
    RATED_FIELDS,
    REACHED_FIELDS,
    TOTALS_FIELDS,
    DashboardQuestion,
    Gathered,
    added_up,
    rows_of,
)
from read_models.dashboard.dashboard import Reached
from read_models.metrics.metrics import EmailTotals

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
RAW_FIELDS: Final = ("sent", "raw_opened", "raw_clicked")


async def cohort_sums(connection: AsyncConnection[DictRow], question: DashboardQuestion) -> Gathered:
    """Sum up the emails sent in the period and in the one before."""
    of_mailing = RAW_FIELDS if question.counting.with_automated else REACHED_FIELDS
    points = await _summed(connection, POINTS, TOTALS_FIELDS, question)
    previous = await _summed(connection, PREVIOUS, RATED_FIELDS, question)
    mailings = await _summed(connection, MAILINGS, of_mailing, question)
    return Gathered(
        totals=EmailTotals(**added_up(points, TOTALS_FIELDS)),
        previous=EmailTotals(**added_up(previous, RATED_FIELDS)),
        points={row["point"]: _reached(row, of_mailing) for row in points},
        mailings={(row["campaign_id"], row["template_id"]): _reached(row, of_mailing) for row in mailings},
    )


async def _summed(
    connection: AsyncConnection[DictRow], query: SQL, fields: Sequence[str], question: DashboardQuestion
) -> list[DictRow]:
    sums = SQL(", ").join(SQL("sum(t.{0})::bigint AS {0}").format(Identifier(name)) for name in fields)
    return await rows_of(connection, query.format(sums=sums, chosen=question.chosen()), question.parameters())


def _reached(row: Mapping[str, Any], fields: Sequence[str]) -> Reached:
    sent, opened, clicked = (row[name] for name in fields)
    return Reached(sent=sent, opened=opened, clicked=clicked)

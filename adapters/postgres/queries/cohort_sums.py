"""How the emails sent in a period did, whenever it happened."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from adapters.postgres.queries.dashboard_question import (
    RATED_FIELDS,
    REACHED_FIELDS,
    TOTALS_FIELDS,
    DashboardQuestion,
    Gathered,
    added_up,
)
from adapters.postgres.queries.sent_sums import sent_before, sent_by_mailing, sent_by_point
from adapters.postgres.query_pool import ScopedDatabase
from read_models.dashboard.dashboard import Reached, ReachedInPoint
from read_models.metrics.metrics import EmailTotals

RAW_FIELDS: Final = ("sent", "raw_opened", "raw_clicked")


async def cohort_sums(database: ScopedDatabase, question: DashboardQuestion) -> Gathered:
    """Sum up the emails sent in the period and in the one before."""
    of_mailing = RAW_FIELDS if question.counting.with_automated else REACHED_FIELDS
    async with database.reading(question.audience.organization_id) as connection:
        points = await sent_by_point(connection, question, TOTALS_FIELDS)
        previous = await sent_before(connection, question, RATED_FIELDS)
        mailings = await sent_by_mailing(connection, question, of_mailing)
    return Gathered(
        totals=EmailTotals(**added_up(points, TOTALS_FIELDS)),
        previous=EmailTotals(**added_up(previous, RATED_FIELDS)),
        points={
            row["point"]: ReachedInPoint(
                **msgspec.structs.asdict(_reached(row, of_mailing)), replied=row["replied"], bounced=row["bounced"]
            )
            for row in points
        },
        mailings={(row["campaign_id"], row["template_id"]): _reached(row, of_mailing) for row in mailings},
    )


def _reached(row: Mapping[str, Any], fields: Sequence[str]) -> Reached:
    sent, opened, clicked = (row[name] for name in fields)
    return Reached(sent=sent, opened=opened, clicked=clicked)

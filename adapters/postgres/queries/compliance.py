"""Unsubscribes and spam reports, from the emails' rows."""

from datetime import datetime
from typing import NamedTuple

from psycopg.sql import SQL, Identifier

from adapters.postgres.queries.visibility import audience_parameters, sees_job
from adapters.postgres.query_pool import ScopedDatabase
from read_models.audience import Audience
from read_models.compliance.queries import Complaint, ComplianceRecord
from read_models.paging import Page, PageRequest, page_of
from read_models.periods import Period

RECORDS = SQL("""
SELECT {at} AS occurred_at, nullif(recipient_email, '') AS recipient_email,
    nullif(recipient_name, '') AS recipient_name, recipient_type, recipient_id, email_id, id AS email_log_id, subject,
    sent_at, campaign_id, template_id,
    template_name, job_id, sender_id, provider, message_id
FROM email_logs
WHERE organization_id = %(organization_id)s AND {at} IS NOT NULL AND {starts} AND {ends} AND {after} AND {seen}
ORDER BY {at} DESC, id DESC LIMIT %(rows)s
""")
TIMES = {
    Complaint.UNSUBSCRIBED: Identifier("unsubscribed_at"),
    Complaint.SPAM_REPORTED: Identifier("spam_reported_at"),
}


class RecordKey(NamedTuple):
    """Place of an email in the list."""

    occurred_at: datetime
    email_log_id: int


class PostgresComplianceQueries:
    """Implements `ComplianceQueries`."""

    def __init__(self, database: ScopedDatabase) -> None:
        self._database = database

    async def records(
        self, audience: Audience, complaint: Complaint, period: Period, page: PageRequest
    ) -> Page[ComplianceRecord]:
        after, at = page.after(RecordKey), TIMES[complaint]
        query = RECORDS.format(
            at=at,
            starts=SQL("{} >= %(start)s").format(at) if period.start else SQL("true"),
            ends=SQL("{} < %(end)s").format(at) if period.end else SQL("true"),
            after=SQL("({}, id) < (%(occurred_at)s, %(email_log_id)s)").format(at) if after else SQL("true"),
            seen=sees_job(audience, "job_id"),
        )
        parameters = {
            **audience_parameters(audience),
            "start": period.start,
            "end": period.end,
            "rows": page.limit + 1,
            **(after._asdict() if after else {}),
        }
        async with self._database.reading(audience.organization_id) as connection:
            cursor = await connection.execute(query, parameters)
            records = [ComplianceRecord(**row) for row in await cursor.fetchall()]
        return page_of(records, page.limit, keys=[RecordKey(r.occurred_at, r.email_log_id) for r in records])

"""Emails by recipient domain: counted once from the emails' rows, in a grouping that stays small."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from msgspec.structs import asdict
from psycopg.sql import SQL

from adapters.postgres.queries.visibility import audience_parameters, sees_job
from adapters.postgres.query_pool import ROOM_TO_COUNT, ScopedDatabase
from domain.values import BounceKind
from read_models.audience import Audience
from read_models.deliverability.deliverability import Outcome, deliverability_of
from read_models.deliverability.queries import DeliverabilityReport, DomainLine, RestLine
from read_models.periods import Period

# Who was erased has no address and so no domain. A bounce after a delivery is both: it came back later. The last place
# is that of all domains that get no line of their own.
BY_DOMAIN = SQL("""
WITH counted AS MATERIALIZED (
    SELECT split_part(recipient_email, '@', -1) AS domain, bounce_type, bounce_reason,
        count(*) FILTER (WHERE {left}) AS sent, count(delivered_at) AS delivered,
        count(*) FILTER (WHERE NOT {left}) AS dropped, count(bounced_at) AS bounced,
        count(spam_reported_at) AS spam_reported, count(unsubscribed_at) AS unsubscribed
    FROM email_logs
    WHERE organization_id = %(organization_id)s AND sent_at >= %(start)s AND sent_at < %(end)s AND {seen}
    GROUP BY 1, 2, 3
), places AS (
    SELECT domain, least(row_number() OVER (ORDER BY sum(sent + dropped) DESC, domain), %(most)s + 1) AS place
    FROM counted GROUP BY domain
)
SELECT place, min(domain) AS domain, (SELECT count(*) FROM places) AS domains, bounce_type AS kind,
    bounce_reason AS reason, {sums}
FROM counted JOIN places USING (domain)
GROUP BY place, bounce_type, bounce_reason ORDER BY place
""")
LEFT = SQL(
    "(dropped_at IS NULL OR delivered_at IS NOT NULL OR bounced_at IS NOT NULL OR open_count > 0 OR click_count > 0"
    " OR reply_count > 0)"
)
COUNTS = ("sent", "delivered", "dropped", "bounced", "spam_reported", "unsubscribed")


class PostgresDeliverabilityQueries:
    """Implements `DeliverabilityQueries`."""

    def __init__(self, database: ScopedDatabase) -> None:
        self._database = database

    async def by_domain(self, audience: Audience, period: Period, *, most: int) -> DeliverabilityReport:
        if period.start is None or period.end is None:
            raise ValueError("deliverability is asked for a period with both ends")
        query = BY_DOMAIN.format(
            left=LEFT,
            seen=sees_job(audience, "job_id"),
            sums=SQL(", ").join(SQL(f"sum({name})::bigint AS {name}") for name in COUNTS),
        )
        parameters = {**audience_parameters(audience), "start": period.start, "end": period.end, "most": most}
        async with self._database.reading(audience.organization_id) as connection:
            await connection.execute(ROOM_TO_COUNT)
            rows = await (await connection.execute(query, parameters)).fetchall()
        lines = {place: list(line) for place, line in groupby(rows, key=lambda row: int(row["place"]))}
        rest = lines.pop(most + 1, None)
        return DeliverabilityReport(
            start=period.start,
            end=period.end,
            total=deliverability_of(_merged(rows)),
            items=[
                DomainLine(domain=line[0]["domain"] or None, **asdict(deliverability_of(map(_outcome, line))))
                for line in lines.values()
            ],
            rest=RestLine(domains=rest[0]["domains"] - most, **asdict(deliverability_of(map(_outcome, rest))))
            if rest
            else None,
        )


def _merged(rows: Iterable[dict[str, Any]]) -> list[Outcome]:
    """Add up what lines have in common."""
    sums: dict[tuple[str | None, str | None], dict[str, int]] = {}
    for row in rows:
        counts = sums.setdefault((row["kind"], row["reason"]), dict.fromkeys(COUNTS, 0))
        for name in COUNTS:
            counts[name] += row[name]
    return [_outcome({"kind": kind, "reason": reason, **counts}) for (kind, reason), counts in sums.items()]


def _outcome(row: dict[str, Any]) -> Outcome:
    kind = None if row["kind"] is None else BounceKind(row["kind"])
    return Outcome(kind=kind, reason=row["reason"], **{name: row[name] for name in COUNTS})

"""What happened in a period, email by email, from indexes that hold all that is asked for: every email counts once."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composed, Identifier, Literal, Placeholder

from adapters.postgres.queries.dashboard_question import DashboardQuestion, Gathered, MailingKey, added_up, rows_of
from adapters.postgres.queries.sent_sums import sent_before, sent_by_mailing, sent_by_point
from adapters.postgres.query_pool import ROOM_TO_COUNT, ScopedDatabase
from domain.values import Verdict
from read_models.dashboard.dashboard import Reached, ReachedInPoint
from read_models.engagement.view import NO_CAMPAIGN
from read_models.metrics.metrics import EmailTotals

K = TypeVar("K")

# One bit for each thing that may have happened to an email: all that happened to it becomes one number.
OPENED, CLICKED, REPLIED, BOUNCED, UNSUBSCRIBED, SPAM_REPORTED, FETCHED, SCANNED = (1 << place for place in range(8))
BY_PEOPLE: Final = {
    "opened": OPENED,
    "clicked": OPENED | CLICKED,  # MET-1: a click implies an open
    "replied": REPLIED,
    "bounced": BOUNCED,
    "unsubscribed": UNSUBSCRIBED,
    "spam_reported": SPAM_REPORTED,
}
BY_MACHINES: Final = {"opened": FETCHED, "clicked": FETCHED | SCANNED}
REACHED, RAW_REACHED = ("opened", "clicked"), ("raw_opened", "raw_clicked")
EMAILS: Final = {
    "opened": OPENED,
    "clicked": CLICKED,
    "replied": REPLIED,
    "bounced": BOUNCED,
    "unsubscribed": UNSUBSCRIBED,
    "spam_reported": SPAM_REPORTED,
    "raw_opened": OPENED | FETCHED,
    "raw_clicked": CLICKED | SCANNED,
}
"""Figures that count emails, by what must have happened to them."""
COUNTED_APART: Final = [verdict.value for verdict in Verdict if verdict.is_counted_apart]

# By kind, as the index is: what was delivered, half of everything, is counted apart and read for no other figure.
HAPPENED: Final = SQL("""
SELECT t.email_log_id, t.campaign_id, t.template_id, t.event_timestamp, {did} AS did FROM {table} t
WHERE {chosen} AND t.event_type = ANY({kinds}) AND t.event_timestamp >= {start} AND t.event_timestamp < {end}
""")
MAILINGS: Final = SQL("""
SELECT e.campaign_id, e.template_id, {figures} FROM (
    SELECT h.email_log_id, h.campaign_id, h.template_id, bit_or(h.did) AS did FROM ({happened}) h GROUP BY 1, 2, 3
) e GROUP BY 1, 2
""")
POINTS: Final = SQL("""
SELECT e.point, {figures} FROM (
    SELECT h.email_log_id, width_bucket(h.event_timestamp, %(bounds)s::timestamptz[]) AS point, bit_or(h.did) AS did
    FROM ({happened}) h GROUP BY 1, 2
) e GROUP BY 1
""")
PREVIOUS: Final = SQL("""
SELECT {figures} FROM (SELECT h.email_log_id, bit_or(h.did) AS did FROM ({happened}) h GROUP BY 1) e
""")
TIMES: Final = SQL("""
SELECT (SELECT count(*) FROM ({clicks}) c) AS total_clicks,
    (SELECT count(*) FROM ({fetches}) f) AS machine_opens,
    (SELECT count(*) FROM ({scans}) s) AS scanner_clicks,
    (SELECT count(DISTINCT d.email_log_id) FROM ({deliveries}) d) AS delivered
""")


async def activity_sums(database: ScopedDatabase, question: DashboardQuestion) -> Gathered:
    """Count the emails to which something happened in the period and in the one before, and the emails sent in these.

    The time to open is not told: it belongs to emails, not to days. Half is asked over one connection and half over
    another, at once: the database has more than one processor, and each of the statements uses one.
    """
    opened, clicked = RAW_REACHED if question.counting.with_automated else REACHED
    period, series = await asyncio.gather(
        _of_period(database, question), _of_series(database, question, (opened, clicked))
    )
    return Gathered(
        totals=EmailTotals(
            **added_up(period.counted, tuple(EMAILS)), **period.times, **added_up(series.sent, ["sent"])
        ),
        previous=EmailTotals(**series.previous, **added_up(series.sent_before, ["sent"])),
        points={
            point: ReachedInPoint(sent=sent, opened=o, clicked=c, replied=replied, bounced=bounced)
            for point, (sent, o, c, replied, bounced) in _added_up_by(
                [*series.points, *series.sent],
                lambda row: row["point"],
                ("sent", opened, clicked, "replied", "bounced"),
            ).items()
        },
        mailings={
            mailing: Reached(sent=sent, opened=o, clicked=c)
            for mailing, (sent, o, c) in _added_up_by(
                [*period.counted, *period.sent], _mailing_of, ("sent", opened, clicked)
            ).items()
        },
    )


class _OfPeriod(NamedTuple):
    """What happened and what was sent, by mailing, and what counts each time."""

    counted: list[DictRow]
    sent: list[DictRow]
    times: DictRow


class _OfSeries(NamedTuple):
    """What happened and what was sent, by point, and in the period before."""

    points: list[DictRow]
    sent: list[DictRow]
    previous: DictRow
    sent_before: list[DictRow]


async def _of_period(database: ScopedDatabase, question: DashboardQuestion) -> _OfPeriod:
    async with database.reading(question.audience.organization_id) as connection:
        await connection.execute(ROOM_TO_COUNT)
        ask = _Asking(connection, question)
        counted = await ask.rows(MAILINGS, EMAILS, ask.happened())
        sent = await sent_by_mailing(connection, question, ["sent"])
        [times] = await ask.times()
        return _OfPeriod(counted, sent, times)


async def _of_series(database: ScopedDatabase, question: DashboardQuestion, reached: tuple[str, str]) -> _OfSeries:
    async with database.reading(question.audience.organization_id) as connection:
        await connection.execute(ROOM_TO_COUNT)
        ask = _Asking(connection, question)
        figures = {name: EMAILS[name] for name in (*reached, "replied", "bounced")}
        points = await ask.rows(POINTS, figures, ask.happened(kinds=("opened", "clicked", "replied", "bounced")))
        sent = await sent_by_point(connection, question, ["sent"])
        [previous] = await ask.rows(PREVIOUS, EMAILS, ask.happened(start="before", end="start"))
        return _OfSeries(points, sent, previous, await sent_before(connection, question, ["sent"]))


class _Asking:
    """Puts the same choice of emails into every query."""

    def __init__(self, connection: AsyncConnection[DictRow], question: DashboardQuestion) -> None:
        self._connection = connection
        self._chosen = question.chosen()
        self._parameters = {**question.parameters(), "counted_apart": COUNTED_APART}
        self._with_automated = question.counting.with_automated

    async def rows(self, query: SQL, figures: Mapping[str, int], happened: Composed) -> list[DictRow]:
        """Count the emails by what happened to them."""
        counts = SQL(", ").join(
            SQL("count(*) FILTER (WHERE e.did & {} <> 0) AS {}").format(Literal(bits), Identifier(name))
            for name, bits in figures.items()
        )
        return await rows_of(self._connection, query.format(figures=counts, happened=happened), self._parameters)

    async def times(self) -> list[DictRow]:
        """Count what counts each time."""
        query = TIMES.format(
            clicks=self._of_people(("clicked",)),
            fetches=self._of_machines(("opened",)),
            scans=self._of_machines(("clicked",)),
            deliveries=self._of_people(("delivered",)),
        )
        return await rows_of(self._connection, query, self._parameters)

    def happened(
        self, *, kinds: tuple[str, ...] = tuple(BY_PEOPLE), start: str = "start", end: str = "end"
    ) -> Composed:
        """Give the rows of what people, and machines if they are asked for, did between two instants."""
        people = self._of_people(kinds, start, end)
        if not self._with_automated:
            return people
        machines = self._of_machines(tuple(kind for kind in kinds if kind in BY_MACHINES), start, end)
        return SQL(" UNION ALL ").join([people, machines])

    def _of_people(self, kinds: tuple[str, ...], start: str = "start", end: str = "end") -> Composed:
        return self._done("engagement_tracking", BY_PEOPLE, kinds, start, end)

    def _of_machines(self, kinds: tuple[str, ...], start: str = "start", end: str = "end") -> Composed:
        done = self._done("automated_engagement", BY_MACHINES, kinds, start, end)
        return done + SQL(" AND t.verdict = ANY(%(counted_apart)s)")

    def _done(self, table: str, bits: Mapping[str, int], kinds: tuple[str, ...], start: str, end: str) -> Composed:
        cases = SQL(" ").join(
            SQL("WHEN {} THEN {}").format(Literal(kind), Literal(bits.get(kind, 0))) for kind in kinds
        )
        return HAPPENED.format(
            did=SQL("CASE t.event_type {} END").format(cases),
            table=Identifier(table),
            chosen=self._chosen,
            kinds=Literal(list(kinds)),
            start=Placeholder(start),
            end=Placeholder(end),
        )


def _mailing_of(row: Mapping[str, Any]) -> MailingKey:
    return row["campaign_id"] or NO_CAMPAIGN, row["template_id"] or ""


def _added_up_by(
    rows: Sequence[Mapping[str, Any]], key_of: Callable[[Mapping[str, Any]], K], fields: Sequence[str]
) -> dict[K, list[int]]:
    """Bring together what was sent and what happened; a row that does not tell a figure adds nothing to it."""
    sums: dict[K, list[int]] = {}
    for row in rows:
        figures = sums.setdefault(key_of(row), [0] * len(fields))
        for place, name in enumerate(fields):
            figures[place] += row.get(name, 0)
    return sums

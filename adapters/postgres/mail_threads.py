"""Threads of emails and of parked mails, within a unit of work's transaction."""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from application.ports.mail_threads import WaitingMail
from domain.mail_threads import Thread

_WAITING: Final = (
    "SELECT p.email_id, array_agg(a.thread_id ORDER BY a.place) FROM ops.parked_reports p"
    " JOIN ops.awaited_threads a ON a.parked_id = p.id"
    " WHERE p.status = 'orphaned' AND p.id = ANY (ARRAY({found})) GROUP BY p.email_id"
)
_FOR_EMAILS: Final = _WAITING.format(
    found="SELECT w.parked_id FROM ops.email_threads t JOIN ops.awaited_threads w USING (thread_id)"
    " WHERE t.email_id = ANY(%s)"
)
_FOR_KNOWN: Final = _WAITING.format(
    found="SELECT w.parked_id FROM ops.awaited_threads w JOIN ops.email_threads t USING (thread_id)"
    " ORDER BY random() LIMIT %s"  # those that it cannot be told for must not stand in the others' way
)


class PostgresMailThreads:
    """See `application.ports.mail_threads.MailThreads`.

    Args:
        cursor: Of the transaction.
    """

    def __init__(self, cursor: Cursor[Any]) -> None:
        self._cursor = cursor

    def remember(self, threads: Sequence[Thread]) -> None:
        if threads:
            # In one order everywhere, so that registrations wait for each other and never in a circle.
            rows = sorted({(t.thread_id, t.email_id, t.addressee_id) for t in threads})
            self._cursor.execute(
                "INSERT INTO ops.email_threads (thread_id, email_id, addressee_id)"
                " SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[]) ON CONFLICT DO NOTHING",
                [list(column) for column in zip(*rows, strict=True)],
            )

    def of(self, thread_ids: Sequence[UUID]) -> list[Thread]:
        if not thread_ids:
            return []
        self._cursor.execute(
            "SELECT thread_id, email_id, addressee_id FROM ops.email_threads WHERE thread_id = ANY(%s)",
            (list(thread_ids),),
        )
        return [Thread(*row) for row in self._cursor]

    def wait(self, mails: Sequence[WaitingMail]) -> None:
        rows = sorted({(mail.waiting_id, thread_id): place for mail, place, thread_id in _quotations(mails)}.items())
        if rows:
            self._cursor.execute(
                "INSERT INTO ops.awaited_threads (thread_id, parked_id, place)"
                " SELECT q.thread_id, p.id, q.place FROM unnest(%s::uuid[], %s::uuid[], %s::smallint[])"
                " AS q (waiting_id, thread_id, place)"
                " JOIN ops.parked_reports p ON p.email_id = q.waiting_id AND p.status = 'orphaned'"
                " ON CONFLICT DO NOTHING",
                ([key[0] for key, _ in rows], [key[1] for key, _ in rows], [place for _, place in rows]),
            )

    def waiting_for(self, email_ids: Sequence[UUID]) -> list[WaitingMail]:
        return self._waiting(_FOR_EMAILS, list(email_ids))

    def waiting_for_known(self, *, most: int) -> list[WaitingMail]:
        return self._waiting(_FOR_KNOWN, most)

    def _waiting(self, query: str, parameter: object) -> list[WaitingMail]:
        self._cursor.execute(query, (parameter,))
        return [WaitingMail(waiting_id, tuple(quoted)) for waiting_id, quoted in self._cursor]


def _quotations(mails: Iterable[WaitingMail]) -> Iterable[tuple[WaitingMail, int, UUID]]:
    return ((mail, place, thread_id) for mail in mails for place, thread_id in enumerate(mail.quoted))

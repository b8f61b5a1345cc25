"""Threads of emails and of parked mails over a `MemoryStore`, for tests."""

from collections.abc import Callable, Sequence
from uuid import UUID

from adapters.memory.store import MemoryStore
from application.ports.mail_threads import WaitingMail
from application.ports.parked_reports import Orphan
from domain.mail_threads import Thread


class MemoryMailThreads:
    """See `application.ports.mail_threads.MailThreads`.

    Args:
        store: What is committed.
        defer: Takes what happens at the end of the transaction.
    """

    def __init__(self, store: MemoryStore, defer: Callable[[Callable[[], object]], None]) -> None:
        self._store = store
        self._defer = defer

    def remember(self, threads: Sequence[Thread]) -> None:
        self._defer(lambda: self._store.threads.update(threads))

    def of(self, thread_ids: Sequence[UUID]) -> list[Thread]:
        return [thread for thread in self._store.threads if thread.thread_id in thread_ids]

    def wait(self, mails: Sequence[WaitingMail]) -> None:
        self._defer(lambda: self._store.waiting_mails.update({mail.waiting_id: mail for mail in mails}))

    def waiting_for(self, email_ids: Sequence[UUID]) -> list[WaitingMail]:
        return self._waiting({thread.thread_id for thread in self._store.threads if thread.email_id in email_ids})

    def waiting_for_known(self, *, most: int) -> list[WaitingMail]:
        return self._waiting({thread.thread_id for thread in self._store.threads})[:most]

    def _waiting(self, thread_ids: set[UUID]) -> list[WaitingMail]:
        parked = {row.report.email_id for row in self._store.parked.values() if isinstance(row.report, Orphan)}
        return [
            mail
            for mail in self._store.waiting_mails.values()
            if mail.waiting_id in parked and thread_ids.intersection(mail.quoted)
        ]

"""Rows of emails that were folded lately, at hand for the next facts about them."""

from collections.abc import Collection, Iterable
from typing import Final
from uuid import UUID

from read_models.engagement.view import EmailLog

MOST_KEPT: Final = 20_000
"""Emails, at about 1.5 kB each."""


class EmailsInWork:
    """Keeps the rows that a read model's latest batches read or changed, as they were after the last of these.

    Facts about an email come in clusters, and a row costs 2 to 4 µs of Python to read, a kept one 1. What was folded
    last is always kept, however much it is. Whoever holds this must know that the rows are still those of the tables:
    see `WriteBehindStore`.

    Args:
        most: How many are kept of earlier batches.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._recent: dict[UUID, EmailLog] = {}
        self._older: dict[UUID, EmailLog] = {}

    def among(self, email_ids: Collection[UUID]) -> dict[UUID, EmailLog]:
        """Give those that are kept."""
        recent, older = self._recent, self._older
        found: dict[UUID, EmailLog] = {}
        for email_id in email_ids:
            if email := recent.get(email_id) or older.get(email_id):
                found[email_id] = email
        return found

    def keep(self, emails: Iterable[EmailLog]) -> None:
        """Take the rows that a batch left.

        Those that were just made are not kept: their contact may turn out to be another organisation's, which only
        the table will tell. They say when they were created; rows that were read do not.
        """
        for email in emails:
            if email.created_at is None:
                self._recent[email.email_id] = email
            else:
                self._recent.pop(email.email_id, None)
                self._older.pop(email.email_id, None)
        if len(self._recent) > self._most // 2:
            self._older, self._recent = self._recent, {}

    def forget(self, email_log_ids: Collection[int]) -> None:
        """Let go of emails that are purged."""
        gone = set(email_log_ids)
        for kept in (self._recent, self._older):
            for email_id in [email_id for email_id, email in kept.items() if email.id in gone]:
                del kept[email_id]

    def clear(self) -> None:
        """Let go of all."""
        self._recent, self._older = {}, {}

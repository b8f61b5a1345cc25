"""Under which ids emails may be quoted, and which parked mails wait for one of them."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from domain.mail_threads import Thread


class WaitingMail(msgspec.Struct, frozen=True):
    """A parked mail that quotes emails which nobody registered.

    Attributes:
        waiting_id: Stands for the email in its `Orphan.email_id`, until it is known.
        quoted: Names of what it quotes, the most telling first.
    """

    waiting_id: UUID
    quoted: tuple[UUID, ...]


class MailThreads(Protocol):
    """Part of a unit of work."""

    def remember(self, threads: Sequence[Thread]) -> None:
        """Keep under which ids emails may be quoted; what is known already changes nothing."""
        ...

    def of(self, thread_ids: Sequence[UUID]) -> list[Thread]:
        """Give every email that is quoted under one of these ids."""
        ...

    def wait(self, mails: Sequence[WaitingMail]) -> None:
        """Have mails, parked as orphans in this transaction or before, found when an email that they quote is known."""
        ...

    def waiting_for(self, email_ids: Sequence[UUID]) -> list[WaitingMail]:
        """Give the parked mails that quote one of these emails."""
        ...

    def waiting_for_known(self, *, most: int) -> list[WaitingMail]:
        """Give parked mails that quote emails which are known by now."""
        ...

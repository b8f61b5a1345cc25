"""What there is to destroy when a person is erased."""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from domain.recipient import Recipient


class ErasureRecords(Protocol):
    """Keys of people, and parked reports about them, as part of a unit of work."""

    def destroy_key(self, addressee_id: UUID) -> bool:
        """Destroy somebody's key: nothing that was sealed with it is ever read again.

        Returns:
            Whether there was one.
        """
        ...

    def keep(self, recipient: Recipient) -> None:
        """Append that somebody was erased.

        Raises:
            ConcurrentAppendError: Somebody else was quicker.
        """
        ...

    def last_erasure(self, addressee_id: UUID) -> int | None:
        """Give the place of the newest `Erased` fact about somebody, this transaction's included."""
        ...

    def newest_waiting(self, organization_id: UUID) -> int:
        """Give the number of the newest delivery of an organisation that waits to be processed; 0 if none waits."""
        ...

    def is_waiting(self, organization_id: UUID, *, until: int) -> bool:
        """Whether any delivery of an organisation up to that number still waits, or is being processed."""
        ...

    def forget_failures_by_email(self, organization_id: UUID, addressee_id: UUID) -> None:
        """Delete the failed reports that name somebody by no more than the message id of an email to them."""
        ...

    def forget_orphans(self, addressee_id: UUID) -> None:
        """Delete the reports about somebody that wait for their email."""
        ...

    def forget_failures(
        self, organization_id: UUID, is_about: Callable[[bytes], bool], *, after: int, most: int
    ) -> int | None:
        """Look at failed reports, one part of them in the order of their numbers, and delete those about somebody.

        One that cannot be opened, because the key it was sealed with was taken away, goes as well: nobody can say whom
        it is about.

        Args:
            organization_id: Whose.
            is_about: Whether a body is to go.
            after: Number of the last one that was looked at.
            most: How many to look at; fewer if they are large.

        Returns:
            Number of the last one that was looked at now; None if there are no more.
        """
        ...


class ReadModelsProgress(Protocol):
    """How far all read models are."""

    def read_until(self) -> int:
        """Give the place up to which every read model has read, those that are being rebuilt included."""
        ...

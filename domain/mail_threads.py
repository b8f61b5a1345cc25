"""Which sent email an incoming mail answers, told by the ids that mail software quotes."""

from collections.abc import Iterable, Sequence
from hashlib import sha1
from uuid import UUID

import msgspec


class Thread(msgspec.Struct, frozen=True, gc=False):
    """An id under which people may quote an email; an email has one or more, and several emails may share one.

    Attributes:
        thread_id: As `thread_id_for` names it.
        email_id: The email that is quoted.
        addressee_id: Whom it went to, as `addressee_id_for` names them.
    """

    thread_id: UUID
    email_id: UUID
    addressee_id: UUID


def thread_id_for(organization_id: UUID, message_id: str) -> UUID:
    """Name what a mail quotes, without looking anything up.

    Args:
        organization_id: Namespace: nobody's mail answers another organisation's email.
        message_id: As `normalise_message_id`, or the provider's adapter, gives it.
    """
    # An email's name has two line feeds, this one: the two never meet.
    name = sha1(organization_id.bytes + f"thread\n{message_id}".encode(), usedforsecurity=False)
    return UUID(bytes=name.digest()[:16], version=5)


def answered_email(quoted: Sequence[UUID], known: Iterable[Thread], addressee_id: UUID) -> UUID | None:
    """Find the email that a mail answers.

    People answer from other addresses than the one they were written to, so any quoted email will do if it is the only
    one of its id; where several share an id, it must be the one that went to whoever answers.

    Args:
        quoted: Names of what the mail quotes, the most telling first.
        known: Threads of registered emails, in any order.
        addressee_id: Of whoever answers.

    Returns:
        ``None`` if none is quoted, or it cannot be told which.
    """
    by_thread: dict[UUID, list[Thread]] = {}
    for thread in known:
        by_thread.setdefault(thread.thread_id, []).append(thread)
    for thread_id in quoted:
        candidates = by_thread.get(thread_id, [])
        own = [thread for thread in candidates if thread.addressee_id == addressee_id]
        if len(own or candidates) == 1:
            return (own or candidates)[0].email_id
    return None

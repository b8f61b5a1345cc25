"""Mail that people and mail servers send back: what is kept of it, and who takes it in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, TypeAlias, runtime_checkable
from uuid import UUID

import msgspec

from domain.commands import RecordBounce, RecordDeferral, RecordDelivery, RecordReply

MailReport: TypeAlias = RecordReply | RecordBounce | RecordDeferral | RecordDelivery


class InboundMail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of an incoming mail: enough to find the email that it answers, none of its words.

    Attributes:
        report: What it says; its `message_id` is the first quoted id and its `recipient` whoever answers, or whom the
            email did not reach. Both are as the mail says, so neither names the email.
        own_id: The mail's own Message-ID without brackets; "" if it has none.
        quoted_ids: Message ids that it quotes, without brackets, the most telling first.
        reply_tokens: What may be tokens of reply addresses that it was sent to.
        is_named: Of a delivery report, whether the email was sent to its `recipient` by name, in To, Cc or the
            envelope; if not, it may have been passed on to them by whom it was sent to.
        is_list_mail: Whether a mailing list passed it on; then it counts only if it answers an email.
    """

    report: MailReport
    own_id: str = ""
    quoted_ids: tuple[str, ...] = ()
    reply_tokens: tuple[str, ...] = ()
    is_named: bool = False
    is_list_mail: bool = False


@runtime_checkable
class TakesMail(Protocol):
    """A provider whose deliveries may be mails. Nothing of what people write is kept, not even in the inbox."""

    def most_bytes(self, headers: Mapping[str, str]) -> int:
        """Give the largest accepted body, inclusive: mails carry attachments, reports do not.

        Args:
            headers: Of the request; lower-case names.
        """
        ...

    def without_words(self, headers: Mapping[str, str], body: bytes, received_at: datetime) -> bytes:
        """Give the form in which a delivery is kept, and which `translate` reads: mails are cut to their facts.

        Never raises: a mail that cannot be read is replaced by a note that says why.

        Args:
            headers: Of the request; lower-case names.
            body: Proven, exactly as received.
            received_at: Aware UTC; stands in where a mail does not say when it was written.
        """
        ...


class ReplyAddresses(Protocol):
    """Addresses that say by themselves which email is answered."""

    def address_for(self, organization_id: UUID, email_id: UUID, domain: str) -> str:
        """Give the address to put into an email's Reply-To.

        Args:
            organization_id: Whose email it is.
            email_id: As `email_id_for` names it.
            domain: Where the organisation receives mail; as `reply_domain` gave it.
        """
        ...

    def email_id_of(self, organization_id: UUID, token: str) -> UUID | None:
        """Give the email whose reply address holds this token; ``None`` if nobody signed it for this organisation."""
        ...

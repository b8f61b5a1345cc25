"""Find the emails that incoming mails answer: by reply address, then by what they quote."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias, TypeVar
from uuid import UUID

import msgspec

from application.ports.inbound_mail import InboundMail, MailReport, ReplyAddresses
from application.ports.mail_threads import WaitingMail
from application.ports.parked_reports import Orphan
from application.ports.provider import Ignored, Provider
from application.ports.unit_of_work import Registered, UnitOfWork
from domain.commands import AnyReport, RecordReply
from domain.errors import InvalidMessageIdError
from domain.mail_threads import answered_email, thread_id_for
from domain.values import addressee_id_for

FROM_ANOTHER_ADDRESS = "from_another_address"
"""Metadata of a reply that did not come from the address that the email went to."""


class Matched(msgspec.Struct, frozen=True):
    """A mail as a report on an email.

    Attributes:
        email_id: The email; or what stands for it while nobody registered it.
        waiting: What an unregistered email will be found by; ``None`` if the email is known by name.
    """

    email_id: UUID
    report: MailReport
    waiting: WaitingMail | None = None


class _Clues(msgspec.Struct, frozen=True):
    """What a mail tells about the email that it answers."""

    organization_id: UUID
    mail: InboundMail
    addressed: UUID | None
    own: tuple[UUID, ...]
    quoted: tuple[UUID, ...]


Found: TypeAlias = Matched | Ignored
SomeReport = TypeVar("SomeReport", bound=AnyReport)


class MatchMail:
    """Matches mails, any number at once, as part of a transaction.

    Args:
        providers: Know what their mail servers make of a message id, so that what a mail quotes is recognised.
        addresses: Prove reply addresses.

    Source:
        Trigger "Candidate replies to email"; FLOW-4, EF-2.
    """

    def __init__(self, providers: Mapping[str, Provider], addresses: ReplyAddresses) -> None:
        self._providers = providers
        self._addresses = addresses

    def __call__(self, unit: UnitOfWork, mails: Sequence[tuple[UUID, InboundMail]]) -> list[Found]:
        """Say what each mail means.

        Args:
            unit: The transaction; only read from.
            mails: Each with the organisation that it came to.

        Returns:
            One for each mail, in the same order.
        """
        if not mails:
            return []
        clues = [self._clues(organization_id, mail) for organization_id, mail in mails]
        threads = unit.threads.of(list({id_ for clue in clues for id_ in (*clue.own, *clue.quoted)}))
        quoted = {thread.thread_id for thread in threads}
        answered = [
            clue.addressed
            or answered_email(clue.quoted, threads, addressee_id_for(clue.organization_id, clue.mail.report.recipient))
            for clue in clues
        ]
        registered = unit.registrations([email_id for email_id in answered if email_id is not None])
        return [
            Ignored("own_mail")
            if quoted.intersection(clue.own)
            else _matched(clue, email_id, registered.get(email_id))
            if email_id
            else _unmatched(clue)
            for clue, email_id in zip(clues, answered, strict=True)
        ]

    def _clues(self, organization_id: UUID, mail: InboundMail) -> _Clues:
        addressed = (self._addresses.email_id_of(organization_id, token) for token in mail.reply_tokens)
        return _Clues(
            organization_id=organization_id,
            mail=mail,
            addressed=next((email_id for email_id in addressed if email_id is not None), None),
            own=tuple(self._names(organization_id, [mail.own_id])),
            quoted=tuple(self._names(organization_id, mail.quoted_ids)),
        )

    def _names(self, organization_id: UUID, message_ids: Sequence[str]) -> Iterator[UUID]:
        forms: dict[str, None] = {}
        for message_id in message_ids:
            for provider in self._providers.values():
                try:
                    forms.setdefault(provider.normalise_message_id(message_id))
                except InvalidMessageIdError:
                    continue
        return (thread_id_for(organization_id, form) for form in forms)


def answering_mails(unit: UnitOfWork, waiting: Sequence[WaitingMail]) -> list[Orphan]:
    """Take parked mails that no other worker holds, each on the email that it answers, as far as that is known now."""
    if not waiting:
        return []
    quoted = {mail.waiting_id: mail.quoted for mail in waiting}
    threads = unit.threads.of(list({id_ for mail in waiting for id_ in mail.quoted}))
    addressees = {thread.email_id: thread.addressee_id for thread in threads}
    found: list[Orphan] = []
    for orphan in unit.parked.orphans_of(list(quoted)):
        answerer = addressee_id_for(orphan.organization_id, orphan.report.recipient)
        email_id = answered_email(quoted[orphan.email_id], threads, answerer)
        if email_id is None:
            continue
        if orphan.report.is_named and answerer != addressees[email_id]:
            unit.parked.forget([orphan.id])
            continue
        report = _noted(orphan.report, answerer, addressees[email_id])
        found.append(msgspec.structs.replace(orphan, email_id=email_id, report=report))
    return found


def _matched(clue: _Clues, email_id: UUID, registered: Registered | None) -> Found:
    report = clue.mail.report
    addressee_id = registered.sent.addressee_id if registered is not None else None
    answerer = addressee_id_for(clue.organization_id, report.recipient)
    if clue.mail.is_named and addressee_id is not None and answerer != addressee_id:
        return Ignored("another_recipient")  # of a copy: what became of that says nothing of the email
    return Matched(email_id, report if addressee_id is None else _noted(report, answerer, addressee_id))


def _noted(report: SomeReport, answerer: UUID, addressee_id: UUID) -> SomeReport:
    if isinstance(report, RecordReply) and answerer != addressee_id:
        return msgspec.structs.replace(report, metadata={FROM_ANOTHER_ADDRESS: True})
    return report


def _unmatched(clue: _Clues) -> Found:
    if clue.mail.is_list_mail:
        return Ignored("mailing_list")
    if not clue.quoted:
        return Ignored("unrelated_mail")
    report = clue.mail.report
    if clue.mail.is_named:
        report = msgspec.structs.replace(report, is_named=True)
    # The mail's own name: a repeated mail waits once, and a delivery report once for each recipient.
    key = clue.mail.report.key_for(clue.quoted[0])
    waiting_id = thread_id_for(clue.organization_id, f"waiting\n{key.hex()}\n{clue.mail.report.recipient}")
    return Matched(waiting_id, report, WaitingMail(waiting_id, clue.quoted))

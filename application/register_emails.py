"""Make sent emails known, so that reports about them find them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, timedelta
from secrets import token_urlsafe
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from application.email_registrations import EmailRegistration, RegisteredEmail, RejectedEmail, flaw_of
from application.ports.clock import Clock
from application.ports.inbound_mail import ReplyAddresses
from application.ports.provider import Provider
from application.ports.unit_of_work import Registered, UnitOfWork, UnitsOfWork
from application.rematch_orphans import RematchOrphans
from application.transactions import in_transaction
from domain.counted import counted
from domain.email_facts import JobReference, Party, Personal, Sent, addressee_of
from domain.email_message import EmailMessage
from domain.errors import InvalidAddressError, InvalidMessageIdError
from domain.mail_threads import Thread, thread_id_for
from domain.redaction import without_address, without_whole_name
from domain.tracking_terms import TrackingTerms
from domain.values import addressee_id_for, email_id_for, normalise_address, normalise_message_id

LATEST_FUTURE: Final = timedelta(hours=24)


class _Known(NamedTuple):
    """What is known once emails were registered.

    Attributes:
        registered: The emails that are; one that is missing was sent before the time for which the organisation keeps
            emails, and would be purged at once (BR-558.6).
        news: Those of them that were not registered before.
        retention_days: For how many days the organisation keeps emails.
    """

    registered: Mapping[UUID, Registered]
    news: Collection[UUID]
    retention_days: int


class RegisterEmails:
    """Registers sent emails, any number at once; the same email any number of times.

    Args:
        units: Begins transactions.
        providers: By name.
        rematch: Gives reports that came before the registration to their email.
        clock: Gives aware UTC.
        addresses: Makes reply addresses.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        providers: Mapping[str, Provider],
        rematch: RematchOrphans,
        clock: Clock,
        addresses: ReplyAddresses,
    ) -> None:
        self._units = units
        self._providers = providers
        self._rematch = rematch
        self._clock = clock
        self._addresses = addresses

    def __call__(
        self, organization_id: UUID, registrations: Sequence[EmailRegistration]
    ) -> list[RegisteredEmail | RejectedEmail]:
        """Register; one bad email never costs the others.

        Returns:
            One answer per registration, in the order asked.

        Raises:
            StoreUnavailableError: Ask again; what was registered by then stays so, and is answered as such.
        """
        answers: dict[int, RegisteredEmail | RejectedEmail] = {}
        emails: dict[int, UUID] = {}
        sent: dict[UUID, Sent] = {}
        threads: list[Thread] = []
        for place, registration in enumerate(registrations):
            understood = self._understand(organization_id, registration)
            if isinstance(understood, RejectedEmail):
                answers[place] = understood
            else:
                emails[place], fact = understood
                sent.setdefault(emails[place], fact)
                threads += _threads(emails[place], fact, registration)
        if emails:
            known = self._register(organization_id, sent, threads)
            self._match_orphans(organization_id, emails, registrations, known)
            answers |= {
                place: self._answer(email_id, known, registrations[place]) for place, email_id in emails.items()
            }
        return [answers[place] for place in range(len(registrations))]

    def _register(self, organization_id: UUID, sent: Mapping[UUID, Sent], threads: Sequence[Thread]) -> _Known:
        """Register what is not registered yet."""

        def register(unit: UnitOfWork) -> _Known:
            policy = unit.tracking.policies([organization_id])[organization_id]
            known = unit.registrations(list(sent))
            kept_since = self._clock() - timedelta(days=policy.retention_days)
            news = [
                EmailMessage(email_id)
                for email_id, fact in sent.items()
                if email_id not in known and fact.sent_at >= kept_since
            ]
            consents = unit.tracking.consents({addressee_of(sent[message.id]) for message in news})
            for message in news:
                fact = sent[message.id]
                message.register(_under(TrackingTerms(policy, consents.get(addressee_of(fact))), fact))
            unit.append(news)
            new_ids = {message.id for message in news}
            registered = known | unit.registrations(list(new_ids))
            unit.threads.remember([thread for thread in threads if thread.email_id in registered])
            return _Known(registered, new_ids, policy.retention_days)

        return in_transaction(self._units, register)

    def _understand(self, organization_id: UUID, email: EmailRegistration) -> tuple[UUID, Sent] | RejectedEmail:
        provider = self._providers.get(email.provider)
        if provider is None:
            return RejectedEmail(field="provider", detail=f"is not one of {', '.join(sorted(self._providers))}")
        now = self._clock()
        if flaw := flaw_of(email, latest=now + LATEST_FUTURE):
            return flaw
        try:
            message_id = provider.normalise_message_id(email.message_id)
        except InvalidMessageIdError as error:
            return RejectedEmail(field="message_id", detail=str(error))
        try:
            address = normalise_address(email.recipient.email)
        except InvalidAddressError as error:
            return RejectedEmail(field="recipient.email", detail=str(error))
        recipient = Personal(address=address, name=email.recipient.name)
        job, template = email.job, email.template
        return email_id_for(organization_id, provider.name, message_id, address), Sent(
            organization_id=organization_id,
            provider=provider.name,
            message_id=message_id,
            sent_at=email.sent_at.astimezone(UTC),
            recorded_at=now,
            subject=email.subject,
            recipient_type=email.recipient.type,
            recipient_id=email.recipient.id,
            sender=Party(id=email.sender.id, name=without_address(email.sender.name, address)),
            tracking_id=token_urlsafe(16),
            tracking=email.tracking,
            job=JobReference(
                id=job.id, title=without_whole_name(job.title, recipient), hiring_manager_id=job.hiring_manager_id
            )
            if job
            else None,
            template=Party(id=template.id, name=without_whole_name(template.name, recipient)) if template else None,
            campaign_id=email.campaign_id,
            campaign_contact_id=email.campaign_contact_id,
            addressee_id=addressee_id_for(organization_id, address),
            links=email.links,
            personal=recipient,
        )

    def _match_orphans(
        self,
        organization_id: UUID,
        emails: Mapping[int, UUID],
        registrations: Sequence[EmailRegistration],
        known: _Known,
    ) -> None:
        # An email that was known may have become known under another id.
        named_anew = {
            email_id
            for place, email_id in emails.items()
            if registrations[place].internet_message_id and email_id in known.registered
        }
        if found := named_anew.union(known.news):
            self._rematch.of_emails(organization_id, list(found))

    def _answer(
        self, email_id: UUID, known: _Known, registration: EmailRegistration
    ) -> RegisteredEmail | RejectedEmail:
        registered = known.registered.get(email_id)
        if registered is None:
            return RejectedEmail(
                field="sent_at",
                detail=f"is more than {counted(known.retention_days, 'day')} ago, and this organisation keeps no older"
                " emails",
            )
        domain, organization_id = registration.reply_domain, registered.sent.organization_id
        return RegisteredEmail(
            email_id=email_id,
            email_log_id=registered.email_log_id,
            tracking_id=registered.sent.tracking_id,
            status="registered" if email_id in known.news else "already_registered",
            reply_to=self._addresses.address_for(organization_id, email_id, domain.lower()) if domain else None,
        )


def _under(terms: TrackingTerms, sent: Sent) -> Sent:
    """Track only what policy and consent allow now: people who agree later did not agree to earlier emails."""
    return msgspec.structs.replace(sent, tracking=False) if sent.tracking and terms.refusal else sent


def _threads(email_id: UUID, sent: Sent, registration: EmailRegistration) -> Iterator[Thread]:
    """Name the ids under which people may quote the email."""
    quoted = [sent.message_id]
    if registration.internet_message_id is not None:
        quoted.append(normalise_message_id(registration.internet_message_id))
    return (Thread(thread_id_for(sent.organization_id, one), email_id, addressee_of(sent)) for one in quoted)

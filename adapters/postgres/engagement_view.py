"""The engagement rows in PostgreSQL: read and written by the set, never row by row."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from adapters.postgres import engagement_statements as statements
from adapters.postgres.arrays import instant_array, number_array, text_array, uuid_array
from adapters.postgres.copied_rows import automated_lines, changed_lines, event_lines, registered_lines
from adapters.postgres.purge_statements import PURGE, PURGED
from adapters.postgres.totals_statement import add_totals
from adapters.postgres.writes import ImmediateWrites, Writes
from read_models.engagement.view import AutomatedRow, Changes, EmailLog, EventRow, LinkKey, Named, Replaced, TotalsKey


class PostgresEngagementView:
    """See `read_models.engagement.view.EngagementView`; table names resolve by the transaction's search_path.

    Args:
        cursor: To read with.
        writes: Takes what changes the rows; carried out at once unless said otherwise.
    """

    def __init__(self, cursor: Cursor[Any], writes: Writes | None = None) -> None:
        self._cursor = cursor
        self._writes = writes or ImmediateWrites(cursor)

    def emails(self, email_ids: Collection[UUID]) -> Mapping[UUID, EmailLog]:
        if not email_ids:
            return {}
        self._cursor.execute(statements.LOAD, (uuid_array(email_ids),), binary=True)
        emails = [EmailLog(*row) for row in self._cursor.fetchall()]
        return {email.email_id: email for email in emails}

    def links(self, keys: Collection[LinkKey]) -> Collection[LinkKey]:
        self._cursor.execute(
            statements.FOLLOWED,
            (number_array(email_log_id for email_log_id, _ in keys), uuid_array(key for _, key in keys)),
            binary=True,
        )
        return self._cursor.fetchall()

    def emails_to(self, addressee_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
        self._cursor.execute(statements.ADDRESSED, (uuid_array(addressee_ids),), binary=True)
        return dict(self._cursor.fetchall())

    def purged(self, purge_id: UUID) -> Collection[int]:
        self._cursor.execute(PURGED, (purge_id,))
        return [email_log_id for (email_log_id,) in self._cursor]

    def save(self, changes: Changes) -> None:
        self._purge(changes.purged)
        self._add_emails(changes.registered)
        self._add_campaigns(changes.campaigns)
        self._add_names(changes)
        self._change_emails(changes.changed.values())
        self._remove_rows_of(changes.replaced)
        self._remove_implied_opens(changes.implied_opens_gone)
        # Only the registration knows when an email's row was created: rows that tell it are not settled yet.
        contacts_are_new = bool(changes.registered) or any(email.created_at for email in changes.changed.values())
        self._writes.execute(statements.TRUST_CONTACTS)
        self._add_events(changes.events, contacts_are_new=contacts_are_new)
        self._add_automated(changes.automated, contacts_are_new=contacts_are_new)
        self._writes.execute(statements.CHECK_AGAIN)
        self._add_links(changes)
        self._follow_contacts(changes)
        self._add_totals(changes)

    def _add_emails(self, emails: Collection[EmailLog]) -> None:
        if not emails:
            return
        self._writes.execute(statements.STAGE_REGISTRATIONS)
        self._writes.copy(statements.COPY_REGISTRATIONS, registered_lines(emails))
        self._writes.execute(statements.ADD_REGISTRATIONS)
        self._writes.execute(
            statements.ADD_CONTACTS,
            (
                uuid_array(email.campaign_contact_id for email in emails),
                uuid_array(email.organization_id for email in emails),
                uuid_array(email.campaign_id for email in emails),
                [email.recipient_id for email in emails],
            ),
        )
        self._writes.execute(statements.KEEP_CONTACTS_APART, ([email.id for email in emails],))
        first_sent: dict[tuple[UUID, UUID], datetime] = {}
        for email in emails:
            if email.campaign_id:
                key = (email.organization_id, email.campaign_id)
                first_sent[key] = min(email.sent_at, first_sent.get(key, email.sent_at))
        self._add_campaigns(first_sent)

    def _add_campaigns(self, first_sent: Mapping[tuple[UUID, UUID], datetime]) -> None:
        if first_sent:
            self._writes.execute(
                statements.ADD_CAMPAIGNS,
                _columns([(organization, campaign, at) for (organization, campaign), at in sorted(first_sent.items())]),
            )

    def _purge(self, email_log_ids: Collection[int]) -> None:
        if email_log_ids:
            for statement in PURGE:
                self._writes.execute(statement, {"gone": list(email_log_ids)})

    def _add_names(self, changes: Changes) -> None:
        if changes.jobs:
            self._writes.execute(
                statements.NAME_JOBS,
                _columns(
                    [
                        (job.organization_id, job.id, job.name, job.hiring_manager_id, job.named_at, job.named_by)
                        for job in _in_key_order(changes.jobs)
                    ]
                ),
            )
        if changes.templates:
            self._writes.execute(
                statements.NAME_TEMPLATES,
                _columns(
                    [
                        (template.organization_id, template.id, template.name, template.named_at, template.named_by)
                        for template in _in_key_order(changes.templates)
                    ]
                ),
            )

    def _change_emails(self, emails: Collection[EmailLog]) -> None:
        if not emails:
            return
        self._writes.execute(statements.STAGE_EMAILS)
        self._writes.copy(statements.COPY_EMAILS, changed_lines(emails))
        self._writes.execute(statements.CHANGE_EMAILS)

    def _remove_rows_of(self, replaced: Sequence[Replaced]) -> None:
        if not replaced:
            return
        # By primary keys alone: a rebuild has no other indexes yet.
        self._writes.execute(
            statements.REMOVE_EVENTS, (number_array(place for one in replaced for place in one.places),)
        )
        self._writes.execute(
            statements.REMOVE_AUTOMATED,
            ("{" + ",".join([key.hex() for one in replaced for key in one.keys]) + "}",),
        )
        self._writes.execute(
            statements.REMOVE_LINKS,
            (number_array(one.email.id for one in replaced),),
        )
        if erased := [one.email.id for one in replaced if one.email.erased_by is not None]:
            self._writes.execute(
                statements.FORGET_WHO,
                (number_array(erased),),
            )

    def _remove_implied_opens(self, emails: Collection[EmailLog]) -> None:
        if not emails:
            return
        self._writes.execute(statements.REMOVE_EVENTS, (number_array(-email.id for email in emails),))

    def _add_events(self, rows: Collection[EventRow], *, contacts_are_new: bool) -> None:
        if not rows:
            return
        self._writes.execute(statements.STAGE_EVENTS)
        self._writes.copy(statements.COPY_EVENTS, event_lines(rows))
        # Two tables hold the same facts: sent once, put in both places there.
        self._writes.execute(statements.ADD_EVENTS)
        self._writes.execute(statements.ADD_TRACKING_OF_NEW_CONTACTS if contacts_are_new else statements.ADD_TRACKING)

    def _add_automated(self, rows: Collection[AutomatedRow], *, contacts_are_new: bool) -> None:
        if not rows:
            return
        self._writes.execute(statements.STAGE_AUTOMATED)
        self._writes.copy(statements.COPY_AUTOMATED, automated_lines(rows))
        self._writes.execute(statements.ADD_AUTOMATED_OF_NEW_CONTACTS if contacts_are_new else statements.ADD_AUTOMATED)

    def _add_links(self, changes: Changes) -> None:
        if not changes.links:
            return
        links = sorted(changes.links.items(), key=lambda item: item[0][0])
        self._writes.execute(
            statements.ADD_LINKS,
            (
                number_array(email_log_id for (email_log_id, _), _ in links),
                uuid_array(key for (_, key), _ in links),
                uuid_array(clicks.email.organization_id for _, clicks in links),
                uuid_array(clicks.email.campaign_id for _, clicks in links),
                uuid_array(clicks.email.campaign_contact_id for _, clicks in links),
                text_array(clicks.url for _, clicks in links),
                text_array(clicks.link_position for _, clicks in links),
                text_array(clicks.link_text for _, clicks in links),
                number_array(clicks.click_count for _, clicks in links),
                number_array(clicks.scanner_click_count for _, clicks in links),
                instant_array(clicks.first_clicked_at for _, clicks in links),
            ),
        )

    def _follow_contacts(self, changes: Changes) -> None:
        followed = [link.email for link in changes.links.values()]
        # Emails that were read have the right contact. Those that were just registered, which alone know when, may not.
        fresh = {email.id for email in followed if email.created_at and email.campaign_contact_id != email.email_id}
        if fresh:
            self._writes.execute(statements.FOLLOW_CONTACTS, (sorted(fresh),))

    def _add_totals(self, changes: Changes) -> None:
        if changes.totals:
            keys = sorted(changes.totals, key=_in_key_order_of_totals)
            organizations, quarters, jobs, campaigns, templates = zip(*keys, strict=True)
            sums = zip(*(changes.totals[key] for key in keys), strict=True)
            grown = [(name, column) for name, column in zip(statements.TOTALS_FIELDS, sums, strict=True) if any(column)]
            self._writes.execute(
                add_totals(tuple(name for name, _ in grown)),
                [
                    uuid_array(organizations),
                    instant_array(quarters),
                    text_array(jobs),
                    uuid_array(campaigns),
                    text_array(templates),
                    *(number_array(column) for _, column in grown),
                ],
            )


def _in_key_order_of_totals(key: TotalsKey) -> tuple[int, datetime]:
    """Sort nearly as the table's key is: UUIDs, which are compared in Python, would take 2 µs an event more."""
    return key[0].int, key[1]


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    """Turn rows into the arrays that ``unnest`` takes."""
    return [list(column) for column in zip(*rows, strict=True)]


def _in_key_order(named: Mapping[tuple[UUID, str], Named]) -> list[Named]:
    return [value for _, value in sorted(named.items())]

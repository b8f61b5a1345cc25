"""The engagement rows in memory, for tests."""

from collections.abc import Collection, Mapping
from copy import copy
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from read_models.engagement.view import (
    AutomatedRow,
    Changes,
    EmailLog,
    EventRow,
    LinkClicks,
    LinkKey,
    Named,
    Replaced,
    Totals,
    TotalsKey,
)

_FIELDS: Final = EmailLog.__struct_fields__
_READ: Final = _FIELDS[: _FIELDS.index("created_at")]
"""What a read row tells; the rest only the registration does."""
_CHANGING: Final = _READ[_READ.index("updated_at") :]


class MemoryEngagementView:
    """See `read_models.engagement.view.EngagementView`; its attributes are the tables."""

    def __init__(self) -> None:
        self.email_logs: dict[UUID, EmailLog] = {}
        self.events: dict[int, EventRow] = {}
        self.automated: list[AutomatedRow] = []
        self.email_links: dict[LinkKey, LinkClicks] = {}
        self.totals: dict[TotalsKey, list[int]] = {}
        self.campaigns: dict[tuple[UUID, UUID], datetime] = {}
        self.contacts: dict[UUID, tuple[UUID, UUID | None, str]] = {}
        self.jobs: dict[tuple[UUID, str], Named] = {}
        self.templates: dict[tuple[UUID, str], Named] = {}
        self.purges: dict[UUID, list[int]] = {}

    def emails(self, email_ids: Collection[UUID]) -> Mapping[UUID, EmailLog]:
        return {
            email_id: EmailLog(**{name: getattr(self.email_logs[email_id], name) for name in _READ})
            for email_id in email_ids
            if email_id in self.email_logs
        }

    def links(self, keys: Collection[LinkKey]) -> Collection[LinkKey]:
        return [key for key in keys if key in self.email_links and self.email_links[key].click_count]

    def emails_to(self, addressee_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
        return {
            email_id: email.addressee_id
            for email_id, email in self.email_logs.items()
            if email.addressee_id in addressee_ids
        }

    def purged(self, purge_id: UUID) -> Collection[int]:
        kept = {email.id for email in self.email_logs.values()}
        return [email_log_id for email_log_id in self.purges.get(purge_id, ()) if email_log_id in kept]

    def save(self, changes: Changes) -> None:
        self._purge(set(changes.purged))
        for email in changes.registered:
            self._register(email)
        for email in changes.changed.values():
            kept = self.email_logs[email.email_id]
            for name in _CHANGING:
                setattr(kept, name, getattr(email, name))
        for replaced in changes.replaced:
            self._remove_rows_of(replaced)
        for email in changes.implied_opens_gone:
            del self.events[-email.id]
        for row in changes.events:
            self.events[row.place] = self._of_kept_email(row)
        for automated in changes.automated:
            self.automated.append(msgspec.structs.replace(automated, row=self._of_kept_email(automated.row)))
        self.automated.sort(key=lambda one: one.row.place)  # a table has no order of arrival
        for key, clicks in changes.links.items():
            self._add_clicks(key, clicks)
        for totals_key, sums in changes.totals.items():
            kept_sums = self.totals.setdefault(totals_key, [0] * len(Totals.__struct_fields__))
            self.totals[totals_key] = [old + new for old, new in zip(kept_sums, sums, strict=True)]
        for campaign, at in changes.campaigns.items():
            self.campaigns[campaign] = min(at, self.campaigns.get(campaign, at))
        _keep_latest(self.jobs, changes.jobs)
        _keep_latest(self.templates, changes.templates)

    def _purge(self, gone: set[int]) -> None:
        self.events = {place: row for place, row in self.events.items() if row.email.id not in gone}
        self.automated = [one for one in self.automated if one.row.email.id not in gone]
        self.email_links = {key: clicks for key, clicks in self.email_links.items() if key[0] not in gone}
        self.email_logs = {email_id: email for email_id, email in self.email_logs.items() if email.id not in gone}
        if gone:
            first = {email.campaign_contact_id: email for email in reversed(self.email_logs.values())}
            self.contacts = {
                contact: (email.organization_id, email.campaign_id, email.recipient_id)
                for contact, email in first.items()
            }

    def _register(self, email: EmailLog) -> None:
        kept = copy(email)
        self.email_logs[email.email_id] = kept
        contact = (email.organization_id, email.campaign_id, email.recipient_id)
        if self.contacts.setdefault(email.campaign_contact_id, contact)[0] != email.organization_id:
            kept.campaign_contact_id = email.email_id  # another organisation's
            self.contacts[email.email_id] = contact
        if email.campaign_id is not None:
            key = (email.organization_id, email.campaign_id)
            self.campaigns[key] = min(email.sent_at, self.campaigns.get(key, email.sent_at))

    def _remove_rows_of(self, replaced: Replaced) -> None:
        kept = self.email_logs[replaced.email.email_id]
        if kept.erased_by is not None:
            kept.recipient_email = kept.recipient_name = kept.subject = ""
        for place in replaced.places:
            self.events.pop(place, None)
        self.automated = [one for one in self.automated if one.row.email.email_id != kept.email_id]
        self.email_links = {key: clicks for key, clicks in self.email_links.items() if key[0] != kept.id}

    def _of_kept_email(self, row: EventRow) -> EventRow:
        return msgspec.structs.replace(row, email=self.email_logs[row.email.email_id])

    def _add_clicks(self, key: LinkKey, clicks: LinkClicks) -> None:
        kept = self.email_links.get(key)
        if kept is None:
            self.email_links[key] = msgspec.structs.replace(clicks, email=self.email_logs[clicks.email.email_id])
            return
        kept.click_count += clicks.click_count
        kept.scanner_click_count += clicks.scanner_click_count
        known = [at for at in (kept.first_clicked_at, clicks.first_clicked_at) if at]
        kept.first_clicked_at = min(known, default=None)
        kept.link_text = kept.link_text or clicks.link_text


def _keep_latest(kept: dict[tuple[UUID, str], Named], new: Mapping[tuple[UUID, str], Named]) -> None:
    for key, named in new.items():
        known = kept.get(key)
        if known is None or (known.named_at, known.named_by) < (named.named_at, named.named_by):
            kept[key] = named

"""Fold recorded facts into rows: the same rows, to the byte, whatever the size of the batches."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import msgspec

from domain.email_facts import (
    Bounced,
    Clicked,
    Delivered,
    Engagement,
    Fact,
    Opened,
    Replied,
    ReportedFact,
    Sent,
    SpamReported,
    Unsubscribed,
)
from domain.values import uuid_of
from read_models.engagement.again import addressee_of, as_known_by_now, judged_anew_at, nameless, to_fold_again
from read_models.engagement.folds import FOLDS, count_withheld
from read_models.engagement.names import keep_latest
from read_models.engagement.purges import fold_purges
from read_models.engagement.view import (
    NO_CAMPAIGN,
    AutomatedRow,
    Changes,
    EmailLog,
    EngagementView,
    EventRow,
    LinkClicks,
    LinkKey,
    Named,
    Replaced,
    Totals,
    quarter_of,
)
from read_models.events import EventLog, LoggedFact

NAME: Final = "engagement"
LINKS_REMEMBERED: Final = 4_096

WORDS: Final[dict[type[Any], tuple[str, str]]] = {
    Delivered: ("delivered", "delivered"),
    Opened: ("opened", "open"),
    Clicked: ("clicked", "click"),
    Bounced: ("bounced", "bounce"),
    SpamReported: ("spam_reported", "spam"),
    Unsubscribed: ("unsubscribed", "unsubscribe"),
    Replied: ("replied", "reply"),
}
"""The long word of the tracking table and the short word of the use case (DB-2); other facts only change the email."""


class Agent(msgspec.Struct, frozen=True):
    """What a user agent says about its owner's machine; "" where it says nothing."""

    device_type: str = ""
    email_client: str = ""


ReadAgent = Callable[[str], Agent]


class ProjectEngagement:
    """Folds batches of facts for one view.

    Args:
        view: Where the rows are kept.
        log: To read the streams of emails that are folded again.
        read_agent: Tells device and client from a user agent.

    Source:
        AF-4, BR-558.2, BR-558.3, BR-558.7, BR-558.8, DB-2, MET-1.
    """

    def __init__(self, view: EngagementView, log: EventLog, read_agent: ReadAgent) -> None:
        self._view = view
        self._log = log
        self._read_agent = read_agent

    def __call__(self, batch: Sequence[LoggedFact]) -> int:
        """Fold the next facts in global order and keep what they change.

        A fact about an email that the view does not hold (its time was up) changes nothing.

        Returns:
            How many of the facts were folded: all, unless they show too many emails in a new light for one transaction.
        """
        again = to_fold_again(batch, self._view, self._log)
        batch = batch[: again.taken]
        born = {logged.email_id for logged in batch if type(logged.fact) is Sent}
        emails = dict(self._view.emails({logged.email_id for logged in batch} | again.emails.keys() - born))
        before = {email_id: (contribution(email), email.clicked_at) for email_id, email in emails.items()}
        changes = Changes()
        if again.emails:
            for folded in self._fold_again(again.emails, emails, changes, until=batch[-1].place):
                emails[folded.email_id] = folded
                if folded.email_id in before:
                    before[folded.email_id] = (
                        before[folded.email_id][0],
                        None,
                    )  # its implied open has gone with its other rows
        following = [logged for logged in batch if logged.email_id not in again.emails] if again.emails else batch
        known_links = self._known_links(following, emails)
        for logged in following:
            fact = logged.fact
            if isinstance(fact, Sent):
                emails[logged.email_id] = self._register(logged, fact, changes)
            elif isinstance(fact, Fact) and (email := emails.get(logged.email_id)):
                self._apply(logged, fact, email, changes, known_links)
        for email_id, email in emails.items():
            was, clicked_before = before.get(email_id, (None, None))
            _settle(email, was, clicked_before, changes)
            if email_id not in born:
                changes.changed[email_id] = email
        fold_purges(batch, self._view, changes)
        self._view.save(changes)
        return len(batch)

    def _fold_again(
        self, again: Mapping[UUID, int | None], kept: Mapping[UUID, EmailLog], changes: Changes, *, until: int
    ) -> Iterator[EmailLog]:
        for email_id, stream in groupby(self._log.streams(again.keys(), until=until), key=_stream_of):
            facts, erased_by = list(stream), again[email_id]
            if row := kept.get(email_id):
                erased_by = erased_by or row.erased_by
            if type(facts[0].fact) is Sent:  # else nobody registered it, or its registration was set aside
                yield self._folded_again(facts, row, erased_by, changes)

    def _folded_again(
        self, facts: Sequence[LoggedFact], row: EmailLog | None, erased_by: int | None, changes: Changes
    ) -> EmailLog:
        registration, *reported = as_known_by_now(facts, erased=erased_by is not None)
        if row is None:
            email = self._register(registration, registration.fact, changes)  # type: ignore[arg-type]  # looked at before
        else:
            email = _row_of(registration, registration.fact)  # type: ignore[arg-type]  # looked at before
            email.campaign_contact_id = row.campaign_contact_id  # the organisation's own, whatever it was called
            changes.replaced.append(_replaced(email, reported))
        email.erased_by = erased_by
        followed: set[LinkKey] = set()
        for logged in reported:
            if isinstance(logged.fact, Fact):
                self._apply(logged, logged.fact, email, changes, followed)
        email.updated_at = max((email.updated_at, *judged_anew_at(reported)))
        return email

    def _known_links(self, batch: Sequence[LoggedFact], emails: dict[UUID, EmailLog]) -> set[LinkKey]:
        followed: set[LinkKey] = set()
        for logged in batch:
            fact = logged.fact
            if isinstance(fact, Clicked) and fact.verdict.is_human and (email := emails.get(logged.email_id)):
                followed.add((email.id, link_key(fact.url, fact.link_position)))
        return set(self._view.links(followed)) if followed else set()

    def _register(self, logged: LoggedFact, sent: Sent, changes: Changes) -> EmailLog:
        email = _row_of(logged, sent)
        changes.registered.append(email)
        if sent.job:
            job = Named(
                organization_id=sent.organization_id,
                id=sent.job.id,
                name=sent.job.title,
                hiring_manager_id=sent.job.hiring_manager_id,
                named_at=sent.sent_at,
                named_by=logged.place,
            )
            keep_latest(changes.jobs, job)
        if sent.template:
            template = Named(
                organization_id=sent.organization_id,
                id=sent.template.id,
                name=sent.template.name,
                named_at=sent.sent_at,
                named_by=logged.place,
            )
            keep_latest(changes.templates, template)
        return email

    def _apply(
        self, logged: LoggedFact, fact: ReportedFact, email: EmailLog, changes: Changes, known_links: set[LinkKey]
    ) -> None:
        email.updated_at = max(email.updated_at, fact.recorded_at)
        if email.erased_by is not None:
            fact = nameless(fact)
        if isinstance(fact, Engagement):
            if not fact.verdict.is_human:
                self._keep_apart(logged, fact, email, changes)
                return
            if isinstance(fact, Clicked):
                _follow(fact, email, changes, known_links)
            if fact.withheld:
                count_withheld(email, fact)
                return
        FOLDS[type(fact)](email, fact)
        if words := WORDS.get(type(fact)):
            changes.events.append(self._row(logged, fact, email, words))

    def _keep_apart(self, logged: LoggedFact, fact: Engagement, email: EmailLog, changes: Changes) -> None:
        if fact.verdict.is_counted_apart:
            if isinstance(fact, Clicked):
                email.scanner_click_count += 1
                key = (email.id, link_key(fact.url, fact.link_position))
                _clicks_on(key, fact, email, changes).scanner_click_count += 1
            else:
                email.machine_open_count += 1
        if not fact.withheld:
            changes.automated.append(self._automated(logged, fact, email))

    def _row(self, logged: LoggedFact, fact: ReportedFact, email: EmailLog, words: tuple[str, str]) -> EventRow:
        personal = fact.personal
        judged = fact if isinstance(fact, Engagement) else None
        return EventRow(
            place=logged.place,
            key=fact.key,
            email=email,
            event_type=words[0],
            event_word=words[1],
            occurred_at=fact.occurred_at,
            recorded_at=fact.recorded_at,
            url=fact.url if isinstance(fact, Clicked) else None,
            ip_address=personal.ip_address or None,
            user_agent=personal.user_agent or None,
            event_data=self._event_data(fact, email),
            verdict=judged.verdict.value if judged else None,
            reasons=judged.reasons if judged else (),
        )

    def _automated(self, logged: LoggedFact, fact: Engagement, email: EmailLog) -> AutomatedRow:
        return AutomatedRow(
            row=self._row(logged, fact, email, WORDS[type(fact)]),  # type: ignore[arg-type]  # opens and clicks are the only engagements
            confidence=fact.confidence,
            rule_version=fact.rule_version,
        )

    def _event_data(self, fact: ReportedFact, email: EmailLog) -> dict[str, object] | None:
        data: dict[str, object] = {}
        if isinstance(fact, Opened):
            if fact.verdict.is_human:
                data["open_count"] = email.open_count
            self._add_agent(data, fact)
        elif isinstance(fact, Clicked):
            if fact.link_text:
                data["link_text"] = fact.link_text
            if fact.link_position:
                data["link_position"] = fact.link_position
            self._add_agent(data, fact)
        elif isinstance(fact, Bounced):
            data["bounce_type"] = fact.bounce_kind.value
            if fact.reason:
                data["bounce_reason"] = fact.reason
        if fact.metadata:
            data["metadata"] = fact.metadata
        return data or None

    def _add_agent(self, data: dict[str, object], fact: Engagement) -> None:
        if not fact.personal.user_agent:
            return
        agent = self._read_agent(fact.personal.user_agent)
        if agent.device_type:
            data["device_type"] = agent.device_type
        if agent.email_client and isinstance(fact, Opened):
            data["email_client"] = agent.email_client


def _row_of(logged: LoggedFact, sent: Sent) -> EmailLog:
    return EmailLog(
        id=logged.place,
        email_id=logged.email_id,
        organization_id=sent.organization_id,
        provider=sent.provider,
        message_id=sent.message_id,
        tracking_id=sent.tracking_id,
        tracking=sent.tracking,
        subject=sent.subject,
        recipient_type=sent.recipient_type,
        recipient_id=sent.recipient_id,
        recipient_email=sent.personal.address,
        recipient_name=sent.personal.name,
        sender_id=sent.sender.id,
        sender_name=sent.sender.name,
        job_id=sent.job.id if sent.job else None,
        template_id=sent.template.id if sent.template else None,
        template_name=sent.template.name if sent.template else None,
        campaign_id=sent.campaign_id,
        campaign_contact_id=sent.campaign_contact_id or logged.email_id,
        addressee_id=addressee_of(sent),
        sent_at=sent.sent_at,
        created_at=sent.recorded_at,
        updated_at=sent.recorded_at,
    )


def _replaced(email: EmailLog, reported: Sequence[LoggedFact]) -> Replaced:
    with_rows = [(logged.place, logged.fact.key) for logged in reported if isinstance(logged.fact, Fact)]
    return Replaced(
        email=email, places=[-email.id, *(place for place, _ in with_rows)], keys=[key for _, key in with_rows]
    )


def _stream_of(logged: LoggedFact) -> UUID:
    return logged.email_id


@lru_cache(LINKS_REMEMBERED)  # the emails of a mailing have the same links
def link_key(url: str, link_position: str) -> UUID:
    """Name a link within its email: the same URL at two positions is two links (AF-4)."""
    return uuid_of(blake2b(f"{link_position}\n{url}".encode(), digest_size=16).digest())


def implied_open_key(email_id: UUID) -> bytes:
    """Name the open that a click implies; an email has at most one."""
    return blake2b(b"implied open", digest_size=16, key=email_id.bytes).digest()


def contribution(email: EmailLog) -> tuple[int, ...]:
    """What an email adds to the totals, field by field as in `Totals`; nothing if it is not tracked.

    Source:
        MET-1: rates are percentages of emails sent with tracking on; a human click implies an open.
    """
    if not email.tracking:
        return _NOTHING
    timed = email.opened_at is not None
    return (
        int(email.left),
        email.delivered_at is not None,
        email.open_count > 0 or email.click_count > 0,
        email.click_count > 0,
        email.open_count,
        email.click_count,
        email.unique_click_count,
        email.reply_count > 0,
        email.bounced_at is not None,
        email.unsubscribed_at is not None,
        email.spam_reported_at is not None,
        email.machine_open_count,
        email.scanner_click_count,
        int(timed),
        max(0, round((email.opened_at - email.sent_at).total_seconds())) if email.opened_at else 0,
        email.is_opened_by_any,
        email.is_clicked_by_any,
    )


_NOTHING: Final = (0,) * len(Totals.__struct_fields__)


def _settle(email: EmailLog, was: tuple[int, ...] | None, clicked_before: datetime | None, changes: Changes) -> None:
    """Bring the totals and the implied open in line with what became of an email; `was` is None for a new one."""
    now = contribution(email)
    if was is None:
        was = _NOTHING
        # A tracked email has its row of totals even if it adds nothing: else rows would tell how events were batched.
        adds = email.tracking
    else:
        adds = now != was
    if adds:
        key = (
            email.organization_id,
            quarter_of(email.sent_at),
            email.job_id or "",
            email.campaign_id or NO_CAMPAIGN,
            email.template_id or "",
        )
        sums = changes.totals.get(key)
        if sums is None:
            changes.totals[key] = [new - old for new, old in zip(now, was, strict=True)]
        else:
            for place, (new, old) in enumerate(zip(now, was, strict=True)):
                sums[place] += new - old
    implied_before = clicked_before is not None and was[_TOTAL_OPENS] == 0
    if implied_before and (not email.open_is_implied or email.clicked_at != clicked_before):
        changes.implied_opens_gone.append(email)
    if email.open_is_implied and email.clicked_at and (not implied_before or email.clicked_at != clicked_before):
        changes.events.append(
            EventRow(
                place=-email.id,
                key=implied_open_key(email.email_id),
                email=email,
                event_type="opened",
                event_word="open",
                occurred_at=email.clicked_at,
                recorded_at=email.clicked_at,
                event_data={"implied": True},
            )
        )


_TOTAL_OPENS: Final = Totals.__struct_fields__.index("total_opens")


def _follow(fact: Clicked, email: EmailLog, changes: Changes, known_links: set[LinkKey]) -> None:
    key = (email.id, link_key(fact.url, fact.link_position))
    if key not in known_links:
        known_links.add(key)
        email.unique_click_count += 1
    clicks = _clicks_on(key, fact, email, changes)
    clicks.click_count += 1
    if not fact.withheld and (clicks.first_clicked_at is None or fact.occurred_at < clicks.first_clicked_at):
        clicks.first_clicked_at = fact.occurred_at


def _clicks_on(key: LinkKey, fact: Clicked, email: EmailLog, changes: Changes) -> LinkClicks:
    clicks = changes.links.get(key)
    if clicks is None:
        clicks = changes.links[key] = LinkClicks(
            email=email, url=fact.url, link_position=fact.link_position, link_text=fact.link_text
        )
    else:
        clicks.link_text = clicks.link_text or fact.link_text
    return clicks

"""Fold recorded facts into rows: the same rows, to the byte, whatever the size of the batches."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from itertools import groupby
from operator import attrgetter
from typing import Final
from uuid import UUID

from domain.email_facts import Clicked, Engagement, Fact, ReportedFact, Sent
from domain.values import uuid_of
from read_models.engagement.again import as_known_by_now, judged_anew_at, nameless, to_fold_again
from read_models.engagement.agent import ReadAgent
from read_models.engagement.folds import FOLDS, count_withheld
from read_models.engagement.names import keep_latest
from read_models.engagement.purges import fold_purges
from read_models.engagement.rows import WORDS, automated_row, email_row, event_row, implied_open_row
from read_models.engagement.totals import contribution, settle_totals
from read_models.engagement.view import Changes, EmailLog, EngagementView, LinkClicks, LinkKey, Named, Replaced
from read_models.events import EventLog, LoggedFact

NAME: Final = "engagement"
LINKS_REMEMBERED: Final = 4_096


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
        born = {logged.stream_id for logged in batch if type(logged.fact) is Sent}
        emails = dict(self._view.emails({logged.stream_id for logged in batch} | again.emails.keys() - born))
        before = {email_id: (contribution(email), email.open_implied_at) for email_id, email in emails.items()}
        changes = Changes()
        if again.emails:
            for folded in self._fold_again(again.emails, emails, changes, until=batch[-1].place):
                emails[folded.email_id] = folded
                if folded.email_id in before:
                    # Its implied open has gone with its other rows.
                    before[folded.email_id] = before[folded.email_id][0], None
        following = [logged for logged in batch if logged.stream_id not in again.emails] if again.emails else batch
        known_links = self._known_links(following, emails)
        for logged in following:
            fact = logged.fact
            if isinstance(fact, Sent):
                emails[logged.stream_id] = self._register(logged, fact, changes)
            elif isinstance(fact, Fact) and (email := emails.get(logged.stream_id)):
                self._apply(logged, fact, email, changes, known_links)
        for email_id, email in emails.items():
            was, implied_before = before.get(email_id, (None, None))
            settle_totals(email, was, changes)
            _settle_implied_open(email, implied_before, changes)
            if email_id not in born:
                changes.changed[email_id] = email
        fold_purges(batch, self._view, changes)
        self._view.save(changes)
        return len(batch)

    def _fold_again(
        self, again: Mapping[UUID, int | None], kept: Mapping[UUID, EmailLog], changes: Changes, *, until: int
    ) -> Iterator[EmailLog]:
        for email_id, stream in groupby(self._log.streams(again.keys(), until=until), key=attrgetter("stream_id")):
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
            email = email_row(registration, registration.fact)  # type: ignore[arg-type]  # looked at before
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
            if isinstance(fact, Clicked) and fact.verdict.is_human and (email := emails.get(logged.stream_id)):
                followed.add((email.id, link_key(fact.url, fact.link_position)))
        return set(self._view.links(followed)) if followed else set()

    def _register(self, logged: LoggedFact, sent: Sent, changes: Changes) -> EmailLog:
        email = email_row(logged, sent)
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
        if type(fact) in WORDS:
            changes.events.append(event_row(logged, fact, email, self._read_agent))

    def _keep_apart(self, logged: LoggedFact, fact: Engagement, email: EmailLog, changes: Changes) -> None:
        if fact.verdict.is_counted_apart:
            if isinstance(fact, Clicked):
                email.scanner_click_count += 1
                key = (email.id, link_key(fact.url, fact.link_position))
                _clicks_on(key, fact, email, changes).scanner_click_count += 1
            else:
                email.machine_open_count += 1
        if not fact.withheld:
            changes.automated.append(automated_row(logged, fact, email, self._read_agent))


def _replaced(email: EmailLog, reported: Sequence[LoggedFact]) -> Replaced:
    with_rows = [(logged.place, logged.fact.key) for logged in reported if isinstance(logged.fact, Fact)]
    return Replaced(
        email=email, places=[-email.id, *(place for place, _ in with_rows)], keys=[key for _, key in with_rows]
    )


@lru_cache(LINKS_REMEMBERED)  # the emails of a mailing have the same links
def link_key(url: str, link_position: str) -> UUID:
    """Name a link within its email: the same URL at two positions is two links (AF-4)."""
    return uuid_of(blake2b(f"{link_position}\n{url}".encode(), digest_size=16).digest())


def _settle_implied_open(email: EmailLog, implied_before: datetime | None, changes: Changes) -> None:
    if email.open_implied_at == implied_before:
        return
    if implied_before is not None:
        changes.implied_opens_gone.append(email)
    if row := implied_open_row(email):
        changes.events.append(row)


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

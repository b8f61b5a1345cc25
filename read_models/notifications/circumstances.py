"""What holds now for the emails that something is to be told of: who may be told, who wants to be."""

from collections.abc import Collection, Mapping
from uuid import UUID

import msgspec

from domain.email_facts import Sent, addressee_of
from domain.notification_preferences import DEFAULT_PREFERENCES, NotificationPreferences
from domain.policies import notifying
from domain.tracking_terms import TrackingTerms
from read_models.events import EventLog, LoggedFact
from read_models.notifications.view import AddresseeKey, CandidateKey, JobKey, NotificationsView, UserKey


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What holds now for everything that a batch may tell of."""

    emails: Mapping[UUID, LoggedFact]
    terms: Mapping[AddresseeKey, TrackingTerms]
    managers: Mapping[JobKey, str]
    preferences: Mapping[UserKey, NotificationPreferences]
    hot: frozenset[CandidateKey]

    def sent(self, email_id: UUID) -> Sent | None:
        """Give an email; ``None`` if it is not registered, is gone, or went to somebody who was erased since."""
        logged = self.emails.get(email_id)
        if logged is None or not isinstance(logged.fact, Sent) or not logged.fact.personal.address:
            return None
        return logged.fact

    def manager_of(self, sent: Sent) -> str:
        """Name the hiring manager of an email's job; "" if there is none."""
        return _manager_of(sent, self.managers)

    def preferences_of(self, organization_id: UUID, user_id: str) -> NotificationPreferences:
        """Give what somebody wants."""
        return self.preferences.get((organization_id, user_id), DEFAULT_PREFERENCES)


def circumstances_of(email_ids: Collection[UUID], view: NotificationsView, log: EventLog) -> Circumstances:
    """Ask for everything that must be known to tell of some emails, in as few questions as there are kinds of it.

    Args:
        email_ids: Of emails that a batch of facts is about.
        view: Knows what people and organisations decided.
        log: To read registrations.
    """
    emails = log.registrations(email_ids)
    sent = [logged.fact for logged in emails.values() if isinstance(logged.fact, Sent)]
    managers = view.managers({(one.organization_id, one.job.id) for one in sent if one.job})
    users = {
        (one.organization_id, user_id)
        for one in sent
        for user_id in notifying.audience(one, _manager_of(one, managers))
    }
    preferences = view.preferences(users)
    candidates = {(one.organization_id, one.recipient_id) for one in sent if one.recipient_type == "Candidate"}
    asks_for_hot = any(one.hot_candidates_only for one in preferences.values())
    return Circumstances(
        emails=emails,
        terms=view.terms({(one.organization_id, addressee_of(one)) for one in sent}),
        managers=managers,
        preferences=preferences,
        hot=frozenset(view.hot(candidates)) if asks_for_hot else frozenset(),
    )


def _manager_of(sent: Sent, managers: Mapping[JobKey, str]) -> str:
    if sent.job is None:
        return ""
    return managers.get((sent.organization_id, sent.job.id), sent.job.hiring_manager_id)

"""What people are told, in memory, for tests."""

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from uuid import UUID

import msgspec

from domain.notification_preferences import NotificationPreferences
from domain.tracking_terms import DEFAULT_POLICY, Consent, TrackingPolicy, TrackingTerms
from read_models.notifications.notification import Announcement
from read_models.notifications.view import AddresseeKey, CandidateKey, DueDigest, JobKey, Told, UserKey


class MemoryNotificationsView:
    """See `read_models.notifications.view.NotificationsView`; what others keep is given in attributes."""

    TABLES = ("told", "decided", "last_number", "waiting_digests", "digests")

    def __init__(self) -> None:
        self.told: dict[UUID, Told] = {}
        self.decided: dict[UserKey, NotificationPreferences] = {}
        self.last_number = 0
        self.policies: dict[UUID, TrackingPolicy] = {}
        self.consents: dict[UUID, Consent] = {}
        self.named_managers: dict[JobKey, str] = {}
        self.waiting_digests: list[DueDigest] = []
        self.digests: dict[UserKey, Announcement] = {}
        self.hot_candidates: set[CandidateKey] = set()

    def terms(self, addressees: Collection[AddresseeKey]) -> Mapping[AddresseeKey, TrackingTerms]:
        return {
            key: TrackingTerms(self.policies.get(key[0], DEFAULT_POLICY), self.consents.get(key[1]))
            for key in addressees
        }

    def managers(self, jobs: Collection[JobKey]) -> Mapping[JobKey, str]:
        return {job: self.named_managers[job] for job in jobs if job in self.named_managers}

    def hot(self, candidates: Collection[CandidateKey]) -> Collection[CandidateKey]:
        return self.hot_candidates.intersection(candidates)

    def preferences(self, users: Collection[UserKey]) -> Mapping[UserKey, NotificationPreferences]:
        return {user: self.decided[user] for user in users if user in self.decided}

    def told_about(self, email_ids: Collection[UUID]) -> Sequence[Told]:
        return deepcopy([told for told in self.told.values() if told.email_id in email_ids])

    def numbers(self, how_many: int) -> Sequence[int]:
        first = self.last_number + 1
        self.last_number += how_many
        return range(first, first + how_many)

    def save(self, told: Sequence[Told]) -> None:
        self.told |= {one.id: deepcopy(one) for one in told}

    def forget(self, ids: Collection[UUID]) -> None:
        for id_ in ids:
            self.told.pop(id_, None)

    def forget_people(self, addressee_ids: Collection[UUID]) -> None:
        self.forget([told.id for told in self.told.values() if told.addressee_id in addressee_ids])

    def forget_purged(self, places: Collection[int]) -> None:
        """Nothing is purged in memory."""

    def forget_before(self, instant: datetime, *, most: int) -> int:
        old = [told.id for told in self.told.values() if told.created_at < instant][:most]
        self.forget(old)
        return len(old)

    def held(self, now: datetime, *, most: int) -> Sequence[Told]:
        due = [told for told in self.told.values() if told.held_until is not None and told.held_until <= now]
        return deepcopy(due[:most])

    def due_digests(self, now: datetime, *, most: int) -> Sequence[DueDigest]:
        return [due for due in self.waiting_digests if due.due_at <= now][:most]

    def save_digest(self, due: DueDigest, digest: Announcement, *, next_at: datetime | None) -> None:
        self.digests[due.organization_id, due.user_id] = digest
        self.put_off_digest(due, next_at=next_at)

    def put_off_digest(self, due: DueDigest, *, next_at: datetime | None) -> None:
        self.waiting_digests.remove(due)
        if next_at is not None:
            self.waiting_digests.append(msgspec.structs.replace(due, due_at=next_at, counts={}))

"""Policies and consents: facts in the event store, and beside them what holds now."""

from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from adapters.postgres.arrays import number_array, uuid_array
from adapters.postgres.event_codec import FactMapper
from adapters.postgres.event_recorder import BatchRecorder
from domain.email_facts import Recorded
from domain.organization import Organization
from domain.organization_facts import TrackingPolicyChanged
from domain.recipient import Recipient
from domain.recipient_facts import ConsentChanged
from domain.tracking_terms import DEFAULT_POLICY, Consent, ConsentMode, IpHandling, TrackingPolicy

# Two statements, and not one: a statement sees what was committed before it began, and that was before it waited.
_SHARE: Final = "SELECT pg_advisory_xact_lock_shared(key) FROM unnest(%s::bigint[]) AS key"
_HAVE_ALONE: Final = "SELECT pg_advisory_xact_lock(%s)"
_POLICIES: Final = """
SELECT organization_id, tracking_enabled, privacy_mode, consent_mode, ip_handling, retention_days,
    notifications_enabled, unsubscribe_ends_tracking
FROM ops.tracking_policies WHERE organization_id = ANY(%s::uuid[])
"""
_CONSENTS: Final = "SELECT addressee_id, consent FROM ops.tracking_consents WHERE addressee_id = ANY(%s::uuid[])"
_KEEP_POLICY: Final = """
INSERT INTO ops.tracking_policies (organization_id, tracking_enabled, privacy_mode, consent_mode, ip_handling,
    retention_days, notifications_enabled, unsubscribe_ends_tracking, changed_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (organization_id) DO UPDATE SET tracking_enabled = excluded.tracking_enabled,
    privacy_mode = excluded.privacy_mode, consent_mode = excluded.consent_mode, ip_handling = excluded.ip_handling,
    retention_days = excluded.retention_days, notifications_enabled = excluded.notifications_enabled,
    unsubscribe_ends_tracking = excluded.unsubscribe_ends_tracking, changed_at = excluded.changed_at
"""
_KEEP_CONSENTS: Final = """
INSERT INTO ops.tracking_consents (addressee_id, organization_id, consent, source, changed_at)
SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::timestamptz[])
ON CONFLICT (addressee_id) DO UPDATE
    SET consent = excluded.consent, source = excluded.source, changed_at = excluded.changed_at
"""


def read_policies(cursor: Cursor[Any], organization_ids: Collection[UUID]) -> dict[UUID, TrackingPolicy]:
    """Give policies as they are now, which may have changed by the time of the commit."""
    cursor.execute(_POLICIES, (uuid_array(organization_ids),), binary=True)
    policies = dict.fromkeys(organization_ids, DEFAULT_POLICY)
    for organization_id, enabled, privacy, mode, handling, retention, notifications, unsubscribe in cursor:
        policies[organization_id] = TrackingPolicy(
            tracking_enabled=enabled,
            privacy_mode=privacy,
            consent_mode=ConsentMode(mode),
            ip_handling=IpHandling(handling),
            retention_days=retention,
            notifications_enabled=notifications,
            unsubscribe_ends_tracking=unsubscribe,
        )
    return policies


def read_consents(cursor: Cursor[Any], addressee_ids: Collection[UUID]) -> dict[UUID, Consent]:
    """Give consents as they are now."""
    cursor.execute(_CONSENTS, (uuid_array(addressee_ids),), binary=True)
    return {addressee_id: Consent(consent) for addressee_id, consent in cursor}


class PostgresTrackingRecords:
    """See `application.ports.tracking_records.TrackingRecords`."""

    def __init__(self, cursor: Cursor[Any], recorder: BatchRecorder, mapper: FactMapper) -> None:
        self._cursor = cursor
        self._recorder = recorder
        self._mapper = mapper

    def policies(self, organization_ids: Collection[UUID]) -> dict[UUID, TrackingPolicy]:
        if not organization_ids:
            return {}
        # In one order everywhere: who has one organisation alone cannot be waited for in a circle.
        keys = sorted({_lock_key(organization_id) for organization_id in organization_ids})
        self._cursor.execute(_SHARE, (number_array(keys),))
        return read_policies(self._cursor, organization_ids)

    def consents(self, addressee_ids: Collection[UUID]) -> dict[UUID, Consent]:
        if not addressee_ids:
            return {}
        return read_consents(self._cursor, addressee_ids)

    def stop_recording(self, organization_id: UUID) -> None:
        self._cursor.execute(_HAVE_ALONE, (_lock_key(organization_id),))

    def organization(self, organization_id: UUID) -> Organization:
        organization = Organization(organization_id)
        self._replay({organization_id: organization})
        return organization

    def recipients(self, addressee_ids: Collection[UUID]) -> dict[UUID, Recipient]:
        recipients = {addressee_id: Recipient(addressee_id) for addressee_id in addressee_ids}
        self._replay(recipients)
        return recipients

    def _replay(self, streams: Mapping[UUID, Recipient] | Mapping[UUID, Organization]) -> None:
        if streams:
            for stream_id, _, topic, state in self._recorder.streams(self._cursor, list(streams)):
                streams[stream_id].replay(self._mapper.decode(topic, state))

    def keep_policy(self, organization: Organization) -> None:
        for event in self._append([organization]):
            fact = event.fact
            if isinstance(fact, TrackingPolicyChanged):
                policy = fact.policy
                self._cursor.execute(
                    _KEEP_POLICY,
                    (
                        organization.id,
                        policy.tracking_enabled,
                        policy.privacy_mode,
                        policy.consent_mode.value,
                        policy.ip_handling.value,
                        policy.retention_days,
                        policy.notifications_enabled,
                        policy.unsubscribe_ends_tracking,
                        fact.changed_at,
                    ),
                )

    def keep_consents(self, recipients: Sequence[Recipient]) -> None:
        changes = {
            event.originator_id: event.fact
            for event in self._append(recipients)
            if isinstance(event.fact, ConsentChanged)
        }
        if changes:
            # After appending, which only one transaction at a time does: no two wait for each other's rows in a circle.
            self._cursor.execute(
                _KEEP_CONSENTS,
                (
                    list(changes),
                    [fact.organization_id for fact in changes.values()],
                    [fact.consent.value for fact in changes.values()],
                    [fact.source.value for fact in changes.values()],
                    [fact.changed_at for fact in changes.values()],
                ),
            )

    def _append(self, streams: Sequence[Recipient | Organization]) -> list[Recorded]:
        events = [event for stream in streams for event in stream.collect_events()]
        encode = self._mapper.encode
        if events:
            self._recorder.append(
                self._cursor,
                [(e.originator_id, e.originator_version, e.fact.TOPIC, encode(e.fact)) for e in events],
            )
        return events


def _lock_key(organization_id: UUID) -> int:
    """Name an organisation's advisory lock, away from every other use of advisory locks."""
    digest = blake2b(organization_id.bytes, digest_size=8, person=b"recording").digest()
    return int.from_bytes(digest, signed=True)

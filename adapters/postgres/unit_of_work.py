"""One PostgreSQL transaction over inbox, event store and parked reports."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
import psycopg
from eventsourcing.persistence import IntegrityError, InterfaceError, OperationalError
from eventsourcing.postgres import PostgresDatastore
from psycopg import Cursor
from psycopg.rows import tuple_row
from psycopg_pool import PoolTimeout

from adapters.postgres.address_sightings import PostgresAddressSightings
from adapters.postgres.erasure_records import PostgresErasureRecords
from adapters.postgres.event_codec import FactMapper
from adapters.postgres.event_recorder import BatchRecorder, StoredRow
from adapters.postgres.mail_threads import PostgresMailThreads
from adapters.postgres.outages import is_outage
from adapters.postgres.parked_reports import PostgresParkedReports
from adapters.postgres.recipient_keys import RecipientKey, RecipientKeys
from adapters.postgres.sealing import (
    key_id_of,
    nonces,
    open_into,
    sealed_part,
    sealed_personal,
    sealed_state,
    state_without,
    tells_who,
)
from adapters.postgres.tracking_records import PostgresTrackingRecords
from adapters.secrets import SealBrokenError, SecretBox
from application.ports.provider import ConfirmSubscription
from application.ports.unit_of_work import ConcurrentAppendError, Delivery, Registered, StoreUnavailableError
from domain.email_facts import AnyFact, Clicked, Fact, Opened, Personal, Recorded, Sent, addressee_of
from domain.email_message import EmailMessage
from domain.engagements import PersonalOf

_CLAIM: Final = """
WITH due AS MATERIALIZED (
    SELECT id, octet_length(body) AS size FROM ops.webhook_inbox
    WHERE next_attempt_at <= now() ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
), measured AS (
    SELECT id, sum(size) OVER (ORDER BY id) - size AS before FROM due
)
SELECT i.id, i.endpoint_id, i.organization_id, i.provider, i.correlation_id, i.received_at, i.attempts,
    i.headers, i.body, i.sealed
FROM measured m JOIN ops.webhook_inbox i USING (id) WHERE m.before < %s ORDER BY i.id
"""
_CLOSE: Final = """
WITH closed AS (
    DELETE FROM ops.webhook_inbox WHERE id = ANY(%s) RETURNING organization_id, endpoint_id, received_at
), latest AS MATERIALIZED (
    SELECT organization_id, endpoint_id, max(received_at) AS received_at FROM closed GROUP BY 1, 2
), free AS (
    SELECT r.organization_id, r.endpoint_id, l.received_at
    FROM ops.last_receptions r JOIN latest l USING (organization_id, endpoint_id)
    WHERE r.received_at < l.received_at - interval '1 second' FOR UPDATE OF r SKIP LOCKED
), moved AS (
    UPDATE ops.last_receptions r SET received_at = f.received_at FROM free f
    WHERE (r.organization_id, r.endpoint_id) = (f.organization_id, f.endpoint_id)
)
INSERT INTO ops.last_receptions SELECT l.* FROM latest l WHERE NOT EXISTS (
    SELECT FROM ops.last_receptions r WHERE (r.organization_id, r.endpoint_id) = (l.organization_id, l.endpoint_id)
) ORDER BY 1, 2 ON CONFLICT DO NOTHING
"""
"""Workers never wait for each other to say when something last came: who meets another leaves it to them."""

_SEALED: Final = (Fact, Sent)

_Decided: TypeAlias = tuple[EmailMessage, Sequence[Recorded]]

BODIES_PURPOSE: Final = "deliveries"
"""Of the box that seals what providers sent, until it has become facts."""

_decode_headers = msgspec.msgpack.Decoder(dict[str, str]).decode


class PostgresUnitsOfWork:
    """Begins transactions on the library's datastore.

    Args:
        datastore: From `open_datastore`.
        recorder: On the same datastore.
        mapper: For the facts.
        keys: Of people, with which facts about them are sealed.
        bodies: For `BODIES_PURPOSE`.
        digests_key: For digests of addresses.
    """

    def __init__(
        self,
        datastore: PostgresDatastore,
        recorder: BatchRecorder,
        mapper: FactMapper,
        keys: RecipientKeys,
        bodies: SecretBox,
        *,
        digests_key: bytes,
    ) -> None:
        self._datastore = datastore
        self._recorder = recorder
        self._mapper = mapper
        self._keys = keys
        self._bodies = bodies
        self._digests_key = digests_key

    @contextmanager
    def begin(self) -> Iterator["PostgresUnitOfWork"]:
        """Begin one; see the port."""
        try:
            with (
                self._datastore.get_connection() as connection,
                connection.transaction(),
                connection.cursor(row_factory=tuple_row) as cursor,
            ):
                yield PostgresUnitOfWork(
                    cursor, self._recorder, self._mapper, self._keys, self._bodies, digests_key=self._digests_key
                )
        except IntegrityError as error:
            if isinstance(error.__cause__, psycopg.errors.UniqueViolation):
                raise ConcurrentAppendError(str(error)) from error
            raise
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            if not is_outage(error):
                raise
            raise StoreUnavailableError(str(error)) from error


class PostgresUnitOfWork:
    """See `application.ports.unit_of_work.UnitOfWork`."""

    def __init__(
        self,
        cursor: Cursor[Any],
        recorder: BatchRecorder,
        mapper: FactMapper,
        keys: RecipientKeys,
        bodies: SecretBox,
        *,
        digests_key: bytes,
    ) -> None:
        self._cursor = cursor
        self.sightings = PostgresAddressSightings(cursor, digests_key)
        self.threads = PostgresMailThreads(cursor)
        self.parked = PostgresParkedReports(cursor, bodies)
        self._recorder = recorder
        self._mapper = mapper
        self.tracking = PostgresTrackingRecords(cursor, recorder, mapper)
        self.erasure = PostgresErasureRecords(cursor, recorder, mapper, bodies)
        self._keys = keys
        self._bodies = bodies
        # By the message itself: that is found at once, and a UUID only after two calls of Python.
        self._sealed_with: dict[EmailMessage, bytes] = {}
        self._looked_up: dict[bytes, RecipientKey | None] = {}

    def claim_deliveries(self, *, most: int, most_bytes: int) -> list[Delivery]:
        self._cursor.execute(_CLAIM, (most, most_bytes), binary=True)
        deliveries: list[Delivery] = []
        for (
            id_,
            endpoint_id,
            organization_id,
            provider,
            correlation_id,
            received_at,
            attempts,
            headers,
            body,
            sealed,
        ) in self._cursor.fetchall():
            opened, unopened = self._opened(body) if sealed else (body, "")
            deliveries.append(
                Delivery(
                    id=id_,
                    endpoint_id=endpoint_id,
                    organization_id=organization_id,
                    provider=provider,
                    correlation_id=correlation_id,
                    received_at=received_at,
                    attempts=attempts,
                    headers=_decode_headers(headers),
                    body=opened,
                    unopened=unopened,
                )
            )
        return deliveries

    def _opened(self, body: bytes) -> tuple[bytes, str]:
        """Give what a delivery says, or why nobody can tell."""
        try:
            return self._bodies.open(body), ""
        except SealBrokenError as error:
            return b"", str(error)

    def messages(self, email_ids: Sequence[UUID]) -> dict[UUID, EmailMessage]:
        messages = [EmailMessage(email_id) for email_id in email_ids]
        if messages:
            decode = self._mapper.decode_sealed
            with self._recorder.histories(self._cursor, email_ids) as rows:
                for place, topic, state in rows:
                    fact, message = decode(topic, state), messages[place]
                    message.replay(fact)  # type: ignore[arg-type]  # streams of emails hold nothing else
                    if topic == Sent.TOPIC and (sealed := _sealed_in(fact)):
                        self._sealed_with[message] = key_id_of(sealed)
        return dict(zip(email_ids, messages, strict=True))

    def reveal(self, messages: Sequence[EmailMessage]) -> None:
        self._look_up_keys_of(messages)
        for message in messages:
            if key := self._key_of(message):
                message.reveal(_teller(message.id, key))

    def identify(self, messages: Sequence[EmailMessage]) -> None:
        self._look_up_keys_of(messages)
        for message in messages:
            if message.sent is None or message not in self._sealed_with:
                continue
            key = self._key_of(message)
            if key is None:
                message.identify(None)
            else:
                message.identify(sealed_personal(message.sent, message.id, _sealed_in(message.sent), key.cipher()))

    def _look_up_keys_of(self, messages: Iterable[EmailMessage]) -> None:
        """Ask for the keys of emails that were sealed: nobody destroys any while we record."""
        sealed_with, looked_up = self._sealed_with, self._looked_up
        missing = {
            key_id
            for message in messages
            if (key_id := sealed_with.get(message)) is not None and key_id not in looked_up
        }
        if missing:
            looked_up |= dict.fromkeys(missing)
            looked_up |= self._keys.found(self._cursor, missing)

    def _key_of(self, message: EmailMessage) -> RecipientKey | None:
        """Give the key of an email whose key was looked up; ``None`` if it was destroyed, or there is none yet."""
        return self._looked_up.get(self._sealed_with.get(message, b""))

    def homes_of_viewers(self, session_hashes: Collection[bytes]) -> Mapping[bytes, UUID]:
        self._cursor.execute(
            "SELECT token_hash, organization_id FROM ops.access_tokens WHERE kind = 'session' AND token_hash = ANY(%s)",
            (list(session_hashes),),
            binary=True,
        )
        return dict(self._cursor.fetchall())

    def hidden_addresses(self, places: Collection[int]) -> dict[int, str]:
        sealed: dict[int, tuple[UUID, Opened | Clicked, bytes]] = {}
        for place, email_id, topic, state in self._recorder.at_places(self._cursor, places):
            fact, part = self._mapper.decode(topic, state), sealed_part(state)
            if isinstance(fact, Opened | Clicked) and part:
                sealed[place] = email_id, fact, part
        # As the database has them now: a key that somebody read before an erasure opens nothing.
        keys = self._keys.found(self._cursor, {key_id_of(part) for *_, part in sealed.values()})
        for email_id, fact, part in sealed.values():
            if key := keys.get(key_id_of(part)):
                open_into(fact, email_id, part, key.cipher())
        return {
            place: fact.personal.hidden_ip_address
            for place, (_, fact, _) in sealed.items()
            if fact.personal.hidden_ip_address
        }

    def append(self, messages: Sequence[EmailMessage]) -> int:
        decided = [(message, events) for message in messages if (events := message.collect_events())]
        if not decided:
            return 0
        telling = [message for message, events in decided if any(tells_who(event.fact) for event in events)]
        # Before the table of events is locked: whoever waits for a key then holds up nobody else.
        self._look_up_keys_of(telling)
        new = self._new_keys_of([message for message in telling if message not in self._sealed_with])
        count = sum(len(events) for _, events in decided)
        # The server takes in the first half while the second is sealed; others wait for the table no longer for it.
        self._recorder.append(self._cursor, self._sealed_rows(decided, new, count), before_locking=count // 2)
        return count

    def _sealed_rows(
        self, decided: Iterable[_Decided], new: Mapping[EmailMessage, RecipientKey], count: int
    ) -> Iterator[StoredRow]:
        encode, fresh = self._mapper.encode, iter(nonces(count))
        for message, events in decided:
            stream_id, key = message.id, new.get(message) or self._key_of(message)
            for event in events:
                fact = event.fact
                if not tells_who(fact):
                    state = encode(fact)
                elif key is None:
                    state = state_without(_sealable(fact))
                else:
                    state = sealed_state(_sealable(fact), stream_id, key, next(fresh))
                yield stream_id, event.originator_version, fact.TOPIC, state

    def _new_keys_of(self, messages: Sequence[EmailMessage]) -> dict[EmailMessage, RecipientKey]:
        """Give the keys with which `Sent` is sealed now, and everything about the email for good."""
        addressees = {
            message: (addressee_of(message.sent), message.sent.organization_id)
            for message in messages
            if message.sent is not None
        }
        keys = self._keys.of_addressees(self._cursor, dict(addressees.values()))
        return {message: keys[addressee_id] for message, (addressee_id, _) in addressees.items()}

    def registrations(self, email_ids: Sequence[UUID]) -> dict[UUID, Registered]:
        found: dict[UUID, Registered] = {}
        for email_id, (place, state) in self._recorder.first_events(self._cursor, email_ids).items():
            sent = self._mapper.decode(Sent.TOPIC, state)
            if isinstance(sent, Sent):
                found[email_id] = Registered(place, sent)
        return found

    def still_waiting(self, delivery_ids: Sequence[int]) -> set[int]:
        self._cursor.execute(
            "SELECT id FROM ops.webhook_inbox WHERE id = ANY(%s) FOR UPDATE SKIP LOCKED", (list(delivery_ids),)
        )
        return {id_ for (id_,) in self._cursor.fetchall()}

    def close_deliveries(self, delivery_ids: Sequence[int]) -> None:
        if delivery_ids:
            # Should the machine fail before this commit reaches the disk, the deliveries, which did, are still in the
            # inbox and none of their events in the store: they are drained again. So nothing waits for the disk.
            self._cursor.execute("SET LOCAL synchronous_commit = off")
            self._cursor.execute(_CLOSE, (list(delivery_ids),))

    def postpone_delivery(self, delivery_id: int, *, error: str, until: datetime) -> None:
        self._cursor.execute(
            "UPDATE ops.webhook_inbox SET attempts = attempts + 1, last_error = %s, next_attempt_at = %s WHERE id = %s",
            (error, until, delivery_id),
        )

    def request_confirmations(self, confirmations: Sequence[tuple[UUID, ConfirmSubscription]]) -> None:
        self._cursor.executemany(
            "INSERT INTO ops.subscription_confirmations (endpoint_id, url) VALUES (%s, %s)",
            [(endpoint_id, confirmation.url) for endpoint_id, confirmation in confirmations],
        )

    def count_outcomes(self, outcomes: Mapping[str, int]) -> None:
        if outcomes:
            self._cursor.execute(
                "INSERT INTO ops.report_outcomes AS o (outcome, reports) SELECT * FROM unnest(%s::text[], %s::bigint[])"
                " ON CONFLICT (outcome) DO UPDATE SET reports = o.reports + excluded.reports",
                (sorted(outcomes), [outcomes[outcome] for outcome in sorted(outcomes)]),
            )


def _sealable(fact: AnyFact) -> Fact | Sent:
    if not isinstance(fact, _SEALED):
        raise TypeError(f"{type(fact).__name__} tells of nobody")
    return fact


def _sealed_in(fact: object) -> bytes:
    """Give what is sealed of a fact that `FactMapper.decode_sealed` gave; b"" of one that was just made."""
    sealed: bytes = getattr(fact, "sealed", b"")
    return sealed


def _teller(email_id: UUID, key: RecipientKey) -> PersonalOf:
    def personal_of(fact: Opened | Clicked) -> Personal:
        sealed = _sealed_in(fact)
        return sealed_personal(fact, email_id, sealed, key.cipher()) if sealed else fact.personal

    return personal_of

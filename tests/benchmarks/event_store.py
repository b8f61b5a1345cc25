"""A full event store, quickly: facts in the form in which they are stored, by COPY."""

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID, uuid4, uuid5

import psycopg

from adapters.postgres.event_codec import FactMapper
from adapters.postgres.recipient_keys import SEAL_PURPOSE, RecipientKey
from adapters.postgres.sealing import nonces, sealed_state, tells_who
from adapters.secrets import SecretBox
from domain.email_facts import (
    Clicked,
    Delivered,
    JobReference,
    Opened,
    Party,
    Personal,
    Rejudged,
    ReportedFact,
    Sent,
    addressee_of,
)
from domain.values import Verdict
from tests.benchmarks.believable import Happened
from tests.benchmarks.stores import SECRET_KEY
from tests.benchmarks.traffic import AGENTS, CAMPAIGNS

FACTS_PER_EMAIL = 10
_EMAILS_AT_WORK = 20_000
_KEYS_AT_HAND = 50_000
_SPACE = UUID("2c9f1a34-5b5e-4c7a-9f54-6f6f0d9a7b11")


def fill_event_store(
    database_url: str,
    events: int,
    *,
    organization_id: UUID | None = None,
    age: timedelta = timedelta(),
    secret_keys: Sequence[str] = (SECRET_KEY,),
) -> None:
    """Append events of one organisation, a tenth of them new emails, the others about the latest of these.

    Args:
        database_url: Of a migrated database.
        events: How many.
        organization_id: Of a new organisation if it is not named.
        age: How long ago all of that happened; by default within the last month.
        secret_keys: Of the service that will read them.
    """
    organization_id = organization_id or uuid4()
    store_happenings(database_url, _stream(events, organization_id, datetime.now(UTC) - age), secret_keys=secret_keys)


def store_happenings(
    database_url: str, happened: Iterable[Happened], *, secret_keys: Sequence[str] = (SECRET_KEY,)
) -> int:
    """Append facts, sealed as the service seals them.

    Args:
        database_url: Of a migrated database in which nobody knows these people.
        happened: In the order of the store.
        secret_keys: Of the service that will read them.

    Returns:
        How many.
    """
    seals = _Seals(SecretBox(secret_keys, purpose=SEAL_PURPOSE))
    stored = 0
    with (
        psycopg.connect(database_url) as connection,
        connection.cursor() as cursor,
        cursor.copy(
            "COPY events.stored_events (originator_id, originator_version, topic, state) FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types(["uuid", "int8", "text", "bytea"])
        for one in happened:
            copy.write_row((one.email_id, one.version, one.fact.TOPIC, seals.state(one)))
            stored += 1
    with (
        psycopg.connect(database_url) as connection,
        connection.cursor() as cursor,
        cursor.copy(
            "COPY ops.recipient_keys (key_id, addressee_id, organization_id, wrapped) FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types(["uuid", "uuid", "uuid", "bytea"])
        for row in seals.rows:
            copy.write_row(row)
    return stored


class _Seals:
    """Seals facts as the service does: everybody has a key.

    Attributes:
        rows: Of `ops.recipient_keys`.
    """

    def __init__(self, box: SecretBox) -> None:
        self.rows: list[tuple[UUID, UUID, UUID, bytes]] = []
        self._box = box
        self._encode = FactMapper().encode
        self._known: set[UUID] = set()
        self._key_of = lru_cache(_KEYS_AT_HAND)(_key_of)

    def state(self, one: Happened) -> bytes:
        if isinstance(one.fact, Rejudged) or not tells_who(one.fact):
            return self._encode(one.fact)
        if one.addressee_id not in self._known:
            self._known.add(one.addressee_id)
            key_id, secret = _made_of(one.addressee_id)
            wrapped = self._box.seal(secret, bound_to=key_id.bytes)
            self.rows.append((key_id, one.addressee_id, one.organization_id, wrapped))
        return sealed_state(one.fact, one.email_id, self._key_of(one.addressee_id), nonces(1)[0])


def _key_of(addressee_id: UUID) -> RecipientKey:
    key_id, secret = _made_of(addressee_id)
    return RecipientKey(key_id.bytes, addressee_id, secret)


def _made_of(addressee_id: UUID) -> tuple[UUID, bytes]:
    """Give a key's id and secret: always the same for one person, so that a million of them need not be kept."""
    return uuid5(_SPACE, addressee_id.hex), blake2b(addressee_id.bytes, digest_size=32).digest()


def _stream(events: int, organization_id: UUID, now: datetime) -> Iterator[Happened]:
    chance = random.Random(558)
    campaigns = [uuid4() for _ in range(CAMPAIGNS)]
    ids: list[UUID] = []
    people: list[UUID] = []
    versions: list[int] = []
    for number in range(events):
        if number % FACTS_PER_EMAIL == 0:
            ids.append(uuid5(_SPACE, str(len(ids))))
            versions.append(1)
            sent = _sent(len(ids) - 1, organization_id, campaigns, now)
            people.append(addressee_of(sent))
            yield Happened(ids[-1], 1, organization_id, people[-1], sent)
            continue
        place = chance.randrange(max(0, len(ids) - _EMAILS_AT_WORK), len(ids))
        versions[place] += 1
        fact = _reported(chance, place, number, now)
        yield Happened(ids[place], versions[place], organization_id, people[place], fact)


def _sent(number: int, organization_id: UUID, campaigns: list[UUID], now: datetime) -> Sent:
    return Sent(
        organization_id=organization_id,
        provider="sendgrid",
        message_id=f"m{number}",
        sent_at=_sent_at(number, now),
        recorded_at=now,
        subject="Interview Invitation - Software Engineer",
        recipient_type="Candidate",
        recipient_id=f"c-{number * 2 // 3}",
        sender=Party(id=f"r-{number % 12}", name="Ada Recruiter"),
        tracking_id=f"tracking-{number:013d}",
        job=JobReference(id=f"j-{number % 20}", title="Software Engineer", hiring_manager_id="h-2"),
        template=Party(id=f"t-{number % 5}", name="Interview Invitation"),
        campaign_id=campaigns[number % len(campaigns)],
        campaign_contact_id=uuid5(_SPACE, f"contact {number}"),
        personal=Personal(address=f"candidate{number}@example.com", name=f"Candidate {number}"),
    )


def _reported(chance: random.Random, email: int, number: int, now: datetime) -> ReportedFact:
    at = _sent_at(email, now) + timedelta(seconds=60 + chance.randrange(3_000))
    key = chance.randbytes(16)
    kind = chance.random()
    if kind < 0.1:
        return Delivered(key=key, occurred_at=at, recorded_at=now, delivery_id=number)
    who = Personal(ip_address=f"93.184.{email % 256}.{email // 256 % 256}", user_agent=chance.choice(AGENTS))
    if kind < 0.75:
        return Opened(
            key=key,
            occurred_at=at,
            recorded_at=now,
            delivery_id=number,
            personal=who,
            verdict=Verdict.MACHINE_OPEN if kind < 0.15 else Verdict.HUMAN,
            reasons=("provider_flag",) if kind < 0.15 else (),
            rule_version=1,
        )
    return Clicked(
        key=key,
        occurred_at=at,
        recorded_at=now,
        delivery_id=number,
        personal=who,
        url=f"https://careers.example.com/jobs/{chance.randrange(4)}?utm_source=email",
        link_position=str(chance.randrange(3)),
        rule_version=1,
    )


def _sent_at(number: int, now: datetime) -> datetime:
    return now - timedelta(seconds=3_600 + number * 7919 % (30 * 86_400))

"""A full event store, quickly: facts in the form in which they are stored, by COPY."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4, uuid5

import psycopg

from adapters.postgres.event_codec import FactMapper
from domain.email_facts import AnyFact, Clicked, Delivered, JobReference, Opened, Party, Personal, Sent
from domain.values import Verdict
from tests.benchmarks.traffic import AGENTS, CAMPAIGNS

FACTS_PER_EMAIL = 10
_EMAILS_AT_WORK = 20_000
_SPACE = UUID("2c9f1a34-5b5e-4c7a-9f54-6f6f0d9a7b11")


def fill_event_store(database_url: str, events: int) -> None:
    """Append events of one organisation, a tenth of them new emails, the others about the latest of these."""
    encode = FactMapper().encode
    with (
        psycopg.connect(database_url) as connection,
        connection.cursor() as cursor,
        cursor.copy(
            "COPY events.stored_events (originator_id, originator_version, topic, state) FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types(["uuid", "int8", "text", "bytea"])
        for email_id, version, fact in _stream(events):
            copy.write_row((email_id, version, fact.TOPIC, encode(fact)))


def _stream(events: int) -> Iterator[tuple[UUID, int, AnyFact]]:
    chance = random.Random(558)
    organization_id, now = uuid4(), datetime.now(UTC)
    campaigns = [uuid4() for _ in range(CAMPAIGNS)]
    ids: list[UUID] = []
    versions: list[int] = []
    for number in range(events):
        if number % FACTS_PER_EMAIL == 0:
            ids.append(uuid5(_SPACE, str(len(ids))))
            versions.append(1)
            yield ids[-1], 1, _sent(len(ids) - 1, organization_id, campaigns, now)
            continue
        place = chance.randrange(max(0, len(ids) - _EMAILS_AT_WORK), len(ids))
        versions[place] += 1
        yield ids[place], versions[place], _reported(chance, place, number, now)


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


def _reported(chance: random.Random, email: int, number: int, now: datetime) -> AnyFact:
    at = _sent_at(email, now) + timedelta(seconds=60 + chance.randrange(3_000))
    key = UUID(int=chance.getrandbits(128))
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

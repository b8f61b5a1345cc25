"""What people look at, with years of mail behind it: how long they wait for a dashboard, a candidate, a campaign."""

import http.client
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID, uuid4

import psycopg

from application.ports.access_tokens import Role, TokenKind
from application.tokens import hash_of, new_token
from entrypoints.web.pages.cookies import SessionCookie
from tests.benchmarks import dataset
from tests.benchmarks.believable import ORGANIZATIONS
from tests.benchmarks.cold_browser import visit_cold
from tests.benchmarks.figures import BenchmarkFailedError, Figures, Target
from tests.benchmarks.plan import Plan
from tests.benchmarks.stores import SECRET_KEY, migrated_database
from tests.support.running_service import RunningService

NAME = "dashboard"
QUESTIONS = 200
"""Of each kind; those that nobody promised a time for are asked a tenth as often."""
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "America/St_Johns", "Asia/Kathmandu")
MANAGER = "h-2"
DASHBOARD_P95 = Target(at_most=100)
CANDIDATE_P95 = Target(at_most=30)
_SHARES = [one.share for one in ORGANIZATIONS]
_SUBJECTS = """
SELECT (SELECT array_agg(recipient_id) FROM (SELECT recipient_id FROM email_logs WHERE organization_id = %(id)s
        ORDER BY md5(email_id::text) LIMIT 300) c) AS candidates,
    (SELECT array_agg(campaign_id) FROM (SELECT campaign_id FROM email_totals WHERE organization_id = %(id)s
        AND sent_quarter > now() - interval '60 days' AND campaign_id <> '00000000-0000-0000-0000-000000000000'
        ORDER BY sent DESC LIMIT 50) c) AS campaigns
"""


class Person(NamedTuple):
    """Somebody who asks.

    Attributes:
        headers: With a user token for the API and a session for pages.
    """

    organization: UUID
    role: Role
    headers: dict[str, str]
    candidates: list[str]
    campaigns: list[UUID]


class Question(NamedTuple):
    """A path, and who asks for it."""

    path: str
    headers: dict[str, str]


def run(plan: Plan, figures: Figures) -> None:
    """Fill a database, start the service on it and ask; once, for it takes minutes."""
    with migrated_database(plan.server_url) as url:
        events = dataset.fill(url, plan.dashboard_events)
        settings = {k: v for k, v in plan.service_settings.items() if k == "MAILPULSE_REDIS_URL"}
        settings |= {"MAILPULSE_DATABASE_URL": url, "MAILPULSE_SECRET_KEYS": SECRET_KEY}
        with (
            tempfile.TemporaryDirectory(dir=plan.directory) as directory,
            RunningService(Path(directory) / "var", settings) as service,
        ):
            ask_everything(url, service.port, events, figures)


def ask_everything(database_url: str, port: int, events: int, figures: Figures) -> None:
    """Ask all kinds of questions, one after the other on one connection, and put down what each kind took.

    In the end somebody opens the dashboard in a browser.

    Args:
        database_url: Of the service.
        port: Where it listens.
        events: That it has.
        figures: To add to.
    """
    chance = random.Random(558)
    recruiters = people(database_url, Role.RECRUITER)
    managers = people(database_url, Role.HIRING_MANAGER)
    asked = [*recruiters, managers[0]]
    shares = [*_SHARES, 0.2]

    def somebody() -> Person:
        return chance.choices(asked, shares)[0]

    def dashboards(path: str, days: int = 30, **more: str) -> Iterator[Question]:
        while True:
            who = somebody()
            yield Question(f"{path}?{urlencode(_filters(chance, who, days) | more)}", who.headers)

    def candidates(path: str) -> Iterator[Question]:
        while True:
            who = chance.choices(recruiters, _SHARES)[0]
            yield Question(path.format(chance.choice(who.candidates)), who.headers)

    def campaigns(path: str) -> Iterator[Question]:
        while True:
            who = recruiters[0]
            yield Question(path.format(chance.choice(who.campaigns)), who.headers)

    def same(path: str, who: Person) -> Iterator[Question]:
        while True:
            yield Question(path, who.headers)

    large, manager, few = recruiters[0], managers[0], QUESTIONS // 10
    kinds: list[tuple[str, Iterator[Question], int, Target | None]] = [
        ("30 days, API", dashboards("/api/v1/dashboard"), QUESTIONS, DASHBOARD_P95),
        ("30 days, page", dashboards("/"), QUESTIONS, DASHBOARD_P95),
        ("30 days of all emails of the large organisation, page", same("/", large), QUESTIONS, DASHBOARD_P95),
        ("30 days of a hiring manager, page", same("/", manager), QUESTIONS, DASHBOARD_P95),
        ("30 days by what happened, page", dashboards("/", basis="activity"), QUESTIONS, DASHBOARD_P95),
        (
            "30 days by what happened to all emails of the large organisation, page",
            same("/?basis=activity", large),
            few,
            DASHBOARD_P95,
        ),
        ("365 days, page", dashboards("/", 365), few, None),
        ("a candidate, page", candidates("/candidates/{}"), QUESTIONS, CANDIDATE_P95),
        ("a candidate, API", candidates("/api/v1/candidates/{}/engagement"), QUESTIONS, CANDIDATE_P95),
        ("candidates by score, page", same("/candidates", large), few, None),
        ("candidates by score of a hiring manager, page", same("/candidates", manager), few, None),
        ("a campaign's figures, API", campaigns("/api/v1/campaigns/{}/engagement"), few, None),
        ("a campaign's links, API", campaigns("/api/v1/campaigns/{}/links"), few, None),
        ("emails, page", same("/emails", large), few, None),
    ]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for name, questions, number, target in kinds:
        _asked(connection, next(questions))  # the first of a kind has templates and plans to make
        times = sorted(_asked(connection, next(questions)) for _ in range(number))
        label = f"{events:,} events, {name}"
        figures.add(NAME, f"{label}, p50", times[number // 2], "ms")
        figures.add(NAME, f"{label}, p95", times[number * 95 // 100], "ms", target=target, note=f"{number} questions")
    connection.close()
    visit_cold(NAME, f"http://127.0.0.1:{port}/", large.headers["Cookie"], figures, label=f"{events:,} events, 30 days")


def people(database_url: str, role: Role) -> list[Person]:
    """Let somebody of each organisation in."""
    return [_person(database_url, one.id, role) for one in ORGANIZATIONS]


def _person(database_url: str, organization_id: UUID, role: Role) -> Person:
    token, session = new_token(TokenKind.USER_TOKEN), new_token(TokenKind.SESSION)
    token_id = uuid4()
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO ops.organizations (id, name) VALUES (%s, 'Benchmark') ON CONFLICT DO NOTHING",
            (organization_id,),
        )
        for row_id, kind, secret, parent in (
            (token_id, TokenKind.USER_TOKEN, token, None),
            (uuid4(), TokenKind.SESSION, session, token_id),
        ):
            connection.execute(
                "INSERT INTO ops.access_tokens"
                " (id, organization_id, kind, token_hash, role, user_id, parent_id, expires_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, now() + interval '1 day')",
                (row_id, organization_id, kind, hash_of(secret), role, MANAGER, parent),
            )
        [(candidates, campaigns)] = connection.execute(_SUBJECTS, {"id": organization_id}).fetchall()
    cookie = SessionCookie("http://127.0.0.1").name
    headers = {"Authorization": f"Bearer {token}", "Cookie": f"{cookie}={session}"}
    return Person(organization_id, role, headers, candidates or [], campaigns or [])


def _filters(chance: random.Random, who: Person, days: int) -> dict[str, Any]:
    last = (
        datetime.now(UTC).date()
        if chance.random() < 0.6
        else datetime.now(UTC).date() - timedelta(days=chance.randrange(600))
    )
    asked: dict[str, Any] = {"from": last - timedelta(days=days - 1), "to": last, "tz": chance.choice(ZONES)}
    kind = chance.random()
    if kind < 0.2:
        asked["job_id"] = f"j-{int(240 * chance.random() ** 2)}"
    elif kind < 0.4:
        asked["template_id"] = f"t-{int(40 * chance.random() ** 2)}"
    elif kind < 0.6 and who.campaigns:
        asked["campaign_id"] = chance.choice(who.campaigns)
    return asked


def _asked(connection: http.client.HTTPConnection, question: Question) -> float:
    """Ask and give the milliseconds until the whole answer is there."""
    started = time.perf_counter()
    connection.request("GET", question.path, headers=question.headers)
    answer = connection.getresponse()
    answer.read()
    spent = 1_000 * (time.perf_counter() - started)
    if answer.status != http.client.OK:
        raise BenchmarkFailedError(f"GET {question.path} answered {answer.status}")
    return spent

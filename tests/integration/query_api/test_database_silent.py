"""Questions while the database keeps its connections and says nothing: 503 soon, answers again when it is back."""

import asyncio

import httpx
import pytest

from adapters.postgres import query_pool as pool_module
from adapters.postgres.query_pool import PostgresCheck, ScopedDatabase, query_pool
from application.ports.access_tokens import Role
from read_models.errors import AnswersUnavailableError
from tests.support.failing_link import link_to_postgres
from tests.support.processes import eventually
from tests.support.query_world import OURS
from tests.support.web_process import Web

HANGS_S = 20.0
NO_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture
def link_and_url(database_url, backend):
    link, url = link_to_postgres(database_url)
    with link:
        yield link, url()


@pytest.fixture
def link_and_web(link_and_url, tmp_path):
    link, url = link_and_url
    web = Web(tmp_path, url, NO_REDIS)
    yield link, web
    web.kill()


@pytest.fixture
def ask(link_and_web, tokens):
    """Ask the web process; fails if there is no answer at all."""
    _, web = link_and_web
    headers = {"Authorization": f"Bearer {tokens[OURS, Role.ADMIN]}"}
    with httpx.Client(base_url=web.url, headers=headers, timeout=HANGS_S) as client:

        def ask(path, **content):
            return client.post(path, **content) if content else client.get(path)

        yield ask


@pytest.mark.parametrize("path", ["/api/v1/emails", "/health/ready"])
def test_a_silent_database_is_a_503_that_says_when_to_come_back(link_and_web, ask, path):
    link, _ = link_and_web
    assert eventually(lambda: ask(path).status_code == 200)

    link.silence()
    answers = [ask(path) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)
    link.restore()
    assert eventually(lambda: ask(path).status_code == 200)


def test_what_is_to_be_recorded_while_the_database_is_silent_is_a_503(link_and_web, ask):
    link, _ = link_and_web
    email = {
        "provider": "email",
        "message_id": "silent-1",
        "sent_at": "2026-11-20T10:00:00Z",
        "subject": "Interview",
        "recipient": {"id": "c-1", "email": "ada@example.org"},
        "sender": {"id": "r-1"},
    }
    assert eventually(lambda: ask("/api/v1/emails", json=email).status_code == 201)

    link.silence()
    answers = [ask("/api/v1/emails", json=email) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [503, 503]
    link.restore()
    assert eventually(lambda: ask("/api/v1/emails", json=email).status_code in {200, 201})


def test_metrics_say_that_the_database_is_silent(link_and_web, ask):
    link, _ = link_and_web
    assert eventually(lambda: "mailpulse_database_answers 1.0" in ask("/metrics").text)

    link.silence()

    assert "mailpulse_database_answers 0.0" in ask("/metrics").text
    link.restore()
    assert eventually(lambda: "mailpulse_database_answers 1.0" in ask("/metrics").text)


async def question(database):
    async with database.reading(OURS) as connection:
        return await (await connection.execute("SELECT count(*) FROM email_logs")).fetchone()


async def question_cut_off(database, link):
    async with asyncio.timeout(HANGS_S), database.reading(OURS) as connection:
        link.silence()
        await (await connection.execute("SELECT count(*) FROM email_logs")).fetchone()


async def answered(database):
    """Ask until there is an answer."""
    async with asyncio.timeout(HANGS_S):
        while True:
            try:
                return await question(database)
            except AnswersUnavailableError:
                await asyncio.sleep(0)


def test_a_database_that_falls_silent_over_a_question_is_not_waited_for(link_and_url, monkeypatch):
    link, url = link_and_url
    monkeypatch.setattr(pool_module, "QUESTION_S", 0.2)

    async def story():
        async with query_pool(url, size=1) as pool:
            database = ScopedDatabase(pool)
            before = await answered(database)
            with pytest.raises(AnswersUnavailableError):
                await question_cut_off(database, link)
            link.restore()
            monkeypatch.undo()
            return before, await answered(database)

    before, after = asyncio.run(story())
    assert before == after


def test_more_questions_than_connections_are_not_kept_waiting_by_a_silent_database(link_and_url):
    link, url = link_and_url

    async def story():
        async with query_pool(url, size=2) as pool:
            database = ScopedDatabase(pool)
            await answered(database)
            link.silence()
            async with asyncio.timeout(HANGS_S):
                ended = await asyncio.gather(*(question(database) for _ in range(6)), return_exceptions=True)
            link.restore()
            await answered(database)
            return ended

    assert [type(ended) for ended in asyncio.run(story())] == [AnswersUnavailableError] * 6


def test_the_sign_of_life_of_a_silent_database_is_not_waited_for(link_and_url):
    link, url = link_and_url

    async def story():
        async with query_pool(url, size=1) as pool:
            await answered(ScopedDatabase(pool))
            await PostgresCheck(pool).check()
            link.silence()
            async with asyncio.timeout(HANGS_S):
                with pytest.raises(AnswersUnavailableError):
                    await PostgresCheck(pool).check()
            link.restore()
            await answered(ScopedDatabase(pool))

    asyncio.run(story())

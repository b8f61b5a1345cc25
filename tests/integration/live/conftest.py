"""A web process of its own, on real servers, and people with tokens."""

from uuid import uuid4

import psycopg
import pytest

from adapters.embedded.redis import EmbeddedRedis
from application.ports.access_tokens import Role, TokenKind
from application.tokens import hash_of, new_token
from entrypoints.bootstrap import Backend
from entrypoints.secret_keys import Secret
from entrypoints.settings import Settings
from entrypoints.web.live import streams
from tests.support.announcer import Announcer
from tests.support.servers import fresh_database, started_servers
from tests.support.web_process import SECRET, Web


@pytest.fixture(scope="session")
def database_url(tmp_path_factory):
    with fresh_database(started_servers(tmp_path_factory.mktemp("servers"))[0]) as url:
        settings = Settings(
            database_url=url,
            redis_url="redis://127.0.0.1:1/0",
            data_dir=tmp_path_factory.mktemp("data"),
            public_url="https://pulse.example.com",
            secret_keys=(Secret(SECRET),),
        )
        backend = Backend(settings)
        backend.migrate()
        backend.close()
        yield url


@pytest.fixture(scope="session")
def redis(tmp_path_factory):
    """A Redis of our own, which tests may stop."""
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def start_web(tmp_path_factory, database_url, redis):
    started = []

    def start():
        started.append(Web(tmp_path_factory.mktemp("web"), database_url, redis.url))
        return started[-1]

    yield start
    for web in started:
        web.kill()


@pytest.fixture(scope="session")
def web(start_web):
    return start_web()


@pytest.fixture
def announcer(database_url, redis):
    with Announcer(database_url, redis.url) as announcer:
        yield announcer


class People:
    """Lets people of one organisation in."""

    def __init__(self, connection):
        self._connection = connection
        self.organization_id = uuid4()
        connection.execute("INSERT INTO ops.organizations (id, name) VALUES (%s, 'Acme')", (self.organization_id,))

    def token(self, user_id, role=Role.RECRUITER, kind=TokenKind.USER_TOKEN):
        if kind is TokenKind.SESSION:
            return self._kept(user_id, role, kind, parent_id=self._kept(user_id, role, TokenKind.USER_TOKEN)[0])[1]
        return self._kept(user_id, role, kind)[1]

    def _kept(self, user_id, role, kind, parent_id=None):
        token_id, token = uuid4(), new_token(kind)
        self._connection.execute(
            "INSERT INTO ops.access_tokens"
            " (id, organization_id, kind, token_hash, role, user_id, expires_at, parent_id)"
            " VALUES (%s, %s, %s, %s, %s, %s, now() + interval '1 day', %s)",
            (token_id, self.organization_id, kind, hash_of(token), role, user_id, parent_id),
        )
        return token_id, token

    def revoke(self, token):
        self._connection.execute(
            "UPDATE ops.access_tokens SET revoked_at = now() WHERE token_hash = %s", (hash_of(token),)
        )


@pytest.fixture
def people(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield People(connection)


@pytest.fixture
def other_people(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield People(connection)


@pytest.fixture
def most_streams():
    return streams.MOST_OF_A_PERSON

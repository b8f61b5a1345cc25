"""The application on a real database whose owner is no superuser, with callers of every role."""

from contextlib import asynccontextmanager
from uuid import uuid4

import psycopg
import pytest
from litestar.testing import TestClient
from prometheus_client import CollectorRegistry
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from adapters.postgres.access_tokens import PostgresAccessTokens
from adapters.postgres.queries.candidates import PostgresCandidateQueries
from adapters.postgres.queries.contacts import PostgresContactQueries
from adapters.postgres.queries.deliveries import PostgresDeliveryQueries
from adapters.postgres.queries.emails import PostgresEmailQueries
from adapters.postgres.queries.metrics import PostgresMetricsQueries
from adapters.postgres.query_pool import PostgresCheck, ScopedDatabase, query_pool
from application.access import AccessControl, Authenticate, Role, TokenKind, hash_of, new_token
from domain.errors import PortError
from entrypoints.bootstrap import Backend
from entrypoints.secret_keys import Secret
from entrypoints.settings import Settings
from entrypoints.web.app import create_app
from entrypoints.web.services import WebServices
from tests.support.query_world import MANAGER, NOON, OURS, THEIRS, project, told
from tests.support.servers import fresh_database, started_servers

OPERATOR_TOKEN = "the operator's own token"


class Monotonic:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Switch:
    """A dependency that is away when a test says so."""

    name = "redis"

    def __init__(self):
        self.is_away = False

    async def check(self):
        if self.is_away:
            raise PortError


class Caller:
    """Asks as somebody."""

    def __init__(self, client, token):
        self._client = client
        self.token = token

    def get(self, path, **parameters):
        return self._client.get(path, params=parameters or None, headers=self.headers)

    def post(self, path, json=None, **more):
        return self._client.post(path, json=json, headers={**self.headers, **more.pop("headers", {})}, **more)

    def delete(self, path):
        return self._client.delete(path, headers=self.headers)

    def ask(self, method, path):
        return self._client.request(method, path, headers=self.headers)

    @property
    def headers(self):
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture(scope="session")
def administrator_url(tmp_path_factory):
    with fresh_database(started_servers(tmp_path_factory.mktemp("servers"))[0]) as url:
        yield url


@pytest.fixture(scope="session")
def database_url(administrator_url):
    """The database as its owner sees it: no superuser, so that row security binds everybody who asks."""
    owner, url = f"owner_{uuid4().hex[:8]}", administrator_url
    with psycopg.connect(url, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'mailpulse_query'").fetchone():
            connection.execute("CREATE ROLE mailpulse_query NOLOGIN")
        connection.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(owner)))
        connection.execute(SQL("GRANT mailpulse_query TO {}").format(Identifier(owner)))
        name = connection.info.dbname
        connection.execute(SQL("ALTER DATABASE {} OWNER TO {}").format(Identifier(name), Identifier(owner)))
    yield psycopg.conninfo.make_conninfo(**(conninfo_to_dict(url) | {"user": owner}))
    with psycopg.connect(url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(SQL("ALTER DATABASE {} OWNER TO CURRENT_USER").format(Identifier(name)))
        connection.execute(SQL("DROP OWNED BY {} CASCADE").format(Identifier(owner)))
        connection.execute(SQL("DROP ROLE {}").format(Identifier(owner)))


@pytest.fixture(scope="session")
def backend(database_url, administrator_url, tmp_path_factory):
    settings = Settings(
        database_url=database_url,
        redis_url="redis://127.0.0.1:1/0",
        data_dir=tmp_path_factory.mktemp("data"),
        public_url="https://pulse.example.com",
        secret_keys=(Secret("a secret key for tests"),),
    )
    backend = Backend(settings)
    backend.migrate()
    project(administrator_url, told())
    yield backend
    backend.close()


@pytest.fixture(scope="session")
def tokens(database_url, backend):
    """Tokens by organisation and role, kept as the service keeps them."""
    tokens = {}
    with psycopg.connect(database_url) as connection:
        for organization in (OURS, THEIRS):
            connection.execute(
                "INSERT INTO ops.organizations (id, name) VALUES (%s, %s)", (organization, str(organization))
            )
            for role in Role:
                tokens[organization, role] = token = new_token(TokenKind.USER_TOKEN)
                connection.execute(
                    "INSERT INTO ops.access_tokens (id, organization_id, kind, token_hash, role, user_id)"
                    " VALUES (%s, %s, 'user_token', %s, %s, %s)",
                    (uuid4(), organization, hash_of(token), role, MANAGER),
                )
    return tokens


@pytest.fixture(scope="session")
def monotonic():
    return Monotonic()


@pytest.fixture(scope="session")
def redis_switch():
    return Switch()


@pytest.fixture(scope="session")
def registry():
    return CollectorRegistry()


@pytest.fixture(scope="session")
def client(database_url, backend, monotonic, redis_switch, registry):
    pool = query_pool(database_url, size=4)
    database = ScopedDatabase(pool)
    access_tokens = PostgresAccessTokens(pool)

    @asynccontextmanager
    async def connections(_):
        await pool.open()
        yield
        await pool.close()

    services = WebServices(
        authenticate=Authenticate(access_tokens, lambda: NOON, monotonic),
        access=AccessControl(access_tokens, lambda: NOON, "https://pulse.example.com"),
        register_emails=backend.register_emails,
        is_registered=backend.is_registered,
        retry_parked=backend.retry_parked,
        webhook_endpoints=backend.webhook_endpoints,
        emails=PostgresEmailQueries(database),
        candidates=PostgresCandidateQueries(database),
        metrics=PostgresMetricsQueries(database),
        contacts=PostgresContactQueries(database),
        deliveries=PostgresDeliveryQueries(database),
        clock=lambda: NOON,
        registry=registry,
        is_operator=lambda token: token == OPERATOR_TOKEN,
        required=(PostgresCheck(pool),),
        optional=(redis_switch,),
    )
    with TestClient(create_app(services, lifespan=[connections]), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def anyone(client):
    return client


@pytest.fixture
def recruiter(client, tokens):
    return Caller(client, tokens[OURS, Role.RECRUITER])


@pytest.fixture
def admin(client, tokens):
    return Caller(client, tokens[OURS, Role.ADMIN])


@pytest.fixture
def manager(client, tokens):
    return Caller(client, tokens[OURS, Role.HIRING_MANAGER])


@pytest.fixture
def stranger(client, tokens):
    return Caller(client, tokens[THEIRS, Role.ADMIN])


@pytest.fixture
def operator(client):
    return Caller(client, OPERATOR_TOKEN)


@pytest.fixture
def with_token(client):
    return lambda token: Caller(client, token)

"""The application on a real database whose owner is no superuser, with callers of every role."""

import asyncio
import time
from contextlib import asynccontextmanager
from uuid import uuid4

import psycopg
import pytest
from litestar.testing import TestClient
from prometheus_client import CollectorRegistry
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from adapters.postgres.access_tokens import PostgresAccessTokens
from adapters.postgres.notification_records import PostgresNotificationRecords
from adapters.postgres.queries.candidates import PostgresCandidateQueries
from adapters.postgres.queries.compliance import PostgresComplianceQueries
from adapters.postgres.queries.contacts import PostgresContactQueries
from adapters.postgres.queries.dashboard import PostgresDashboardQueries
from adapters.postgres.queries.deliverability import PostgresDeliverabilityQueries
from adapters.postgres.queries.deliveries import PostgresDeliveryQueries
from adapters.postgres.queries.emails import PostgresEmailQueries
from adapters.postgres.queries.metrics import PostgresMetricsQueries
from adapters.postgres.queries.notifications import PostgresNotificationQueries
from adapters.postgres.queries.outgoing import PostgresOutgoingDeliveryQueries
from adapters.postgres.query_pool import PostgresCheck, ScopedDatabase, query_pool
from application.access import AccessControl
from application.authenticate import Authenticate
from application.notifications import Notifications
from application.ports.access_tokens import Role, TokenKind
from application.sign_in import SignIn
from application.tokens import hash_of, new_token
from domain.errors import PortError
from entrypoints.bootstrap import READ_MODEL_TABLES, Backend
from entrypoints.secret_keys import Secret
from entrypoints.settings import Settings
from entrypoints.web.app import create_app
from entrypoints.web.live.streams import OpenStreams
from entrypoints.web.pages.cookies import SessionCookie
from entrypoints.web.services import WebServices
from tests.support.page_browser import Browser
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


class Presence:
    """Who is online, in memory."""

    def __init__(self):
        self.people = set()

    async def note(self, people):
        self.people = set(people)

    async def is_online(self, person):
        return person in self.people


class NothingRings:
    """Redis is away, and stays away."""

    async def listen(self, heard):
        heard.deaf()
        await asyncio.Event().wait()


class Caller:
    """Asks as somebody."""

    def __init__(self, client, token):
        self._client = client
        self.token = token

    def get(self, path, **parameters):
        return self._client.get(path, params=parameters or None, headers=self.headers)

    def post(self, path, json=None, **more):
        return self._client.post(path, json=json, headers={**self.headers, **more.pop("headers", {})}, **more)

    def put(self, path, json=None, **more):
        return self._client.put(path, json=json, headers={**self.headers, **more.pop("headers", {})}, **more)

    def patch(self, path, json):
        return self._client.patch(path, json=json, headers=self.headers)

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
                "INSERT INTO ops.organizations (id, name) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                (organization, str(organization)),
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

    notifications = PostgresNotificationQueries(database)
    presence = Presence()
    streams = OpenStreams(
        queries=notifications,
        tokens=access_tokens,
        presence=presence,
        listener=NothingRings(),
        clock=lambda: NOON,
        monotonic=time.monotonic,
    )

    @asynccontextmanager
    async def connections(_):
        await pool.open()
        async with streams.running():
            yield
        await pool.close()

    services = WebServices(
        authenticate=Authenticate(access_tokens, lambda: NOON, monotonic),
        access=AccessControl(access_tokens, lambda: NOON, "https://pulse.example.com"),
        sign_in=SignIn(access_tokens, lambda: NOON),
        cookie=SessionCookie("https://pulse.example.com"),
        public_url="https://pulse.example.com",
        register_emails=backend.register_emails,
        instrument_email=backend.instrument_email,
        is_registered=backend.is_registered,
        erase_recipient=backend.erase_recipient,
        retry_parked=backend.retry_parked,
        webhook_endpoints=backend.webhook_endpoints,
        outgoing_webhooks=backend.outgoing_webhooks,
        hidden_addresses=backend.hidden_addresses,
        tracking_policies=backend.tracking_policies,
        tracking_consents=backend.tracking_consents,
        emails=PostgresEmailQueries(database),
        candidates=PostgresCandidateQueries(database),
        metrics=PostgresMetricsQueries(database),
        dashboard=PostgresDashboardQueries(database),
        contacts=PostgresContactQueries(database),
        compliance=PostgresComplianceQueries(database),
        deliverability=PostgresDeliverabilityQueries(database),
        deliveries=PostgresDeliveryQueries(database),
        outgoing_deliveries=PostgresOutgoingDeliveryQueries(database),
        notifications=notifications,
        handle_notifications=Notifications(PostgresNotificationRecords(pool), lambda: NOON),
        streams=streams,
        presence=presence,
        clock=lambda: NOON,
        registry=registry,
        is_operator=lambda token: token == OPERATOR_TOKEN,
        required=(PostgresCheck(pool),),
        optional=(redis_switch,),
    )
    with TestClient(create_app(services, lifespan=[connections]), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def world_as_it_was(administrator_url, backend):
    """For modules that tell more: the others find the world as it was."""
    yield
    with psycopg.connect(administrator_url) as connection:
        for model in READ_MODEL_TABLES:
            for name in model.tables:
                connection.execute(SQL("DELETE FROM {}").format(Identifier(name)))
    project(administrator_url, told())


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


@pytest.fixture(scope="session")
def operator(client):
    return Caller(client, OPERATOR_TOKEN)


@pytest.fixture
def with_token(client):
    return lambda token: Caller(client, token)


@pytest.fixture
def link_for(admin):
    def link(role, user_id="u-1"):
        return admin.post("/api/v1/user-sessions", {"user_id": user_id, "role": role, "name": "Ada"}).json()

    return link


@pytest.fixture
def browser(client):
    return Browser(client.app)


@pytest.fixture
def recruiters_browser(browser, link_for):
    browser.sign_in(link_for("recruiter")["url"])
    return browser


@pytest.fixture
def admins_browser(browser, link_for):
    browser.sign_in(link_for("admin")["url"])
    return browser


@pytest.fixture
def managers_browser(browser, link_for):
    browser.sign_in(link_for("hiring_manager", MANAGER)["url"])
    return browser

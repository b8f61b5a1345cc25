"""The composition root: what every process shares, of concrete adapters. Nothing here connects until it is used.

`entrypoints.web.bootstrap` adds what only the web process needs, `entrypoints.embedded_servers` the servers that the
settings leave to us.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from random import random
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final, TypeVar

import psycopg
from dramatiq.brokers.redis import RedisBroker
from eventsourcing.postgres import PostgresDatastore
from prometheus_client import CollectorRegistry
from psycopg import Cursor
from psycopg_pool import ConnectionPool

from adapters.agents import load_patterns, read_agent
from adapters.detection_rules import RulesFile, operators_rules
from adapters.dramatiq.broker import redis_broker
from adapters.dramatiq.jobs import declare_drain
from adapters.first_party import FirstParty
from adapters.postgres.access_tokens import PostgresAccessTokens
from adapters.postgres.confirmations import PostgresConfirmations
from adapters.postgres.datastore import CONNECT_TIMEOUT_S, open_datastore
from adapters.postgres.ended_tokens import PostgresEndedTokens
from adapters.postgres.engaged_emails import PostgresEngagedEmails
from adapters.postgres.engagement_view import PostgresEngagementView
from adapters.postgres.event_codec import FactMapper
from adapters.postgres.event_recorder import BatchRecorder
from adapters.postgres.expired_records import PostgresExpiredRecords
from adapters.postgres.migrate import migrate, missing_migrations, outdated_read_models
from adapters.postgres.notifications_view import PostgresNotificationsView
from adapters.postgres.operations import PostgresOperations
from adapters.postgres.outbox import PostgresOutbox
from adapters.postgres.outgoing_webhooks import SEAL_PURPOSE as OUTGOING_PURPOSE
from adapters.postgres.outgoing_webhooks import PostgresOutgoingWebhookRecords
from adapters.postgres.query_pool import query_pool
from adapters.postgres.read_model_store import PostgresReadModelStore
from adapters.postgres.read_model_tables import ReadModelTables
from adapters.postgres.rebuild import rebuild
from adapters.postgres.recipient_keys import SEAL_PURPOSE as RECIPIENT_KEYS_PURPOSE
from adapters.postgres.recipient_keys import RecipientKeys
from adapters.postgres.rewrap import SecretKeysInUse
from adapters.postgres.scores_view import PostgresScoresView
from adapters.postgres.silence import check_answers, silence_limits
from adapters.postgres.unit_of_work import BODIES_PURPOSE, PostgresUnitsOfWork
from adapters.postgres.wake_up import PostgresWakeUp
from adapters.postgres.webhook_endpoints import SEAL_PURPOSE, PostgresEndpointRecords
from adapters.postgres.write_behind import WriteBehindStore
from adapters.providers import registry
from adapters.redis.notification_feed import RedisNotificationFeed
from adapters.redis.ring_listener import RedisRingListener
from adapters.reply_addresses import SignedReplyAddresses
from adapters.secrets import SecretBox, digests_key
from adapters.sns.certificates import HttpsCertificates
from adapters.sns.confirmation import SnsSubscriptionConfirmer
from adapters.sns.local_certificates import LocalCertificates
from adapters.spool.segments import damaged_in
from adapters.tracking_tokens import SealedTokens
from application.access import AccessControl
from application.confirm_subscriptions import ConfirmSubscriptions
from application.deliver_notifications import DeliverNotifications
from application.drain_inbox import DrainInbox
from application.erase_recipient import EraseRecipient
from application.find_registration import IsRegistered
from application.forget_sightings import ForgetSightings
from application.forget_tokens import ForgetTokens
from application.hidden_addresses import HiddenAddresses
from application.instrument_email import InstrumentEmail
from application.match_mail import MatchMail
from application.outgoing_webhooks import OutgoingWebhooks
from application.ports.provider import Provider, Translator
from application.purge_expired import PurgeExpired
from application.register_emails import RegisterEmails
from application.rejudge import Rejudge
from application.rematch_orphans import RematchOrphans
from application.retry_parked import RetryParked
from application.tracking_consents import TrackingConsents
from application.tracking_policies import TrackingPolicies
from application.webhook_endpoints import WebhookEndpoints
from entrypoints.settings import Settings
from read_models.engagement import projection as engagement
from read_models.engagement.view import EngagementView
from read_models.events import EventLog, LoggedFact
from read_models.notifications import projection as notifications
from read_models.notifications.model import NotificationsReadModel
from read_models.runner import FoldingReadModel, ReadModel
from read_models.scores import projection as scores

if TYPE_CHECKING:
    from adapters.outgoing.courier import HttpCourier

ENGAGEMENT_TABLES: Final = ReadModelTables(
    name=engagement.NAME,
    version=5,
    script="engagement.sql",
    tables=(
        "engagement_tracking",
        "automated_engagement",
        "email_engagement_events",
        "email_links",
        "email_totals",
        "organization_totals",
        "mailing_totals",
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
            self.secret_box_for(BODIES_PURPOSE),
            digests_key=digests_key(self.settings.secret_keys[0].reveal(), "address sightings"),
        )

    @cached_property
    def _recipient_keys(self) -> RecipientKeys:
        return RecipientKeys(self.secret_box_for(RECIPIENT_KEYS_PURPOSE))

    @cached_property
    def _administration_pool(self) -> ConnectionPool[Any]:
        return self._pool(most=2, timeout_s=CONNECT_TIMEOUT_S)

    @cached_property
    def _outbox_pool(self) -> ConnectionPool[Any]:
        return self._pool(most=4, timeout_s=10.0)

    def _pool(self, *, most: int, timeout_s: float) -> ConnectionPool[Any]:
        url = self.settings.database_url
        return ConnectionPool(
            url,
            min_size=0,
            max_size=most,
            open=True,
            timeout=timeout_s,
            check=check_answers,
            kwargs=silence_limits(url),
        )

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
    def providers(self) -> Mapping[str, Provider]:
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
    def forget_tokens(self) -> ForgetTokens:
        """Forgets tokens of people that ended."""
        return ForgetTokens(PostgresEndedTokens(self._administration_pool), self.clock)

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
        return self.secret_box_for(SEAL_PURPOSE)

    def secret_box_for(self, purpose: str) -> SecretBox:
        """Give what seals for one purpose; what is sealed for another does not open."""
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
        records = PostgresOutgoingWebhookRecords(self._administration_pool, self.secret_box_for(OUTGOING_PURPOSE))
        return OutgoingWebhooks(records, self.clock, self.settings.outgoing_networks)

    @cached_property
    def deliver_notifications(self) -> DeliverNotifications:
        """Sends what people are told to outgoing webhooks."""
        outbox = PostgresOutbox(self._outbox_pool, self.secret_box_for(OUTGOING_PURPOSE))
        return DeliverNotifications(outbox, self._courier, self.clock, random)

    @cached_property
    def _courier(self) -> "HttpCourier":
        from adapters.outgoing.courier import HttpCourier  # noqa: PLC0415 - a fifth of what a command would load

        return HttpCourier(self.settings.outgoing_networks)

    @cached_property
    def ring_listener(self) -> RedisRingListener:
        """Hears what is announced."""
        return RedisRingListener(self.settings.redis_url)

    async def close_outgoing(self) -> None:
        """Close what `deliver_notifications` and `ring_listener` opened, in the same event loop."""
        await self._courier.close()
        await self.ring_listener.close()

    def damaged_spool_files(self) -> list[str]:
        """Name the files of readers' reports on this machine that could not be handed over."""
        return [str(path) for path in damaged_in(self.settings.data_dir / SPOOL)]

    @cached_property
    def operations(self) -> PostgresOperations:
        """What an operator asks the database."""
        return PostgresOperations(self._datastore, self._mapper)

    @cached_property
    def secret_keys_in_use(self) -> SecretKeysInUse:
        """Under which secret keys the database lies."""
        return SecretKeysInUse(self._datastore, self.secret_box_for)

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
        url = self.settings.database_url
        with psycopg.connect(url, connect_timeout=3, **silence_limits(url)) as connection:
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

    # --- the read models ---

    @cached_property
    def _read_model_makers(self) -> dict[str, tuple[ReadModelTables, Callable[[str, str], ReadModel]]]:
        """Every read model that can be rebuilt: its tables, and what folds events into them."""
        return {
            engagement.NAME: (ENGAGEMENT_TABLES, self._engagement_model),
            scores.NAME: (SCORES_TABLES, self.scores_model),
        }

    def _engagement_model(self, name: str, schema: str) -> ReadModel:
        load_patterns()  # else the first report of a new process is seen a quarter of a second later

        def project(view: EngagementView, log: EventLog, batch: Sequence[LoggedFact]) -> int:
            return engagement.ProjectEngagement(view, log, read_agent)(batch)

        store = self._read_model_store(name, schema, PostgresEngagementView)
        return FoldingReadModel(name, WriteBehindStore(store), project)

    def scores_model(self, name: str = scores.NAME, schema: str = "public") -> scores.ScoresReadModel:
        """The ranking; it also decays."""
        store = self._read_model_store(name, schema, PostgresScoresView)
        serves = schema == "public"
        most = scores.EVENTS_PER_TRANSACTION if serves else scores.EVENTS_PER_TRANSACTION_OF_A_REBUILD
        return scores.ScoresReadModel(name, store, self.clock, most_events=most)

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
        """Every read model, in the order in which they take turns."""
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


def rebuildable_read_models() -> tuple[str, ...]:
    """Give the names of the read models that can be rebuilt, in the order in which they take turns."""
    return tuple(tables.name for tables in READ_MODEL_TABLES)

"""The web process's part of the composition root: what no other process needs, on connections of one event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cached_property
from hmac import compare_digest
from time import monotonic

import msgspec

from adapters.dramatiq.bell import DramatiqBell
from adapters.endpoint_cache import CachedEndpoints
from adapters.postgres.access_tokens import PostgresAccessTokens
from adapters.postgres.inbox_intake import PostgresInboxIntake
from adapters.postgres.notification_records import PostgresNotificationRecords
from adapters.postgres.operations_metrics import OperationsCollector
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
from adapters.postgres.unit_of_work import BODIES_PURPOSE
from adapters.postgres.webhook_endpoints import PostgresEndpointDirectory
from adapters.redis.check import RedisCheck
from adapters.redis.presence import RedisPresence
from adapters.redis.rate_limit import RedisRateLimit
from adapters.spool.spool import SEAL_PURPOSE as SPOOL_PURPOSE
from adapters.spool.spool import FileSpool
from application.access import AccessControl
from application.authenticate import Authenticate
from application.notifications import Notifications
from application.receive_engagement import ReceiveEngagement
from application.receive_webhook import ReceiveWebhook
from application.sign_in import SignIn
from entrypoints.bootstrap import SPOOL, Backend
from entrypoints.settings import SettingsError
from entrypoints.web.live.stream_metrics import count_open_streams
from entrypoints.web.live.streams import OpenStreams
from entrypoints.web.pages.cookies import SessionCookie
from entrypoints.web.services import WebServices
from entrypoints.web.tracking_metrics import TrackingMetrics
from entrypoints.web.webhook_metrics import WebhookMetrics


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


class Web:
    """What a web process adds to the backend; connects when first used, closes all behind `edge`.

    Args:
        backend: Of this process; closed with the rest.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._settings = backend.settings

    @asynccontextmanager
    async def edge(self) -> AsyncIterator[Edge]:
        """Give what the web process serves, on connections that close with the context.

        Raises:
            SettingsError: The data dir cannot be written.
        """
        await self._pool.open(wait=False)
        OperationsCollector(self._backend.operations, self._backend.metrics)
        self._spool.start()
        count_open_streams(self._backend.metrics, self._streams)
        try:
            async with self._streams.running():
                yield Edge(
                    services=self._services,
                    reception=self._reception,
                    webhook_metrics=self._webhook_metrics,
                    readers=ReceiveEngagement(self._backend.tokens, self._spool, self._backend.clock),
                    tracking_metrics=TrackingMetrics(
                        self._backend.metrics,
                        waiting=lambda: self._spool.waiting,
                        bytes_on_disk=self._spool.bytes_on_disk,
                    ),
                )
        finally:
            await self._close()

    async def _close(self) -> None:
        async with AsyncExitStack() as closing:  # from the last to the first, each whatever the others raise
            closing.push_async_callback(asyncio.to_thread, self._backend.close)
            closing.push_async_callback(self._pool.close)
            closing.push_async_callback(self._presence.close)
            closing.push_async_callback(self._backend.ring_listener.close)
            closing.push_async_callback(self._rate_limit.close)
            closing.push_async_callback(self._directory.close)
            closing.push_async_callback(asyncio.to_thread, self._bell.close)
            closing.push_async_callback(self._intake.close)
            closing.push_async_callback(self._spool.close)

    # --- connections ---

    @cached_property
    def _pool(self) -> QueryPool:
        return query_pool(self._settings.database_url)

    @cached_property
    def _directory(self) -> PostgresEndpointDirectory:
        return PostgresEndpointDirectory(self._settings.database_url, self._backend.secret_box)

    @cached_property
    def _intake(self) -> PostgresInboxIntake:
        return PostgresInboxIntake(self._settings.database_url, self._backend.secret_box_for(BODIES_PURPOSE))

    @cached_property
    def _rate_limit(self) -> RedisRateLimit:
        return RedisRateLimit(self._settings.redis_url)

    @cached_property
    def _presence(self) -> RedisPresence:
        return RedisPresence(self._settings.redis_url)

    @cached_property
    def _bell(self) -> DramatiqBell:
        return DramatiqBell(self._backend.broker, lost=self._webhook_metrics.ring_lost)

    @cached_property
    def _spool(self) -> FileSpool:
        root = self._settings.data_dir / SPOOL
        box = self._backend.secret_box_for(SPOOL_PURPOSE)
        try:
            return FileSpool(root, box, self._intake, self._bell)
        except OSError as error:
            raise SettingsError(
                f"MAILPULSE_DATA_DIR cannot be used: reports of readers are kept in {root}, {error.strerror}"
            ) from error

    # --- what comes in ---

    @cached_property
    def _webhook_metrics(self) -> WebhookMetrics:
        return WebhookMetrics(self._backend.metrics, self._backend.providers)

    @cached_property
    def _reception(self) -> ReceiveWebhook:
        return ReceiveWebhook(
            providers=self._backend.providers,
            endpoints=CachedEndpoints(self._directory),
            rate_limit=self._rate_limit,
            inbox=self._intake,
            bell=self._bell,
            clock=self._backend.clock,
        )

    # --- what is asked ---

    @cached_property
    def _database(self) -> ScopedDatabase:
        return ScopedDatabase(self._pool)

    @cached_property
    def _access_tokens(self) -> PostgresAccessTokens:
        return PostgresAccessTokens(self._pool)

    @cached_property
    def _notifications(self) -> PostgresNotificationQueries:
        return PostgresNotificationQueries(self._database)

    @cached_property
    def _streams(self) -> OpenStreams:
        return OpenStreams(
            queries=self._notifications,
            tokens=self._access_tokens,
            presence=self._presence,
            listener=self._backend.ring_listener,
            clock=self._backend.clock,
            monotonic=monotonic,
        )

    @cached_property
    def _services(self) -> WebServices:
        backend, tokens, database = self._backend, self._access_tokens, self._database
        return WebServices(
            authenticate=Authenticate(tokens, backend.clock, monotonic),
            access=AccessControl(tokens, backend.clock, self._settings.public_url),
            sign_in=SignIn(tokens, backend.clock),
            cookie=SessionCookie(self._settings.public_url),
            public_url=self._settings.public_url,
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
            notifications=self._notifications,
            handle_notifications=Notifications(PostgresNotificationRecords(self._pool), backend.clock),
            streams=self._streams,
            presence=self._presence,
            clock=backend.clock,
            registry=backend.metrics,
            is_operator=self._is_operator,
            required=(PostgresCheck(self._pool),),
            optional=(RedisCheck(self._settings.redis_url),),
        )

    def _is_operator(self, token: str) -> bool:
        operator_token = self._settings.operator_token
        return operator_token is not None and compare_digest(token.encode(), operator_token.reveal().encode())

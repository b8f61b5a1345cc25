"""The edge as it runs in production: Granian, the webhook handlers, the real adapters; in a thread of its own."""

import asyncio
import http.client
import socket
import threading
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar
from prometheus_client import CollectorRegistry

from adapters.endpoint_cache import CachedEndpoints
from adapters.memory.bell import MemoryBell
from adapters.postgres.inbox_intake import PostgresInboxIntake
from adapters.postgres.unit_of_work import BODIES_PURPOSE
from adapters.postgres.webhook_endpoints import SEAL_PURPOSE, PostgresEndpointDirectory
from adapters.providers import registry
from adapters.redis.rate_limit import RedisRateLimit
from adapters.secrets import SecretBox
from application.receive_webhook import ReceiveWebhook
from entrypoints.web.observation import Observed
from entrypoints.web.problems import EXCEPTION_HANDLERS
from entrypoints.web.webhook_metrics import WebhookMetrics
from entrypoints.web.webhooks import webhook_handlers
from tests.support.signed_deliveries import OneCertificate

SECRET_KEYS = ["the secret key of the tests"]
BODIES = SecretBox(SECRET_KEYS, purpose=BODIES_PURPOSE)


class Answered(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self):
        assert self.headers["content-type"] == "application/problem+json"
        return msgspec.json.decode(self.body)


class Edge:
    """Use as a context.

    Args:
        database_url: Of a migrated database.
        redis_url: Where requests are counted.
        trusted_proxies: Peers whose X-Forwarded-For is believed.
        budget: Memory for unfinished bodies.
    """

    def __init__(self, database_url, redis_url, *, trusted_proxies=(), budget=None):
        self._urls = database_url, redis_url
        self._trusted_proxies = trusted_proxies
        self._budget = budget
        self._loop = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self.registry = CollectorRegistry()
        self.bell = MemoryBell()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def __enter__(self):
        self._thread.start()
        deadline = threading.Event()
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except OSError:
                deadline.wait(0.02)
        raise TimeoutError("the edge does not listen")

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(10)

    def post(self, path, body=b"", headers=None, *, method="POST", chunked=False):
        """Send one request on a connection of its own; `chunked` announces no length."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            content = (body[at : at + 65536] for at in range(0, len(body), 65536)) if chunked else body
            connection.request(method, path, content, headers or {}, encode_chunked=chunked)
            answer = connection.getresponse()
            return Answered(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def send_raw(self, data, *, then_close=False):
        """Send bytes as they are and give all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(data)
            if then_close:
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
                if b"\r\n\r\n" in answer and not then_close:
                    break
            return answer

    def counted(self, name, **labels):
        return self.registry.get_sample_value(f"mailpulse_webhook_{name}_total", labels) or 0.0

    def refused(self, reason):
        """Give how often it refused for a reason, whatever the provider."""
        samples = [sample for metric in self.registry.collect() for sample in metric.samples]
        return sum(
            sample.value
            for sample in samples
            if sample.name == "mailpulse_webhook_refusals_total" and sample.labels["reason"] == reason
        )

    async def _serve(self):
        self._loop = asyncio.get_running_loop()
        database_url, redis_url = self._urls
        providers = registry(OneCertificate())
        directory = PostgresEndpointDirectory(database_url, SecretBox(SECRET_KEYS, purpose=SEAL_PURPOSE))
        intake = PostgresInboxIntake(database_url, BODIES)
        rate_limit = RedisRateLimit(redis_url)
        reception = ReceiveWebhook(
            providers=providers,
            endpoints=CachedEndpoints(directory),
            rate_limit=rate_limit,
            inbox=intake,
            bell=self.bell,
            clock=lambda: datetime.now(UTC),
        )
        handlers = webhook_handlers(
            reception,
            metrics=WebhookMetrics(self.registry, providers),
            trusted_proxies=self._trusted_proxies,
            budget=self._budget,
        )
        app = Litestar(handlers, exception_handlers=EXCEPTION_HANDLERS, logging_config=None)
        app.asgi_handler = Observed(app.asgi_handler, self.registry)
        self._server = Server(app, address="127.0.0.1", port=self.port, interface=Interfaces.ASGI, log_enabled=False)
        try:
            await self._server.serve()
        finally:
            await intake.close()
            await directory.close()
            await rate_limit.close()

"""The web process: the application on Granian, in one event loop, until it is told to stop."""

import asyncio
import gc
import signal
import time
from typing import Final

from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from litestar import Litestar

from entrypoints.bootstrap import Backend
from entrypoints.settings import Settings
from entrypoints.web.app import create_app
from entrypoints.web.bootstrap import Edge, Web
from entrypoints.web.broken_tokens import BrokenTokens
from entrypoints.web.tracking import tracking_handlers
from entrypoints.web.webhooks import webhook_handlers

BACKLOG: Final = 2048
HEADER_TIMEOUT_MS: Final = 30_000


def run(backend: Backend) -> None:
    """Serve until SIGTERM or SIGINT.

    Several web processes may listen on the same port; the kernel spreads connections over them.

    Args:
        backend: Of this process.
    """
    asyncio.run(_serve(backend))


def whole_app(edge: Edge, settings: Settings) -> Litestar:
    """Give the application with everything that a web process serves.

    Args:
        edge: What it serves.
        settings: Of the process.
    """
    return create_app(
        edge.services,
        handlers=[
            *webhook_handlers(edge.reception, metrics=edge.webhook_metrics, trusted_proxies=settings.trusted_proxies),
            *tracking_handlers(
                edge.readers,
                metrics=edge.tracking_metrics,
                broken=BrokenTokens(time.monotonic),
                trusted_proxies=settings.trusted_proxies,
                session_cookie=edge.services.cookie.name,
            ),
        ],
    )


async def _serve(backend: Backend) -> None:
    settings = backend.settings
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Web(backend).edge() as edge:
        server = Server(
            whole_app(edge, settings),
            address=settings.host,
            port=settings.port,
            interface=Interfaces.ASGI,
            backlog=BACKLOG,
            websockets=False,
            log_enabled=False,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
        )
        gc.freeze()  # what was imported stays; looking at it again and again costs milliseconds
        serving = asyncio.create_task(server.serve())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        edge.services.streams.close()  # the server waits for answers in progress, and these have no end
        server.stop()  # type: ignore[no-untyped-call]  # Granian leaves it untyped
        await serving

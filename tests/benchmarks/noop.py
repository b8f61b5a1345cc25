"""A route that does nothing, on the server stack of the web process: python -m tests.benchmarks.noop PORT."""

import asyncio
import sys

from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar, post


@post("/noop", status_code=200)
async def noop() -> None:
    """Answer."""


async def serve(port: int) -> None:
    app = Litestar([noop], openapi_config=None, logging_config=None)
    server = Server(app, address="127.0.0.1", port=port, interface=Interfaces.ASGI, log_enabled=False)
    await server.serve()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))

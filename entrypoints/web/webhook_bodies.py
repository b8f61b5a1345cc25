"""Read request bodies of strangers: never more than a limit, never for ever, never all at once."""

import asyncio
from typing import Final

from litestar.types import Receive

from application.receive_webhook import BodyTooLargeError
from domain.errors import ApplicationError

PATIENCE_S: Final = 30.0
MOST_HELD_BYTES: Final = 64 * 1024 * 1024


class BodyTooSlowError(ApplicationError):
    """A body that did not arrive in time."""

    code = "body_too_slow"


class ClientGoneError(ApplicationError):
    """A client that left before its body was complete; nobody is there to be answered."""

    code = "client_gone"


class TooManyBodiesError(ApplicationError):
    """More unfinished bodies than memory is set aside for; the client should retry (503)."""

    code = "too_many_bodies"


class BodyBudget:
    """Bytes of unfinished bodies in this process.

    Args:
        most_bytes: Beyond which no more is read.
        patience_s: Longest time for one body.
    """

    __slots__ = ("held_bytes", "most_bytes", "patience_s")

    def __init__(self, *, most_bytes: int = MOST_HELD_BYTES, patience_s: float = PATIENCE_S) -> None:
        self.held_bytes = 0
        self.most_bytes = most_bytes
        self.patience_s = patience_s


class RequestBody:
    """The body of one request, which is read at most once.

    Args:
        receive: Of the request.
        budget: Shared by all requests of the process.
    """

    __slots__ = ("_budget", "_is_complete", "_receive")

    def __init__(self, receive: Receive, budget: BodyBudget) -> None:
        self._receive = receive
        self._budget = budget
        self._is_complete = False

    async def read(self, most_bytes: int) -> bytes:
        """Give the whole body.

        Raises:
            BodyTooLargeError: More than `most_bytes`, however it was declared.
            BodyTooSlowError: Not complete in time.
            ClientGoneError: The client left.
            TooManyBodiesError: The budget is spent on others.
        """
        patience_s = self._budget.patience_s
        try:
            async with asyncio.timeout(patience_s):
                return await self._read_on(await self._next_chunk(), most_bytes)
        except TimeoutError as error:
            raise BodyTooSlowError(f"the body did not arrive within {patience_s:g} s") from error

    async def _read_on(self, first: bytes, most_bytes: int) -> bytes:
        if self._is_complete and len(first) <= most_bytes:
            return first
        chunks, size = [first], len(first)
        budget = self._budget
        budget.held_bytes += size
        try:
            while size <= most_bytes and not self._is_complete:
                if budget.held_bytes > budget.most_bytes:
                    raise TooManyBodiesError("more unfinished bodies than memory is set aside for")
                chunk = await self._next_chunk()
                chunks.append(chunk)
                size += len(chunk)
                budget.held_bytes += len(chunk)
        finally:
            budget.held_bytes -= size
        if size > most_bytes:
            raise BodyTooLargeError(most_bytes)
        return b"".join(chunks)

    async def _next_chunk(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            self._is_complete = True
            raise ClientGoneError("the client left before its body was complete")
        self._is_complete = not message.get("more_body", False)
        return message.get("body", b"")

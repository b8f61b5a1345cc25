"""Connections to permitted addresses only, whatever a name resolves to at that moment."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from typing import Any, Final, TypeAlias

import httpcore

from domain.ip import IpAddress

Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
"""Gives the addresses of a host, at least one; raises OSError. It may take long."""

_MOST_TRIED: Final = 3


class ForbiddenAddressError(Exception):
    """The name leads to addresses that nothing may be sent to."""


class UnresolvableNameError(Exception):
    """The name leads nowhere."""


def system_addresses(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver.

    Raises:
        OSError: It knows no address.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(where[0]) for *_, where in found]


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Resolves a name, looks at the addresses, and connects to one of these.

    There is one look: a name that is bound anew between two gains nothing.

    Args:
        is_permitted: Whether something may be sent to an address.
        resolve: Called in a thread of its own.
    """

    def __init__(self, is_permitted: Callable[[IpAddress], bool], resolve: Resolve = system_addresses) -> None:
        self._is_permitted = is_permitted
        self._resolve = resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the signature is the library's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first permitted address that answers.

        Raises:
            UnresolvableNameError: There is no address.
            ForbiddenAddressError: None is permitted.
            httpcore.ConnectError: None answers.
            httpcore.ConnectTimeout: None answers in time.
        """
        permitted = await self._permitted(host, port)
        for address in permitted[:-1]:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(permitted[-1], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        """See `httpcore.AsyncNetworkBackend`."""
        await asyncio.sleep(seconds)

    async def _permitted(self, host: str, port: int) -> list[str]:
        try:
            addresses = await _in_thread(lambda: self._resolve(host, port))
            permitted = [text for text in dict.fromkeys(addresses) if self._is_permitted(ip_address(text))]
        except (OSError, ValueError) as error:
            raise UnresolvableNameError(type(error).__name__) from error
        if not permitted:
            raise ForbiddenAddressError
        return permitted[:_MOST_TRIED]


async def _in_thread(work: Callable[[], Sequence[str]]) -> Sequence[str]:
    """Wait for a resolver that nobody can interrupt; one that hangs keeps neither others nor the end waiting."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Sequence[str]] = loop.create_future()

    def settle(result: Sequence[str], error: Exception | None) -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(result)
        else:
            answer.set_exception(error)

    def run() -> None:
        result: Sequence[str] = ()
        failure: Exception | None = None
        try:
            result = work()
        except (OSError, ValueError) as error:  # ValueError: a name that no resolver takes
            failure = error
        try:
            loop.call_soon_threadsafe(settle, result, failure)
        except RuntimeError:  # the loop was closed: nobody waits any more
            return

    threading.Thread(target=run, name="resolver", daemon=True).start()
    return await answer

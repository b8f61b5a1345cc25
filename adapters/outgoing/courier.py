"""Sends messages over HTTP, and trusts receivers with nothing: no time, no memory, no say in where it goes."""

import asyncio
import ssl
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

import httpcore

from adapters.outgoing.guarded_network import (
    ForbiddenAddressError,
    GuardedNetwork,
    Resolve,
    UnresolvableNameError,
    system_addresses,
)
from adapters.outgoing.signature import signed_headers
from application.ports.outgoing import Attempt, Message
from domain.ip import IpNetwork
from domain.policies.delivering import Outcome
from domain.policies.outgoing_addresses import is_within, may_be_called

DEADLINE_S: Final = 10.0
"""For all of it: name, connection, TLS, sending, answer. A receiver that drips gains nothing."""
CONNECT_S: Final = 4.0
BODY_S: Final = 1.0
MOST_READ: Final = 64 * 1024
"""Bytes of an answer's body that are read, and thrown away, so that the connection can be used again."""
_IDLE_S: Final = 5.0
_USER_AGENT: Final = "Mailpulse"
_LONGEST_WISH_DIGITS: Final = 6
_DELIVERED: Final = range(200, 300)
_REDIRECTED: Final = range(300, 400)
_GONE: Final = 410
_DISTRUST: Final = {
    9: Outcome.TLS_EXPIRED,  # not yet valid
    10: Outcome.TLS_EXPIRED,
    62: Outcome.TLS_WRONG_HOST,
    64: Outcome.TLS_WRONG_HOST,  # an IP address
}
"""By OpenSSL's X509_V_ERR_…, which Python gives as numbers; whatever is not here is about authorities."""


class HttpCourier:
    """See `application.ports.outgoing.Courier`.

    Args:
        allowed: Networks that may be sent to although they are not public; ``http://`` leads nowhere else.
        tls: Whom to trust; the system's authorities unless given.
        resolve: Gives the addresses of a host.
        deadline_s: Longest time for one message.
    """

    def __init__(
        self,
        allowed: Iterable[IpNetwork] = (),
        *,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve = system_addresses,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        networks = tuple(allowed)
        self._deadline_s = deadline_s
        encrypted = GuardedNetwork(lambda address: may_be_called(address, networks), resolve)
        plain = GuardedNetwork(lambda address: is_within(address, networks), resolve)
        self._pools = {
            b"https": _pool(encrypted, tls or ssl.create_default_context()),
            b"http": _pool(plain, None),
        }

    async def send(self, url: str, secrets: Sequence[str], message: Message, now: datetime) -> Attempt:
        """See `application.ports.outgoing.Courier`."""
        if not secrets:
            return Attempt(outcome=Outcome.UNREADABLE_SECRET, status=None, duration_ms=0)
        began = monotonic()
        status: int | None = None
        wish = timedelta(0)
        try:
            async with asyncio.timeout(self._deadline_s):
                status, wish = await self._answer(url, secrets, message, now)
            outcome = _outcome_of(status)
        except (TimeoutError, httpcore.TimeoutException):
            outcome = Outcome.TIMED_OUT
        except ForbiddenAddressError:
            outcome = Outcome.FORBIDDEN_ADDRESS if url.startswith("https") else Outcome.NOT_ENCRYPTED
        except UnresolvableNameError:
            outcome = Outcome.UNRESOLVABLE
        except httpcore.ConnectError as error:
            outcome = _outcome_without_connection(error)
        except httpcore.ProtocolError:
            outcome = Outcome.BROKEN_ANSWER
        except httpcore.NetworkError:
            outcome = Outcome.UNREACHABLE
        return Attempt(outcome=outcome, status=status, duration_ms=round((monotonic() - began) * 1000), wish=wish)

    async def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            await pool.aclose()

    async def _answer(self, url: str, secrets: Sequence[str], message: Message, now: datetime) -> tuple[int, timedelta]:
        target = httpcore.URL(url)
        signed = signed_headers(secrets, message.id, message.body, now)
        answering = self._pools[target.scheme].stream(
            "POST",
            target,
            headers=[("content-type", "application/json"), ("user-agent", _USER_AGENT), *signed.items()],
            content=message.body,
            extensions={"timeout": {"connect": CONNECT_S, "read": self._deadline_s, "write": self._deadline_s}},
        )
        async with answering as response:
            await _read_away(response)
            return response.status, _wish_of(response)


def _pool(network: GuardedNetwork, tls: ssl.SSLContext | None) -> httpcore.AsyncConnectionPool:
    # As many connections as there are messages under way, which others bound: no receiver waits for another's.
    return httpcore.AsyncConnectionPool(
        ssl_context=tls, max_connections=None, keepalive_expiry=_IDLE_S, network_backend=network
    )


async def _read_away(response: httpcore.Response) -> None:
    """Read the rest of an answer if it is short and comes soon; else the connection is closed, and the answer holds."""
    read = 0
    with suppress(TimeoutError, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        async with asyncio.timeout(BODY_S):
            async for part in response.aiter_stream():
                read += len(part)
                if read > MOST_READ:
                    return


def _outcome_of(status: int) -> Outcome:
    if status in _DELIVERED:
        return Outcome.DELIVERED
    if status == _GONE:
        return Outcome.GONE
    return Outcome.REDIRECTED if status in _REDIRECTED else Outcome.REFUSED


def _wish_of(response: httpcore.Response) -> timedelta:
    """Read Retry-After in seconds; its other form, a date, is not worth trusting a stranger's clock."""
    for name, value in response.headers:
        if name.lower() == b"retry-after" and value.isdigit() and len(value) <= _LONGEST_WISH_DIGITS:
            return timedelta(seconds=int(value))
    return timedelta(0)


def _outcome_without_connection(error: BaseException) -> Outcome:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _DISTRUST.get(cause.verify_code, Outcome.TLS_UNTRUSTED)
        if isinstance(cause, ssl.SSLError):
            return Outcome.TLS_FAILED
        cause = cause.__cause__ or cause.__context__
    return Outcome.UNREACHABLE

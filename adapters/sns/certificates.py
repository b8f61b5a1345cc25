"""The certificates that SNS signs with, fetched once and kept while they are good."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from adapters.sns.https import HttpsAnswer, HttpsUnavailableError, get
from application.ports.provider import SignatureRefusedError, VerificationUnavailableError

KEPT_FOR = timedelta(hours=24)
MOST_KEPT = 32
SMALLEST_KEY_BITS = 2048
_FETCHES_AT_ONCE = 4  # forged deliveries may name many addresses; they shall not take every thread


class _Kept(msgspec.Struct, frozen=True):
    public_key: RSAPublicKey
    until: datetime


class HttpsCertificates:
    """Public keys by the address of their certificate.

    Who may be asked is not decided here: the caller passes addresses of the topic's own SNS host only, and TLS proves
    that it is the host that answers.
    """

    def __init__(self, fetch: Callable[[str], HttpsAnswer] = get) -> None:
        self._fetch = fetch
        self._kept: dict[str, _Kept] = {}
        self._turns = asyncio.Semaphore(_FETCHES_AT_ONCE)

    async def public_key_for(self, url: str, *, now: datetime) -> RSAPublicKey:
        kept = self._kept.get(url)
        if kept is None or kept.until <= now:
            async with self._turns:
                kept = self._kept.get(url)  # whoever had the turn before may have brought it
                if kept is None or kept.until <= now:
                    kept = await self._bring(url, now)
                    self._keep(url, kept)
        return kept.public_key

    async def _bring(self, url: str, now: datetime) -> _Kept:
        try:
            answer = await asyncio.to_thread(self._fetch, url)
        except HttpsUnavailableError as error:
            raise VerificationUnavailableError(f"the signing certificate could not be fetched: {error}") from error
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise VerificationUnavailableError(f"the signing certificate could not be fetched: status {answer.status}")
        if answer.status != HTTPStatus.OK:
            raise SignatureRefusedError("untrusted_certificate")
        return _read_certificate(answer.body, now)

    def _keep(self, url: str, kept: _Kept) -> None:
        self._kept.pop(url, None)
        if len(self._kept) >= MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[url] = kept


def _read_certificate(pem: bytes, now: datetime) -> _Kept:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        public_key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SignatureRefusedError("untrusted_certificate") from error
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise SignatureRefusedError("untrusted_certificate")
    if not isinstance(public_key, RSAPublicKey) or public_key.key_size < SMALLEST_KEY_BITS:
        raise SignatureRefusedError("untrusted_certificate")
    return _Kept(public_key, until=min(now + KEPT_FOR, certificate.not_valid_after_utc))

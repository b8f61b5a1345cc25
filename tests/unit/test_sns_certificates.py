"""Certificates are fetched from one host, once, and count only while they are valid."""

import asyncio
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from adapters.sns.certificates import KEPT_FOR, MOST_KEPT, HttpsCertificates
from adapters.sns.https import HttpsAnswer, HttpsUnavailableError
from application.ports.provider import SignatureRefusedError, VerificationUnavailableError
from tests.support.signed_deliveries import CERTIFICATE_URL, NOW, certificate, sns_key

WEAK_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - weak on purpose


class Host:
    """Answers every address alike and counts."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    def __call__(self, url):
        self.asked.append(url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def key_of(certificates, url=CERTIFICATE_URL, *, now=NOW):
    return asyncio.run(certificates.public_key_for(url, now=now))


def test_a_certificate_is_fetched_once_and_again_after_a_day():
    host = Host(HttpsAnswer(200, certificate()))
    certificates = HttpsCertificates(host)

    first = key_of(certificates)
    key_of(certificates, now=NOW + KEPT_FOR - timedelta(seconds=1))
    key_of(certificates, now=NOW + KEPT_FOR)

    assert first.public_numbers() == sns_key().public_key().public_numbers()
    assert host.asked == [CERTIFICATE_URL] * 2


def test_a_kept_certificate_ends_with_its_own_validity():
    host = Host(HttpsAnswer(200, certificate(valid_until=NOW + timedelta(hours=1))))
    certificates = HttpsCertificates(host)
    key_of(certificates)

    with pytest.raises(SignatureRefusedError, match="untrusted_certificate"):
        key_of(certificates, now=NOW + timedelta(hours=2))


@pytest.mark.parametrize(
    "answer",
    [
        HttpsAnswer(200, b""),
        HttpsAnswer(200, b"-----BEGIN CERTIFICATE-----\ngarbage\n-----END CERTIFICATE-----"),
        HttpsAnswer(200, b"\xff\x00"),
        HttpsAnswer(302, b""),
        HttpsAnswer(404, b""),
        HttpsAnswer(200, certificate(valid_from=NOW + timedelta(days=1), valid_until=NOW + timedelta(days=2))),
        HttpsAnswer(200, certificate(valid_from=NOW - timedelta(days=2), valid_until=NOW - timedelta(days=1))),
        HttpsAnswer(200, certificate(WEAK_KEY)),
    ],
    ids=["empty", "no certificate", "bytes", "redirect", "not found", "not yet valid", "expired", "weak key"],
)
def test_what_is_no_valid_certificate_proves_nothing_and_is_not_kept(answer):
    host = Host(answer)
    certificates = HttpsCertificates(host)

    for _ in range(2):
        with pytest.raises(SignatureRefusedError, match="untrusted_certificate"):
            key_of(certificates)

    assert len(host.asked) == 2


@pytest.mark.parametrize("answer", [HttpsUnavailableError("no answer"), HttpsAnswer(503, b""), HttpsAnswer(429, b"")])
def test_a_host_that_is_away_is_no_refusal_so_that_the_provider_retries(answer):
    host = Host(answer)
    certificates = HttpsCertificates(host)
    with pytest.raises(VerificationUnavailableError):
        key_of(certificates)

    host.answer = HttpsAnswer(200, certificate())

    assert key_of(certificates).key_size == 2048


def test_many_addresses_do_not_fill_the_memory():
    host = Host(HttpsAnswer(200, certificate()))
    certificates = HttpsCertificates(host)

    for number in range(MOST_KEPT + 1):
        key_of(certificates, f"{CERTIFICATE_URL}-{number}")
    key_of(certificates, f"{CERTIFICATE_URL}-{MOST_KEPT}")
    assert len(host.asked) == MOST_KEPT + 1

    key_of(certificates, f"{CERTIFICATE_URL}-0")
    assert len(host.asked) == MOST_KEPT + 2


def test_deliveries_that_arrive_together_fetch_a_certificate_a_few_times_at_most():
    host = Host(HttpsAnswer(200, certificate()))
    certificates = HttpsCertificates(host)

    async def together():
        await asyncio.gather(*(certificates.public_key_for(CERTIFICATE_URL, now=NOW) for _ in range(50)))

    asyncio.run(together())

    assert len(host.asked) <= 4

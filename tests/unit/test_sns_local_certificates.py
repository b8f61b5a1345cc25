import asyncio
from datetime import timedelta

import pytest

from adapters.sns.certificates import HttpsCertificates
from adapters.sns.https import LONGEST_ANSWER, HttpsAnswer, HttpsUnavailableError
from adapters.sns.local_certificates import LocalCertificates
from application.ports.provider import SignatureRefusedError
from tests.support.signed_deliveries import CERTIFICATE_URL, NOW, certificate, sns_key

HOST = "sns.eu-west-1.amazonaws.com"
NAME = "SimpleNotificationService-0a1b2c.pem"


class Network:
    def __init__(self):
        self.asked = []

    def __call__(self, url):
        self.asked.append(url)
        return HttpsAnswer(404, b"from the network")


@pytest.fixture
def network():
    return Network()


def place(directory, pem, *, host=HOST, name=NAME):
    (directory / host).mkdir(parents=True, exist_ok=True)
    (directory / host / name).write_bytes(pem)


def test_a_certificate_in_the_directory_is_trusted_without_asking_the_network(tmp_path, network):
    place(tmp_path, certificate())
    certificates = HttpsCertificates(LocalCertificates(tmp_path, network))

    key = asyncio.run(certificates.public_key_for(CERTIFICATE_URL, now=NOW))

    assert key == sns_key().public_key()
    assert network.asked == []


def test_a_certificate_that_is_laid_there_later_is_found(tmp_path, network):
    local = LocalCertificates(tmp_path, network)
    assert local(CERTIFICATE_URL).status == 404

    place(tmp_path, certificate())

    assert local(CERTIFICATE_URL) == HttpsAnswer(200, certificate_file(tmp_path))


def certificate_file(directory):
    return (directory / HOST / NAME).read_bytes()


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-other.pem",
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem",
        "https://sns.eu-west-1.amazonaws.com/../SimpleNotificationService-0a1b2c.pem",
        "https://sns.eu-west-1.amazonaws.com/sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem?a=1",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem\n",
        "https://../SimpleNotificationService-0a1b2c.pem",
        "https://sns.eu-west-1.amazonaws.com/secret",
        "https:///secret.pem",
    ],
)
def test_an_address_that_no_file_was_laid_for_is_the_networks(tmp_path, network, url):
    directory = tmp_path / "sns-certificates"
    place(directory, certificate())
    (tmp_path / "SimpleNotificationService-0a1b2c.pem").write_bytes(b"outside")
    (directory / HOST / "secret").write_bytes(b"not a certificate")
    (directory / "secret.pem").write_bytes(b"not under a host")

    answer = LocalCertificates(directory, network)(url)

    assert answer.body == b"from the network"
    assert network.asked == [url]


@pytest.mark.parametrize(
    "pem", [b"", b"no certificate", certificate(valid_until=NOW - timedelta(days=1))], ids=["empty", "text", "expired"]
)
def test_a_local_certificate_is_checked_like_a_fetched_one(tmp_path, network, pem):
    place(tmp_path, pem)
    certificates = HttpsCertificates(LocalCertificates(tmp_path, network))

    with pytest.raises(SignatureRefusedError):
        asyncio.run(certificates.public_key_for(CERTIFICATE_URL, now=NOW))


def test_a_file_that_cannot_be_a_certificate_says_so(tmp_path, network):
    place(tmp_path, b"x" * (LONGEST_ANSWER + 1))

    with pytest.raises(HttpsUnavailableError, match="longer than"):
        LocalCertificates(tmp_path, network)(CERTIFICATE_URL)

"""Subscriptions are confirmed at SNS hosts only; what is fetched there is small, and redirects are not followed."""

import ssl
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from adapters.sns.confirmation import SnsSubscriptionConfirmer
from adapters.sns.envelope import confirmation_url
from adapters.sns.https import LONGEST_ANSWER, HttpsAnswer, HttpsUnavailableError, get
from adapters.sns.topics import read_topic
from application.ports.subscriptions import SubscriptionNotConfirmedError
from tests.support.signed_deliveries import NOW, TOPIC

URL = confirmation_url(read_topic(TOPIC), "2336412f37fb~x.y-z_0")


def test_a_subscription_is_confirmed_by_one_request():
    asked = []

    def fetch(url):
        asked.append(url)
        return HttpsAnswer(200, b"<ConfirmSubscriptionResponse/>")

    SnsSubscriptionConfirmer(fetch).confirm(URL)

    assert asked == [URL]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=a&Token=b",
        "https://evil.example/?Action=ConfirmSubscription&TopicArn=a&Token=b",
        "https://sns.eu-west-1.amazonaws.com.evil.example/?Action=ConfirmSubscription&TopicArn=a&Token=b",
        "https://sns.eu-west-1.amazonaws.com@evil.example/?Action=ConfirmSubscription&TopicArn=a&Token=b",
        "https://sns.eu-west-1.amazonaws.com:8443/?Action=ConfirmSubscription&TopicArn=a&Token=b",
        "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe&TopicArn=a&Token=b",
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=a&Token=b&Action=Unsubscribe",
        URL + "\n",
    ],
)
def test_nothing_else_is_ever_fetched(url):
    def fetch(url):
        pytest.fail(f"fetched {url}")

    with pytest.raises(SubscriptionNotConfirmedError, match="not a ConfirmSubscription call"):
        SnsSubscriptionConfirmer(fetch).confirm(url)


@pytest.mark.parametrize("status", [302, 403, 404, 500])
def test_another_answer_is_no_confirmation(status):
    with pytest.raises(SubscriptionNotConfirmedError, match=str(status)):
        SnsSubscriptionConfirmer(lambda _: HttpsAnswer(status, b"")).confirm(URL)


def test_a_host_that_is_away_is_no_confirmation():
    def fetch(url):
        raise HttpsUnavailableError("no answer")

    with pytest.raises(SubscriptionNotConfirmedError, match="no answer"):
        SnsSubscriptionConfirmer(fetch).confirm(URL)


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/silent":
            self.server.released.wait(10)
            return
        self.send_response(302 if self.path == "/moved" else 200)
        if self.path == "/moved":
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(b"x" * (LONGEST_ANSWER + 1) if self.path == "/long" else self.path.encode())

    def log_message(self, *args):
        """Stay quiet."""


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """An HTTPS server of our own, and a TLS context that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    pem = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=3650))
        .not_valid_after(NOW + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, SHA256())
        .public_bytes(Encoding.PEM)
    )
    path = tmp_path_factory.mktemp("tls") / "host.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + pem)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    server.released = threading.Event()
    server.socket = serving.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    trusting = ssl.create_default_context(cadata=pem.decode())
    yield f"https://127.0.0.1:{server.server_port}", trusting
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_document_is_fetched_with_its_query(host):
    origin, trusting = host

    assert get(f"{origin}/a.pem?b=c", tls=trusting) == HttpsAnswer(200, b"/a.pem?b=c")


def test_a_redirect_is_an_answer_and_not_followed(host):
    origin, trusting = host

    assert get(f"{origin}/moved", tls=trusting) == HttpsAnswer(302, b"/moved")


def test_a_long_answer_is_not_read_to_its_end(host):
    origin, trusting = host

    with pytest.raises(HttpsUnavailableError, match="longer than"):
        get(f"{origin}/long", tls=trusting)


def test_a_silent_host_is_given_up(host):
    origin, trusting = host

    with pytest.raises(HttpsUnavailableError, match="no answer"):
        get(f"{origin}/silent", tls=trusting, timeout_s=0.2)


def test_a_host_that_no_authority_vouches_for_is_not_asked(host):
    origin, _ = host

    with pytest.raises(HttpsUnavailableError, match="no answer"):
        get(f"{origin}/a.pem")

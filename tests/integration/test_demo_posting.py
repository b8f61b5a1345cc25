"""A provider's persistence, against a receiver that misbehaves over real sockets."""

import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

import pytest

from entrypoints.demo.keys import make_keys
from entrypoints.demo.posting import Posting
from entrypoints.demo.service import Service
from entrypoints.demo.signing import Signatures
from entrypoints.demo.simulated_provider import Post, SimulatedProvider
from tests.support.processes import eventually

POST = Post(provider="email", post_id="msg_1", body=b"[{},{},{}]", reports=3, repeats=1)
BREAK_OFF = 0


class Receiver:
    """Answers with the statuses it is told, one after the other, then with 200."""

    def __init__(self):
        self.statuses = deque()
        self.received = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                receiver.received.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
                status = receiver.statuses.popleft() if receiver.statuses else 200
                if status == BREAK_OFF:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=[0.05], daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def stopped():
    return threading.Event()


@pytest.fixture
def posting(receiver, stopped):
    provider = SimulatedProvider(Signatures(make_keys()), Random(1))
    service = Service(receiver.url, "key")
    yield Posting(service, {"email": "/webhooks/email/1"}, provider, stopped)
    service.close()


@pytest.mark.parametrize("trouble", [503, 500, 429, BREAK_OFF])
def test_a_post_is_sent_again_until_it_is_acknowledged(posting, receiver, trouble):
    receiver.statuses += [trouble, trouble]

    assert posting.send(POST)

    assert [body for _, body in receiver.received] == [POST.body] * len(receiver.received)
    assert len(receiver.received) >= 3
    assert posting.tally.retries >= 1
    assert (posting.tally.posted, posting.tally.acknowledged, posting.tally.repeated) == (3, 3, 1)


@pytest.mark.parametrize("refusal", [400, 401, 403, 404, 413])
def test_a_refused_post_is_not_sent_again(posting, receiver, refusal):
    receiver.statuses += [refusal]

    assert not posting.send(POST)

    assert len(receiver.received) == 1
    assert (posting.tally.acknowledged, posting.tally.refused) == (0, 3)


def test_many_posts_are_all_acknowledged(posting, receiver):
    receiver.statuses += [503] * 5

    posting.send_all([POST] * 40)

    assert posting.tally.acknowledged == 120


def test_whoever_is_stopped_waits_for_nobody(posting, receiver, stopped):
    receiver.statuses += [503] * 1_000
    sender = threading.Thread(target=posting.send, args=[POST])
    sender.start()
    assert eventually(lambda: receiver.received)

    stopped.set()
    sender.join(timeout=10)

    assert not sender.is_alive()
    assert posting.tally.acknowledged == 0

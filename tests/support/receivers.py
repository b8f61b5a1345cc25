"""Receivers of outgoing webhooks on real sockets, as well and as badly behaved as a test wants."""

import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import msgspec
from standardwebhooks import Webhook

from tests.support.processes import eventually

PATIENCE_S = 60.0


class Received(NamedTuple):
    """One request, as it came."""

    path: str
    headers: dict
    body: bytes
    at: datetime

    @property
    def id(self):
        return self.headers["webhook-id"]

    @property
    def content(self):
        return msgspec.json.decode(self.body)

    def verified(self, secret):
        """Give the content if the signature is right, by another's implementation; else raise."""
        return Webhook(secret).verify(self.body, self.headers)


class Server(ThreadingHTTPServer):
    """Takes many at once, and waits for none in the end."""

    request_queue_size = 256
    daemon_threads = True
    block_on_close = False


class Receiver:
    """Listens on a port of its own; use as a context.

    Args:
        host: To listen on.
        port: 0: any.
        tls: Of the server; `None`: none.

    Attributes:
        answer: Called with what was received and the handler that answers; gives a status, or `None` if it answered
            by itself.
        received: Everything, in the order in which it came.
    """

    def __init__(self, host="127.0.0.1", port=0, tls=None):
        self.answer = lambda _request, _handler: 204
        self.received = []
        self.is_over = threading.Event()
        self._host, self._wanted_port, self._tls = host, port, tls

    def __enter__(self):
        self._server = Server((self._host, self._wanted_port), self._handler())
        if self._tls:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self):
        return f"{'https' if self._tls else 'http'}://{self._host}:{self.port}"

    def at(self, path):
        return [request for request in self.received if request.path == path]

    def gets(self, count, path=None, within_s=PATIENCE_S):
        """Whether so many requests came, or come soon."""
        return eventually(lambda: len(self.received if path is None else self.at(path)) >= count, within_s)

    def hang(self, _request, _handler):
        """Answer nothing while the test runs."""
        self.is_over.wait(PATIENCE_S * 2)

    def _handler(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Received(self.path, headers, body, datetime.now(UTC))
                receiver.received.append(request)
                with suppress(OSError):  # whoever asked has left
                    status = receiver.answer(request, self)
                    if status is not None:
                        self.send_response(status)
                        self.send_header("content-length", "0")
                        self.end_headers()

            def log_message(self, *_words):
                """Tests are quiet."""

        return Handler


def status(number, **headers):
    """Answer with a status and headers."""

    def answer(_request, handler):
        handler.send_response(number)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", "0")
        handler.end_headers()

    return answer


def endless_body(
    receiver, first=b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", part=b"1\r\nx\r\n", every_s=0.02
):
    """Answer, and never come to an end."""

    def answer(_request, handler):
        handler.close_connection = True
        handler.wfile.write(first)
        while not receiver.is_over.is_set():
            handler.wfile.write(part)
            handler.wfile.flush()
            time.sleep(every_s)

    return answer

"""A link to a server that can be cut, silenced and restored while somebody is talking over it."""

import socket
import threading
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from psycopg.conninfo import conninfo_to_dict


class FailingLink:
    """Listens on 127.0.0.1 and passes bytes on to a server; use as a context.

    Args:
        target: Where the server listens: a path, or host and port.
    """

    def __init__(self, target):
        self._target = target
        self._flows = threading.Event()
        self._flows.set()
        self._connections = set()
        self._listener = None
        self.port = 0

    def __enter__(self):
        self.restore()
        return self

    def __exit__(self, *_):
        self.cut()

    def cut(self):
        """Refuse connections and end those that are open."""
        self._flows.set()
        if self._listener is not None:
            listener, self._listener = self._listener, None
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def silence(self):
        """Keep connections open and take new ones, but pass nothing on."""
        self._flows.clear()

    def restore(self):
        self._flows.set()
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self.port = self._listener.getsockname()[1]
            threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def _accept(self, listener):
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                threading.Thread(target=self._carry, args=[near], daemon=True).start()

    def _carry(self, near):
        with near, suppress(OSError), self._connect() as far:
            ends = {near, far}
            self._connections |= ends
            back = threading.Thread(target=self._pump, args=[far, near], daemon=True)
            back.start()
            self._pump(near, far)
            back.join()
            self._connections -= ends

    def _connect(self):
        if isinstance(self._target, str):
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._target)
            return far
        return socket.create_connection(self._target)

    def _pump(self, source, sink):
        with suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait()
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def link_to_postgres(database_url):
    """Give a link to a PostgreSQL, and a function that gives the database's URL over it."""
    options = conninfo_to_dict(database_url)
    host, port = options.get("host") or "127.0.0.1", int(options.get("port") or 5432)
    target = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)
    user = options.get("user") or "postgres"
    password = f":{options['password']}" if options.get("password") else ""
    link = FailingLink(target)
    return link, lambda: f"postgresql://{user}{password}@127.0.0.1:{link.port}/{options['dbname']}"


def link_to_redis(redis_url):
    """Give a link to a Redis, and a function that gives its URL over it."""
    url = urlsplit(redis_url)
    target = unquote(url.path) if url.scheme == "unix" else (url.hostname, url.port or 6379)
    link = FailingLink(target)
    database = "/0" if url.scheme == "unix" else url.path
    return link, lambda: f"redis://127.0.0.1:{link.port}{database}"

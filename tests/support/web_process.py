"""``mailpulse web`` alone, as a test starts it: the other processes are not needed to look at what is there."""

import subprocess
import sys

import psutil

from tests.support.processes import environment, eventually
from tests.support.running_service import free_port

SECRET = "a secret key for tests that is long enough to be one"


class Web:
    """``mailpulse web`` in a process of its own."""

    def __init__(self, directory, database_url, redis_url):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = directory / "web.log"
        settings = {
            "MAILPULSE_DATABASE_URL": database_url,
            "MAILPULSE_REDIS_URL": redis_url,
            "MAILPULSE_SECRET_KEYS": SECRET,
            "MAILPULSE_DATA_DIR": str(directory),
            "MAILPULSE_PORT": str(self.port),
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "entrypoints.cli", "web"],
                env={**environment(), **settings},
                cwd=directory,
                stdout=log,
                stderr=log,
            )
        if not eventually(self._listens, 60.0):
            raise TimeoutError(self.log)

    @property
    def log(self):
        return self._log.read_text()

    @property
    def memory_mb(self):
        return psutil.Process(self._process.pid).memory_info().rss / 2**20

    def ask_to_stop(self):
        self._process.terminate()

    def wait(self, within_s):
        return self._process.wait(within_s)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def _listens(self):
        return any(c.status == psutil.CONN_LISTEN for c in psutil.Process(self._process.pid).net_connections("tcp"))

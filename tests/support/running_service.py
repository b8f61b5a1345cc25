"""``mailpulse up`` as an operator starts it: a process tree on a data directory and a port, seen from outside."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.redis import EmbeddedRedis
from tests.support.processes import environment, eventually

START_WITHIN_S = 90.0
STOP_WITHIN_S = 60.0  # on a machine with much else to do; ten seconds are promised
PROGRAMS = ("web", "worker", "projector")
POSTGRES, REDIS, DEMO = "postgres", "redis", "demo"


class RefusedError(Exception):
    """The API said no."""


class RunningService:
    """Everything ``mailpulse up`` runs; use as a context.

    Args:
        data_dir: Kept over restarts; logs are written there.
        settings: More environment; an external database or Redis is not started and cannot be killed.
        demo: Whether a simulated provider plays as well: ``mailpulse up --demo``.
    """

    def __init__(self, data_dir: Path, settings: Mapping[str, str] | None = None, *, demo: bool = False):
        self.data_dir = data_dir
        self._words = ["up", "--demo"] if demo else ["up"]
        self.port = free_port()
        self._settings = dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self.database_url = self._settings.get("MAILPULSE_DATABASE_URL") or EmbeddedPostgres(data_dir).url
        self.redis_url = self._settings.get("MAILPULSE_REDIS_URL") or EmbeddedRedis(data_dir).url

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def log_file(self) -> Path:
        return self.data_dir / "up.log"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **environment(),
            "MAILPULSE_DATA_DIR": str(self.data_dir),
            "MAILPULSE_PORT": str(self.port),
            **self._settings,
        }

    def start(self) -> None:
        """Return when it says that it is ready.

        Raises:
            TimeoutError: It does not become ready; it was stopped, and the message ends like its log.
            ChildProcessError: It ended; the message likewise.
        """
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "entrypoints.cli", *self._words],
                env=self.environment,
                cwd=self.data_dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._await_ready()
        except BaseException:  # nobody else will stop it, whatever ended the wait
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it, with kill -9 if it does not stop when it is asked to; nothing if it has ended."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    def _await_ready(self) -> None:
        if not eventually(lambda: self._process.poll() is not None or self.is_ready(), START_WITHIN_S):
            raise TimeoutError(f"mailpulse up is not ready after {START_WITHIN_S:g} s: {self.last_words()}")
        if self._process.poll() is not None:
            raise ChildProcessError(f"mailpulse up ended with {self._process.returncode}: {self.last_words()}")

    def kill(self) -> None:
        """End the supervisor and all below it with kill -9, all at once."""
        victims = self.all_processes()
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):  # it died with the one before
                victim.kill()
        psutil.wait_procs(victims, 10)
        self._process.wait()

    def start_if_down(self) -> None:
        """Start again what an earlier misfortune left broken."""
        if self._process.poll() is None and not eventually(self.is_ready, 10.0):
            self.kill()
        if self._process.poll() is not None:
            self.start()

    def ask_to_stop(self) -> None:
        """Send SIGTERM, and do not wait."""
        self._process.terminate()

    def wait_until_stopped(self, within_s: float = STOP_WITHIN_S) -> int:
        """Give the exit status; raises subprocess.TimeoutExpired."""
        return self._process.wait(within_s)

    def is_ready(self) -> bool:
        """Whether the web answers and reaches PostgreSQL."""
        try:
            return self.get("/health/ready", timeout_s=2.0)[0] == http.client.OK
        except (OSError, http.client.HTTPException):
            return False

    def last_words(self) -> str:
        return self.log_file.read_text()[-3_000:]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ``mailpulse WORDS``."""
        return subprocess.run(
            [sys.executable, "-m", "entrypoints.cli", *words],
            env=self.environment,
            cwd=self.data_dir,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def command(self, *words: str) -> dict:
        """Run ``mailpulse WORDS --json`` and give its answer."""
        done = self.run(*words, "--json")
        if done.returncode:
            raise RefusedError(f"mailpulse {words[0]} {words[1]}: {done.stderr[-500:]}")
        return json.loads(done.stdout)

    def get(self, path: str, api_key: str = "", *, timeout_s: float = 10.0) -> tuple[int, dict]:
        """Ask on a connection of its own."""
        return self._ask("GET", path, None, api_key, timeout_s)

    def post(self, path: str, body: object, api_key: str, *, timeout_s: float = 30.0) -> tuple[int, dict]:
        return self._ask("POST", path, json.dumps(body).encode(), api_key, timeout_s)

    def put(self, path: str, body: object, api_key: str, *, timeout_s: float = 30.0) -> tuple[int, dict]:
        return self._ask("PUT", path, json.dumps(body).encode(), api_key, timeout_s)

    def delete(self, path: str, api_key: str, *, timeout_s: float = 30.0) -> tuple[int, dict]:
        return self._ask("DELETE", path, None, api_key, timeout_s)

    def text(self, path: str) -> tuple[int, bytes]:
        """Ask for what is no JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60.0)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _ask(self, method: str, path: str, body: bytes | None, api_key: str, timeout_s: float) -> tuple[int, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        try:
            connection.request(method, path, body, headers | {"content-type": "application/json"} if body else headers)
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if content else {}
        finally:
            connection.close()

    def register(self, emails: list[dict], api_key: str) -> list[dict]:
        """Register emails by the thousand and give the answers in their order."""
        answers: list[dict] = []
        for start in range(0, len(emails), 1_000):
            status, answer = self.post("/api/v1/emails", {"emails": emails[start : start + 1_000]}, api_key)
            if status != http.client.CREATED:
                raise RefusedError(f"POST /api/v1/emails answered {status}: {answer}")
            answers += answer["items"]
        return answers

    # --- processes ---

    def processes(self) -> dict[str, psutil.Process]:
        """Give the main process of each kind that lives now."""
        found: dict[str, psutil.Process] = {}
        if self._process is None or self._process.poll() is not None:
            return found
        for child in psutil.Process(self._process.pid).children():
            try:
                kind = _kind_of(child.cmdline())
            except psutil.Error:
                continue
            if kind:
                found[kind] = child
        return found

    def all_processes(self) -> list[psutil.Process]:
        """Give the supervisor and all below it."""
        supervisor = psutil.Process(self._process.pid)
        return [supervisor, *supervisor.children(recursive=True)]


def _kind_of(command: list[str]) -> str:
    words = command or [""]
    if "entrypoints.demo" in words:
        return DEMO
    if "entrypoints.cli" in words:
        return words[-1] if words[-1] in PROGRAMS else ""
    program = os.path.basename(words[0].split(" ")[0])  # noqa: PTH119 - Redis titles itself "path address"
    return {"postgres": POSTGRES, "redis-server": REDIS}.get(program, "")


def free_port() -> int:
    """Give a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def peak_memory_mb(process: psutil.Process) -> float:
    """Give the most memory that a living process ever had resident (Linux; elsewhere what it has now)."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return float(process.memory_info().rss) / 2**20
    return next((float(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0)

"""What the embedded servers have in common: one owner of the data, a process, a log, a start and a stop."""

import hashlib
import os
import shutil
import signal
import stat
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from adapters.embedded.data_lock import DataLock
from adapters.embedded.errors import EmbeddedServerError

LOG_LIMIT_BYTES = 10 * 1024 * 1024
SOCKET_PATH_LIMIT_BYTES = 103  # of the strictest system we know (macOS); Linux has 107
POLL_S = 0.02


class EmbeddedServer(ABC):
    """A real server, started from an installed wheel, that answers on a Unix socket only.

    Start it from a thread that lives as long as the server: on Linux the kernel ends the server with that thread.

    Attributes:
        name: For logs and file names.
        title: For people.
        directory: Holds the server's data and log.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    socket_name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]

    def __init__(self, data_dir: Path) -> None:
        self.directory = data_dir.absolute() / self.name
        self._url_file = self.directory.with_suffix(".url")
        self._log_file = self.directory / "log"
        self._lock = DataLock(self.directory.with_suffix(".lock"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where the server answers; known before it runs, the same at every start."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether the server answers now."""

    @abstractmethod
    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        """Start the process on data that is complete and that nobody else uses."""

    @abstractmethod
    def stop_leftovers(self) -> int:
        """End processes of an earlier life that still run on this data, as cleanly as they allow; give their number."""

    @property
    def pid(self) -> int | None:
        """The process id, until the process has been waited for."""
        return self._process.pid if self._process and self._process.returncode is None else None

    def reserve(self) -> None:
        """Become the one who may start this server on this data dir, until ``stop``.

        Raises:
            EmbeddedServerError: Another process already is, or the data is not ours to use.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            owner = self.directory.stat().st_uid
            if os.geteuid() not in {0, owner}:
                raise EmbeddedServerError(
                    f"{self.directory} belongs to user id {owner}: start as that user (as root, if root started it "
                    "before), or set MAILPULSE_DATA_DIR to another directory"
                )
        except OSError as error:
            raise _unusable(error) from error
        if not self._acquire():
            raise EmbeddedServerError(
                f"the embedded {self.title} in {self.directory} is in use by process {self._lock.holder()}, "
                "another `mailpulse` command: stop that one, or set MAILPULSE_DATA_DIR to another directory"
            )

    def launch(self) -> None:
        """Start the process without waiting until it answers; first-time preparations are waited for.

        Raises:
            EmbeddedServerError: It cannot be started; the text says why.
        """
        self.reserve()
        try:
            self._rotate_log()
            with os.fdopen(os.open(self._log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
                self._process = self._spawn(log.fileno())
            self._url_file.write_text(self.url + "\n", encoding="utf-8")
        except OSError as error:
            raise EmbeddedServerError(f"{self.title} cannot be started: {error}") from error

    def is_running(self) -> bool:
        """Whether the process that ``launch`` started is alive."""
        return self._process is not None and self._process.poll() is None

    def failure(self) -> str:
        """Say in one line what the server wrote last, for a start that did not succeed."""
        lines = (
            self._log_file.read_text(encoding="utf-8", errors="replace").splitlines() if self._log_file.exists() else []
        )
        last = next((line for line in reversed(lines) if line.strip()), "nothing logged")
        return f"{last[-300:]} (log: {self._log_file})"

    def start(self, timeout_s: float = 60.0) -> str:
        """Start the server and wait until it answers.

        Returns:
            Its URL.

        Raises:
            EmbeddedServerError: It stopped or did not answer in time; nothing is left running.
        """
        try:
            self.launch()
            deadline = time.monotonic() + timeout_s
            while not self.is_ready():
                if not self.is_running():
                    raise EmbeddedServerError(f"{self.title} stopped while starting: {self.failure()}")
                if time.monotonic() > deadline:
                    raise EmbeddedServerError(f"{self.title} does not answer after {timeout_s:g} s: {self.failure()}")
                time.sleep(POLL_S)
        except BaseException:
            self.stop(timeout_s=2.0)
            raise
        return self.url

    def stop(self, timeout_s: float = 8.0) -> None:
        """Stop cleanly; what is not gone after ``timeout_s`` is killed, which costs a recovery at the next start."""
        if not self._lock.is_mine:
            return
        if self.is_running() and self._process:
            self._process.send_signal(self.stop_signal)
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()  # its helpers end with it, and what is committed is on disk
                self._process.wait()
        if self._process:
            self.stop_leftovers()
            self._url_file.unlink(missing_ok=True)
            if self._socket_directory != self.directory:
                shutil.rmtree(self._socket_directory, ignore_errors=True)  # a stray socket there harms nobody
        self._process = None
        self._lock.release()

    @contextmanager
    def joined_or_started(self) -> Iterator[str]:
        """Use the server that ``mailpulse up`` runs on this data dir, or else one of our own for the time being.

        Yields:
            The URL of a server that answers.

        Raises:
            EmbeddedServerError: Neither is to be had.
        """
        if self._acquire():
            try:
                yield self.start()
            finally:
                self.stop()
            return
        deadline = time.monotonic() + 30.0
        while not self.is_ready():  # its owner may be starting it just now
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"the running {self.title} does not answer: {self.failure()}")
            time.sleep(POLL_S)
        yield self.url

    def _acquire(self) -> bool:
        try:
            return self._lock.acquire()
        except OSError as error:
            raise _unusable(error) from error

    def _rotate_log(self) -> None:
        if self._log_file.exists() and self._log_file.stat().st_size > LOG_LIMIT_BYTES:
            self._log_file.replace(self._log_file.with_suffix(".old"))

    @property
    def _socket_directory(self) -> Path:
        """The server's own directory or, when the path would be too long for a socket, a short private one."""
        if len(os.fsencode(self.directory / self.socket_name)) <= SOCKET_PATH_LIMIT_BYTES:
            return self.directory
        digest = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16]
        return Path("/tmp") / f"mailpulse-{digest}"  # noqa: S108  checked in _private_directory

    def _private_directory(self, path: Path, owner: int) -> None:
        """Make sure that a directory exists, belongs to ``owner`` and is closed to others.

        Raises:
            EmbeddedServerError: Somebody else made it first, or it is a link.
        """
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {owner, os.geteuid()}:
            raise EmbeddedServerError(f"{path} belongs to user id {found.st_uid}: remove it, or set MAILPULSE_DATA_DIR")
        if found.st_uid != owner:
            os.chown(path, owner, -1)
        path.chmod(0o700)


def _unusable(error: OSError) -> EmbeddedServerError:
    return EmbeddedServerError(f"MAILPULSE_DATA_DIR cannot be used: {error}")

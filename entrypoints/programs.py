"""The processes of Mailpulse that a supervisor starts, and how it can tell that they are up."""

import errno
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

import msgspec

from domain.errors import MailpulseError

HTTP_TIMEOUT_S = 0.5
SETTLED_AFTER_S = 1.0  # a program that is broken has usually ended by then


class StartError(MailpulseError):
    """Something that cannot be started at all; its text is one line."""

    code = "start_error"


class Supervised(Protocol):
    """What a supervisor keeps alive."""

    @property
    def name(self) -> str:
        """What logs call it."""

    @property
    def pid(self) -> int | None:
        """Its main process, until that one has been waited for."""

    def launch(self) -> None:
        """Start it without waiting until it is ready; raises a MailpulseError when that is impossible."""

    def is_running(self) -> bool:
        """Whether its main process is alive; a dead one has been waited for when this returns False."""

    def is_ready(self) -> bool:
        """Whether it does its work."""

    def failure(self) -> str:
        """Say in one line how it ended."""


class Server(Supervised, Protocol):
    """An embedded server: ready before the first program starts, stopped after the last."""

    def reserve(self) -> None:
        """Claim its data; raises a MailpulseError when another process has it."""

    def stop(self, timeout_s: float) -> None:
        """Stop it, by force after ``timeout_s``, and give up the claim."""


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """One process to run.

    Attributes:
        name: Unique, as in ``"worker-2"``.
        kind: Programs of one kind are stopped together.
        argv: The command; its first word is the path of the executable.
        env: The whole environment of the process.
        is_ready: Asked until it says yes; None: ready once it has lived for ``SETTLED_AFTER_S``.
    """

    name: str
    kind: str
    argv: Sequence[str]
    env: Mapping[str, str]
    is_ready: Callable[[], bool] | None = None


class RunningProgram:
    """A program with its process group; what the program itself has started never outlives it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._launched_at = 0.0

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.returncode is None else None

    def launch(self) -> None:
        self._launched_at = time.monotonic()
        try:
            self._process = subprocess.Popen(
                list(self.program.argv),
                env=dict(self.program.env),
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C in the terminal is for the supervisor, who stops us in order
            )
        except OSError as error:
            raise StartError(f"{self.name} cannot be started: {error}") from error

    def is_running(self) -> bool:
        process = self._process
        if process is None or process.returncode is not None:
            return False
        if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return True
        self._signal_group(signal.SIGKILL)  # first: once waited for, the id of the group may be somebody else's
        process.wait()
        return False

    def is_ready(self) -> bool:
        if not self.is_running():
            return False
        if self.program.is_ready is None:
            return time.monotonic() - self._launched_at >= SETTLED_AFTER_S
        return self.program.is_ready()

    def failure(self) -> str:
        status = self._process.returncode if self._process else None
        if status is None:
            return "it does not run" if self._process is None else "it runs, but is not ready"
        return f"it was ended by {signal.Signals(-status).name}" if status < 0 else f"it ended with status {status}"

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the main process, which tells its own."""
        if self._process and self.is_running():
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the whole process group now."""
        if self._process and self.is_running():
            self._signal_group(signal.SIGKILL)
            self._process.wait()

    def _signal_group(self, sent: signal.Signals) -> None:
        if self._process:
            with suppress(ProcessLookupError, PermissionError):  # macOS: EPERM where only the zombie is left
                os.killpg(self._process.pid, sent)


def answers_http(host: str, port: int, path: str) -> Callable[[], bool]:
    """Give a question whether ``GET path`` is answered with 200 at this address."""

    def ask() -> bool:
        connection = http.client.HTTPConnection(host, port, timeout=HTTP_TIMEOUT_S)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ask


def refuse_port_in_use(host: str, port: int) -> None:
    """Find out before anything starts that a port cannot be listened on.

    Raises:
        StartError: It is in use, not permitted, or the host is no address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except socket.gaierror as error:
        raise StartError(f"MAILPULSE_HOST {host!r} is not known: {error.strerror}") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StartError(
                f"port {port} of {host} is in use by another program: stop that one, or set MAILPULSE_PORT"
            ) from error
        raise StartError(
            f"port {port} of {host} cannot be listened on ({error.strerror}): set MAILPULSE_HOST or MAILPULSE_PORT"
        ) from error

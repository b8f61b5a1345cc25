"""Runs all of Mailpulse on one machine: starts it in order, restarts what dies, stops it in order."""

import logging
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby
from types import FrameType

from domain.errors import MailpulseError
from entrypoints.process_lifetime import adopt_orphans
from entrypoints.programs import Program, RunningProgram, Server, StartError, Supervised, refuse_port_in_use

logger = logging.getLogger(__name__)

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
RESTART_DELAYS_S = (0.0, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
STABLE_AFTER_S = 5.0  # who lived this long before it died starts again without delay
CRASH_LOOP_AFTER = 3
START_ATTEMPTS = 3
START_TIMEOUT_S = 60.0
PROGRAMS_STOP_WITHIN_S = 7.5  # then they are killed; the servers have the rest of the promised ten seconds
ALL_STOP_WITHIN_S = 9.0
READY_POLL_S = 0.05
IDLE_POLL_S = 1.0
SAME_WISH_S = 0.5  # between two signals that ask for the same stop


class StoppedWhileStartingError(MailpulseError):
    """A stop was asked for before everything was ready."""

    code = "stopped_while_starting"


class _Watch:
    """When one of the supervised died, how often in a row, and when it may start again."""

    def __init__(self, subject: Supervised) -> None:
        self.subject = subject
        self.deaths = 0
        self._launched_at = 0.0
        self._restart_at: float | None = None

    def launch(self) -> None:
        self._restart_at = None
        self._launched_at = time.monotonic()
        self.subject.launch()

    def tend(self) -> None:
        """Notice a death, and start again when its time has come."""
        if self._restart_at is None:
            if self.subject.is_running():
                return
            self._note_death(self.subject.failure())
        if self._restart_at is not None and time.monotonic() >= self._restart_at:
            try:
                self.launch()
            except MailpulseError as error:
                self._note_death(str(error))

    def seconds_to_wait(self) -> float:
        return IDLE_POLL_S if self._restart_at is None else max(0.0, self._restart_at - time.monotonic())

    def _note_death(self, failure: str) -> None:
        lived_s = time.monotonic() - self._launched_at
        self.deaths = 1 if lived_s >= STABLE_AFTER_S else self.deaths + 1
        delay_s = RESTART_DELAYS_S[min(self.deaths, len(RESTART_DELAYS_S)) - 1]
        self._restart_at = time.monotonic() + delay_s
        looping = self.deaths >= CRASH_LOOP_AFTER
        logger.log(
            logging.ERROR if looping else logging.WARNING,
            "A process keeps dying" if looping else "A process died",
            extra={
                "event": "crash_loop" if looping else "process_died",
                "program": self.subject.name,
                "failure": failure,
                "lived_s": round(lived_s, 3),
                "deaths_in_a_row": self.deaths,
                "restart_in_s": delay_s,
            },
        )


class Supervisor:
    """Keeps embedded servers and programs running until it gets SIGTERM, SIGINT or SIGHUP.

    Args:
        servers: Started first, together; stopped last, in reverse order.
        programs: Started in this order when the servers are ready; stopped kind by kind in reverse order.
        prepare: Called once between the two, as for migrations; a MailpulseError from it ends the start.
        listens_on: Host and port that must be free, None when no program listens.
        ready_line: Printed on stdout once everything is ready.
    """

    def __init__(
        self,
        *,
        servers: Sequence[Server],
        programs: Sequence[Program],
        prepare: Callable[[], None],
        listens_on: tuple[str, int] | None,
        ready_line: str,
    ) -> None:
        self._servers = servers
        self._programs = [RunningProgram(program) for program in programs]
        self._prepare = prepare
        self._listens_on = listens_on
        self._ready_line = ready_line
        self._watches: list[_Watch] = []
        self._stops_asked = 0
        self._stop_asked_at = 0.0

    def run(self) -> int:
        """Run everything; call it in the main thread.

        Returns:
            The exit status: 0 after a stop that was asked for, 1 when something could not be started (one line on
            stderr says what).
        """
        with self._signals() as wake_up:
            try:
                self._start(wake_up)
                print(self._ready_line, flush=True)  # noqa: T201  for the person at the terminal
                while not self._stops_asked:
                    self._tend(wake_up, min(watch.seconds_to_wait() for watch in self._watches))
                return 0
            except StoppedWhileStartingError:
                return 0
            except MailpulseError as error:
                print(f"mailpulse: {error}", file=sys.stderr, flush=True)  # noqa: T201  as above
                return 1
            finally:
                self._stop(wake_up)

    def _start(self, wake_up: socket.socket) -> None:
        for server in self._servers:
            server.reserve()
        if self._listens_on:
            refuse_port_in_use(*self._listens_on)
        self._bring_up(self._servers, wake_up)
        self._prepare()
        self._bring_up(self._programs, wake_up)

    def _bring_up(self, subjects: Sequence[Supervised], wake_up: socket.socket) -> None:
        """Launch all and wait until all are ready.

        Raises:
            StartError: One of them died several times, or is not ready in time.
        """
        watches = [_Watch(subject) for subject in subjects]
        self._watches += watches
        for watch in watches:
            watch.launch()
        deadline = time.monotonic() + START_TIMEOUT_S
        while waiting := [watch for watch in watches if not watch.subject.is_ready()]:
            if self._stops_asked:
                break
            for watch in waiting:
                if watch.deaths >= START_ATTEMPTS:
                    raise StartError(f"{watch.subject.name} does not start: {watch.subject.failure()}")
            if time.monotonic() > deadline:
                late = waiting[0].subject
                raise StartError(f"{late.name} is not ready after {START_TIMEOUT_S:g} s: {late.failure()}")
            self._tend(wake_up, READY_POLL_S)
        if self._stops_asked:
            raise StoppedWhileStartingError

    def _tend(self, wake_up: socket.socket, wait_s: float) -> None:
        self._pause(wake_up, wait_s)
        for watch in self._watches:
            if not self._stops_asked:
                watch.tend()

    def _stop(self, wake_up: socket.socket) -> None:
        """Stop programs kind by kind, then the servers; within ten seconds nothing is left."""
        started = time.monotonic()
        kinds = [
            list(group) for _, group in groupby(reversed(self._programs), key=lambda running: running.program.kind)
        ]
        for place, group in enumerate(kinds):
            for running in group:
                running.ask_to_stop()
            # Each kind may use an equal share of what is left; who is slow goes on stopping beside the next.
            left_s = started + PROGRAMS_STOP_WITHIN_S - time.monotonic()
            self._wait_for_end(group, left_s / (len(kinds) - place), wake_up)
        self._wait_for_end(self._programs, started + PROGRAMS_STOP_WITHIN_S - time.monotonic(), wake_up)
        for running in self._programs:
            if running.is_running():
                logger.warning(
                    "A process did not stop and was killed", extra={"event": "process_killed", "program": running.name}
                )
                running.kill()
        for server in reversed(self._servers):
            server.stop(max(0.5, started + ALL_STOP_WITHIN_S - time.monotonic()))
        self._reap_adopted()

    def _wait_for_end(self, programs: Sequence[RunningProgram], wait_s: float, wake_up: socket.socket) -> None:
        deadline = time.monotonic() + wait_s
        while any([running.is_running() for running in programs]):  # noqa: C419  all of them are waited for
            left_s = deadline - time.monotonic()
            if left_s <= 0 or self._stops_asked > 1:  # asked twice: now
                return
            self._pause(wake_up, min(left_s, IDLE_POLL_S))

    def _pause(self, wake_up: socket.socket, wait_s: float) -> None:
        """Sleep until a signal comes, for at most ``wait_s``; then bury adopted processes."""
        if select.select([wake_up], [], [], max(0.0, wait_s))[0]:
            wake_up.recv(4096)
        self._reap_adopted()

    def _reap_adopted(self) -> None:
        """Wait for dead processes that are not ours by name: children of programs and servers that were killed."""
        supervised: list[Supervised] = [*self._servers, *self._programs]
        while dead := _some_dead_child():
            owner = next((one for one in supervised if one.pid == dead), None)
            if owner is None:
                os.waitpid(dead, 0)
            else:
                owner.is_running()  # it waits for its process itself, and so learns how it ended

    @contextmanager
    def _signals(self) -> Iterator[socket.socket]:
        """Turn signals into a readable socket and a count, and put everything back in the end."""
        adopt_orphans()
        with ExitStack() as stack:
            wake_up, writer = (stack.enter_context(end) for end in socket.socketpair())
            wake_up.setblocking(False)
            writer.setblocking(False)
            stack.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False))
            for number in STOP_SIGNALS:
                if signal.getsignal(number) is signal.SIG_IGN:  # as nohup and a shell's & ask for
                    continue
                stack.callback(signal.signal, number, signal.signal(number, self._note_stop))
            stack.callback(signal.signal, signal.SIGCHLD, signal.signal(signal.SIGCHLD, _wake_only))
            yield wake_up

    def _note_stop(self, _number: int, _frame: FrameType | None) -> None:
        # One wish may arrive twice: from `timeout` or a terminal to the whole group, and again from make to its child.
        if not self._stops_asked or time.monotonic() - self._stop_asked_at > SAME_WISH_S:
            self._stops_asked += 1
        self._stop_asked_at = time.monotonic()


def _wake_only(_number: int, _frame: FrameType | None) -> None:
    """A handler must exist for the signal to reach the wake-up socket."""


def _some_dead_child() -> int:
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return 0
    return found.si_pid if found else 0

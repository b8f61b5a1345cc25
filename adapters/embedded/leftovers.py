"""Processes of a server that outlived whoever started them, after a kill -9."""

import signal
from collections.abc import Iterable
from pathlib import Path

import psutil

from adapters.embedded.errors import EmbeddedServerError

ORPHANS_LEAVE_S = 0.5
KILLED_LEAVE_S = 3.0


def running_on(directory: Path, name: str) -> list[psutil.Process]:
    """Find the processes called ``name`` that work in ``directory``: there both servers stay all their life."""
    found = []
    for process in psutil.process_iter(["name"]):
        if process.info["name"] != name:
            continue
        try:
            if Path(process.cwd()) == directory:
                found.append(process)
        except psutil.Error:  # gone meanwhile, or somebody else's: then it cannot be on our data
            continue
    return found


def stop_leftovers(directory: Path, name: str, escalation: Iterable[tuple[signal.Signals, float]]) -> int:
    """End what still runs on a directory, so that its data can be opened again.

    Only the main process is asked: it knows in which order its helpers end, and the same signals mean other things to
    them (PostgreSQL's checkpointer takes SIGINT for the order to write the last checkpoint). Helpers without a main
    process end by themselves at once; those that do not are killed.

    Args:
        directory: Where the server keeps its data; resolved.
        name: Of the server's program.
        escalation: Signals to the main process in order, each with the seconds to wait for its effect.

    Returns:
        The number of processes found; all of them are gone.

    Raises:
        EmbeddedServerError: One of them survived even SIGKILL.
    """
    found = left = running_on(directory, name)
    for sent, patience_s in escalation:
        main = [process for process in left if _is_main(process, name)]
        if not main:
            break
        left = _signal_and_wait(main, sent, left, patience_s)
    _, left = psutil.wait_procs(left, timeout=ORPHANS_LEAVE_S)
    left = _signal_and_wait(left, signal.SIGKILL, left, KILLED_LEAVE_S)
    if running_on(directory, name):  # zombies do not count: they hold nothing open
        raise EmbeddedServerError(f"process {left[0].pid} still uses {directory} and cannot be killed")
    return len(found)


def _is_main(process: psutil.Process, name: str) -> bool:
    try:
        command = process.cmdline()
    except psutil.Error:
        return False
    return bool(command) and not command[0].startswith(f"{name}: ")  # as in "postgres: checkpointer"


def _signal_and_wait(
    receivers: list[psutil.Process], sent: signal.Signals, waited_for: list[psutil.Process], patience_s: float
) -> list[psutil.Process]:
    for process in receivers:
        try:
            process.send_signal(sent)
        except psutil.NoSuchProcess:
            continue
    _, left = psutil.wait_procs(waited_for, timeout=patience_s)
    return list(left)

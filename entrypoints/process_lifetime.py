"""Ties the life of one process to another's, so that a kill -9 of the supervisor leaves nothing running."""

import ctypes
import os
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
WATCH_INTERVAL_S = 0.5


def exit_when_parent_dies(parent_pid: int = 0) -> None:
    """Have this process get SIGTERM as soon as its parent is gone, so that it ends as if it were asked to.

    Call it from the main thread, in the process itself: after a fork or spawn the new process calls it again.

    Args:
        parent_pid: The process it depends on; 0 for whoever is the parent now. If that one is gone already, the
            signal comes at once.
    """
    parent = parent_pid or os.getppid()
    if sys.platform == "linux":
        _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    else:
        threading.Thread(target=_watch_parent, args=[parent], name="parent-watch", daemon=True).start()
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent died, so that they can be reaped (Linux only)."""
    if sys.platform == "linux":
        _prctl(PR_SET_CHILD_SUBREAPER, 1)


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_INTERVAL_S)
    os.kill(os.getpid(), signal.SIGTERM)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"prctl({option})")

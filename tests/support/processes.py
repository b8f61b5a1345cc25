"""Looking at real processes from outside, and waiting for what they do."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

CHECKOUT = Path(__file__).resolve().parents[2]
NOBODY = 65534


def eventually(holds: Callable[[], object], within_s: float = 60.0) -> bool:
    """Ask again and again; False when the answer was never true."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def processes_around(directory: Path) -> list[psutil.Process]:
    """Find living processes that work below a directory or name it in their command, but for this one."""
    found = []
    for process in psutil.process_iter():
        try:
            near = directory in (Path(process.cwd()), *Path(process.cwd()).parents)
            named = any(str(directory) in word for word in process.cmdline())
        except psutil.Error:
            continue
        if (near or named) and process.pid != os.getpid():
            found.append(process)
    return found


def as_ordinary_user(command: list[str]) -> list[str]:
    """Give the command that runs another as a user without rights; as it is when we are one already.

    The right to read below closed directories stays: the interpreter itself may lie in root's home.
    """
    if os.geteuid() != 0:
        return command
    capabilities = [f"--{kind}=-all,+dac_read_search" for kind in ("inh-caps", "ambient-caps", "bounding-set")]
    return [
        "setpriv",
        *(f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--securebits=+no_setuid_fixup"),
        *capabilities,
        *command,
    ]


def python(*words: object) -> list[str]:
    """Give a command of this interpreter."""
    return [sys.executable, *map(str, words)]


def environment() -> dict[str, str]:
    """Give an environment in which the checkout's packages are found and no setting of ours is.

    What one process has compiled, the next ones need not: a hundred of them are started by the suite.
    """
    left_out = ("MAILPULSE_", "PYTHONDONTWRITEBYTECODE")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {**inherited, "PYTHONPATH": str(CHECKOUT)}

"""Which process owns a directory of the spool: the one that holds its lock, and nobody once that has died."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Final

LOCK: Final = "lock"


class Claim:
    """A directory of this process alone, until `release` or the end of the process.

    Args:
        root: Where all processes of this machine have theirs; made if it is not there.

    Raises:
        OSError: The root cannot be written.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            self.directory = root / f"{os.getpid()}-{token_hex(4)}"
            self.directory.mkdir(mode=0o700)
            self._lock = os.open(self.directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if _is_locked_now(self._lock) and (self.directory / LOCK).exists():
                return
            os.close(self._lock)  # somebody took it for a dead process's in between

    def release(self) -> None:
        """Leave the directory: removed if it is empty, else to whoever adopts it."""
        try:
            _remove_if_empty(self.directory)
        finally:
            os.close(self._lock)


@contextmanager
def adopted(directory: Path) -> Iterator[bool]:
    """Hold a directory whose process has died; it is removed at the end if it is empty then.

    Yields:
        Whether it is held: its process lives, or somebody else adopted it, if not.
    """
    try:
        lock = os.open(directory / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:  # it is being made, or was removed
        yield False
        return
    try:
        is_held = _is_locked_now(lock)
        yield is_held
        if is_held:
            _remove_if_empty(directory)
    finally:
        os.close(lock)


def _is_locked_now(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return os.fstat(lock).st_nlink > 0


def _remove_if_empty(directory: Path) -> None:
    if [path.name for path in directory.iterdir()] == [LOCK]:
        (directory / LOCK).unlink()
        directory.rmdir()

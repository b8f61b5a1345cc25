"""Records in files of bounded size, appended by one process and read again by it or by whoever comes after it."""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SEGMENT_BYTES: Final = 1024 * 1024
"""Beyond this the next file begins; a file goes when its last record is in the inbox."""
SUFFIX: Final = ".reports"
SET_ASIDE: Final = ".damaged"
"""Added to the name of a file that cannot be read."""
_HEAD_BYTES: Final = 8


class Segments:
    """The files of one directory; the records in them are numbered from 1 by the process that writes them.

    Args:
        directory: Exists; nobody else writes there.
        segment_bytes: See `SEGMENT_BYTES`.
    """

    def __init__(self, directory: Path, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._file = -1
        self._size = 0
        self._sequence = 0
        self._unsynced: dict[Path, int] = {}
        self._records: dict[Path, int] = {}
        self.bytes = 0

    def append(self, record: bytes) -> None:
        """Write a record in one piece, so that the end of this process finds all of it written or nothing.

        Raises:
            OSError: The disk refuses it; nothing is left of it.
        """
        if self._file < 0 or self._size >= self._segment_bytes:
            self._begin_next()
        whole = len(record).to_bytes(4, "big") + zlib.crc32(record).to_bytes(4, "big") + record
        try:
            written = os.write(self._file, whole)
            if written < len(whole):
                raise OSError(f"the disk took {written} of {len(whole)} bytes")
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(whole)
        self.bytes += len(whole)
        self._records[self._path(self._sequence)] += 1

    def take_unsynced(self) -> list[int]:
        """Give descriptors of all that `sync` has to bring to the disk; they are the caller's to close.

        Raises:
            OSError: There are too many; nothing was taken.
        """
        current = [] if self._file < 0 else [os.dup(self._file)]
        finished, self._unsynced = list(self._unsynced.values()), {}
        return finished + current

    def forget(self, path: Path) -> None:
        """Remove a file whose records are all in the inbox."""
        size = path.stat().st_size
        path.unlink()
        self._let_go_of(path, size)

    def set_aside(self, path: Path) -> int:
        """Keep a file that cannot be read for whoever looks at it; what is written next begins a new one.

        Returns:
            How many records were written to it.
        """
        if path == self._path(self._sequence):
            self._finish_file()
        records = self._records.get(path, 0)
        size = path.stat().st_size
        path.rename(path.with_name(path.name + SET_ASIDE))
        self._let_go_of(path, size)
        return records

    def _let_go_of(self, path: Path, size: int) -> None:
        self.bytes -= size
        self._records.pop(path, None)
        descriptor = self._unsynced.pop(path, None)
        if descriptor is not None:
            os.close(descriptor)

    def forget_all(self) -> None:
        """Remove every file: all that was written is in the inbox. What is written next begins a new one.

        Raises:
            OSError: Some are left, the oldest among them.
        """
        self._finish_file()
        for path in reversed(segments_in(self._directory)):
            self.forget(path)

    def close(self) -> None:
        """Close what is open. What is written next begins a new file."""
        self._finish_file()
        for descriptor in self._unsynced.values():
            os.close(descriptor)
        self._unsynced = {}

    def _finish_file(self) -> None:
        if self._file >= 0:
            self._unsynced[self._path(self._sequence)] = self._file
            self._file = -1

    def _begin_next(self) -> None:
        self._finish_file()
        self._sequence += 1
        path = self._path(self._sequence)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = 0
        self._records[path] = 0

    def _path(self, sequence: int) -> Path:
        return self._directory / f"{sequence:08d}{SUFFIX}"


def sync(descriptors: list[int], directory: Path) -> None:
    """Bring files and their names to the disk, and close them.

    Raises:
        OSError: The disk refuses.
    """
    try:
        for descriptor in descriptors:
            os.fsync(descriptor)
        names = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(names)
        finally:
            os.close(names)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def segments_in(directory: Path) -> list[Path]:
    """Give the files of a directory in the order in which they were written.

    Raises:
        OSError: It cannot be read, or is away: `glob` would find nothing there.
    """
    return sorted(path for path in directory.iterdir() if path.suffix == SUFFIX)


def damaged_in(root: Path) -> list[Path]:
    """Give the files of all processes of this machine that could not be handed over."""
    return sorted(root.glob(f"*/*{SUFFIX}{SET_ASIDE}"))


def records_of(content: bytes) -> Iterator[tuple[bytes, int]]:
    """Give each whole record with the place behind it; what a power cut left half written ends the file."""
    place = 0
    while len(content) - place >= _HEAD_BYTES:
        size = int.from_bytes(content[place : place + 4], "big")
        record = content[place + _HEAD_BYTES : place + _HEAD_BYTES + size]
        checksum = int.from_bytes(content[place + 4 : place + _HEAD_BYTES], "big")
        if len(record) < size or not size or zlib.crc32(record) != checksum:
            return
        place += _HEAD_BYTES + size
        yield record, place

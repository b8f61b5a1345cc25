"""Reports on their way from a reader's request to the inbox: into a file at once, on when the database is there."""

import asyncio
import logging
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from adapters.secrets import SealBrokenError, SecretBox
from adapters.spool.claim import Claim, adopted
from adapters.spool.segments import SEGMENT_BYTES, SET_ASIDE, SUFFIX, Segments, records_of, segments_in, sync
from application.ports.bell import Bell
from application.ports.inbox_intake import DeliveryNotKeptError, InboxIntake, ProvenDelivery
from application.ports.report_spool import ReportLostError

logger = logging.getLogger(__name__)

SEAL_PURPOSE: Final = "report-spool"
MOST_BYTES: Final = 256 * 1024 * 1024
"""Half a million reports, or half an hour of three hundred a second."""
BATCH_BYTES: Final = 32 * 1024
"""Of a file, read at a time; no record is as long."""
GATHERING_S: Final = 0.02
"""So long reports wait for others to share a commit with."""
PATIENCE_S: Final = 0.05
"""How long the inbox may take before reports are brought to the disk as well."""
RETRY_S: Final = 0.25
ADOPTION_INTERVAL_S: Final = 15.0

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(ProvenDelivery).decode


class _Batch(NamedTuple):
    """Reports that stand one after the other in a file.

    Attributes:
        end: Where in the file what follows them begins.
        ends_whole: Whether nothing stands behind them in what was read of it.
    """

    reports: list[ProvenDelivery]
    end: int
    ends_whole: bool


class _Place(NamedTuple):
    """How far a file of this process has been handed over.

    Attributes:
        behind: Where in it the next report begins.
        reports: How many came before.
    """

    path: Path
    behind: int = 0
    reports: int = 0


class FileSpool:
    """See `application.ports.report_spool.ReportSpool`; belongs to one event loop.

    A report is written to a file before its request is answered, so that no end of the process loses it. It is handed
    to the inbox at once; only if that takes long, or is away, the file is brought to the disk too. A file that is
    handed over twice does no harm: reports carry an id.

    Args:
        root: Where all processes of this machine keep theirs; what dead ones left is handed over too.
        box: For `SEAL_PURPOSE`.
        inbox: Takes the reports.
        bell: Rung after each commit.
        most_bytes: Beyond this no report is taken.
        segment_bytes: Size of a file.
        adoption_interval_s: How often what dead processes left is looked for.

    Raises:
        OSError: The root cannot be written.
    """

    def __init__(
        self,
        root: Path,
        box: SecretBox,
        inbox: InboxIntake,
        bell: Bell,
        *,
        most_bytes: int = MOST_BYTES,
        segment_bytes: int = SEGMENT_BYTES,
        adoption_interval_s: float = ADOPTION_INTERVAL_S,
    ) -> None:
        self._root = root
        self._box = box
        self._inbox = inbox
        self._bell = bell
        self._most_bytes = most_bytes
        self._adoption_interval_s = adoption_interval_s
        self._claim = Claim(root)
        self._segments = Segments(self._claim.directory, segment_bytes=segment_bytes)
        self._written = self._shipped = self._synced = self._refused = 0
        self._place: _Place | None = None
        self._set_aside_numbers: list[range] = []
        self._news = asyncio.Event()
        self._progress = asyncio.Event()
        self._syncing = asyncio.Lock()
        self._is_closing = False
        self._refused_last = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to hand over."""
        self._tasks = [asyncio.create_task(self._hand_over_own()), asyncio.create_task(self._hand_over_inherited())]

    @property
    def waiting(self) -> int:
        """Reports of this process that are not in the inbox yet."""
        return self._written - self._shipped

    def bytes_on_disk(self) -> int:
        """Give the size of all files of this machine's spool."""
        total = 0
        for path in self._root.glob(f"*/*{SUFFIX}*"):
            with suppress(FileNotFoundError):  # handed over in between
                total += path.stat().st_size
        return total

    def keep(self, report: ProvenDelivery) -> int:
        try:
            if self._segments.bytes >= self._most_bytes:
                raise ReportLostError(f"{self._segments.bytes} bytes of reports wait for the database")
            self._segments.append(self._box.seal(_encode(report)))
        except (OSError, ReportLostError) as error:
            if not self._refused_last:  # a full disk refuses thousands: one line until it takes some again
                logger.exception("Reports are lost", extra={"event": "reports_lost"})
            self._refused_last = True
            raise ReportLostError(f"the report cannot be written down: {error}") from error
        self._refused_last = False
        self._written += 1
        self._news.set()
        return self._written

    async def durable(self, number: int) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while self._shipped < number:
                    await self._progress.wait()
        if any(number in numbers for numbers in self._set_aside_numbers):
            raise ReportLostError("the file that it was written to was damaged")
        if self._shipped >= number:
            return
        try:
            await self._sync(number)
        except OSError as error:
            raise ReportLostError(f"the disk refuses it: {error}") from error
        if self._shipped < number <= self._refused:
            raise ReportLostError("the disk refused it")

    async def close(self) -> None:
        """Hand over what the inbox still takes now; the rest waits on the disk for the next process."""
        self._is_closing = True
        self._news.set()
        for inherited in self._tasks[1:]:
            inherited.cancel()
        try:
            with ExitStack() as closing:
                closing.callback(self._claim.release)
                closing.callback(self._segments.close)
                await asyncio.gather(*self._tasks, return_exceptions=True)
                if self.waiting:
                    await self._sync_quietly()
                else:
                    for path in segments_in(self._claim.directory):
                        path.unlink()
        except OSError:  # what is left is handed over once more by the next process, which does no harm
            logger.exception("Files of the spool cannot be removed", extra={"event": "spool_not_removed"})

    # --- of this process ---

    async def _hand_over_own(self) -> None:
        while not (self._is_closing and not self.waiting):
            await self._news.wait()
            self._news.clear()
            if not self._is_closing:
                await asyncio.sleep(GATHERING_S)
            while self.waiting:
                try:
                    is_taken = await self._hand_over_next()
                except Exception:  # whatever it is, the reports stay where they are and are tried again
                    logger.exception("Reports cannot be handed over", extra={"event": "spool_stuck"})
                    is_taken = False
                if not is_taken:
                    if self._is_closing:
                        return
                    await asyncio.sleep(RETRY_S)

    async def _hand_over_next(self) -> bool:
        place = self._place or _Place(segments_in(self._claim.directory)[0])
        try:
            batch = self._read(place.path, place.behind)
        except (SealBrokenError, msgspec.DecodeError):
            self._set_aside_own(place, "no secret key opens it")
            return True
        if not batch.reports:
            if batch.ends_whole:
                self._segments.forget(place.path)
                self._place = None
            else:
                self._set_aside_own(place, "something else changed it")
            return True
        if not await self._ship(batch.reports):
            return False
        self._place = _Place(place.path, batch.end, place.reports + len(batch.reports))
        self._advance(len(batch.reports))
        return True

    def _set_aside_own(self, place: _Place, why: str) -> None:
        """Go on with the next file; what was in this one waits for somebody who can read it."""
        records = self._segments.set_aside(place.path) - place.reports
        logger.error(
            "A file of the spool is set aside", extra={"event": "spool_damaged", "reason": why, "reports": records}
        )
        self._set_aside_numbers.append(range(self._shipped + 1, self._shipped + records + 1))
        self._place = None
        self._advance(records)

    def _forget_what_is_handed_over(self) -> None:
        """Keep nothing on the disk in quiet times, which may be long: reports tell where somebody read."""
        if not self.waiting and self._segments.bytes:
            self._segments.forget_all()
            self._place = None

    def _advance(self, reports: int) -> None:
        self._shipped += reports
        self._progress.set()
        self._progress = asyncio.Event()

    async def _ship(self, reports: list[ProvenDelivery]) -> bool:
        """Give reports to the inbox; those that wait too long are brought to the disk meanwhile."""
        shipping = asyncio.ensure_future(asyncio.gather(*map(self._inbox.keep, reports), return_exceptions=True))
        while not shipping.done():
            await asyncio.wait({shipping}, timeout=PATIENCE_S)
            if not shipping.done():
                await self._sync_quietly()
        refusals = [answer for answer in shipping.result() if answer is not None]
        for refusal in refusals:
            if not isinstance(refusal, DeliveryNotKeptError):
                raise refusal
        if refusals:
            await self._sync_quietly()
            return False
        self._bell.ring()
        return True

    async def _sync_quietly(self) -> None:
        try:
            await self._sync(self._written)
        except Exception:  # there may be no thread for it, too
            logger.exception("Reports cannot be brought to the disk", extra={"event": "spool_not_synced"})

    async def _sync(self, number: int) -> None:
        """Bring what is written to the disk, unless that was tried for this report before.

        Raises:
            OSError: The disk refuses; what it refused goes up to `_refused`.
        """
        # Who waits may go away, the files that it took are brought to the disk for everybody else.
        await asyncio.shield(self._sync_all_if_untried(number))

    async def _sync_all_if_untried(self, number: int) -> None:
        async with self._syncing:
            if max(self._synced, self._refused) >= number:
                return
            written = self._written
            descriptors = self._segments.take_unsynced()
            try:
                await asyncio.to_thread(sync, descriptors, self._claim.directory)
            except BaseException:
                # Linux forgets what it could not write: the next fsync of these files may succeed without it, and what
                # is appended to them stands behind a hole. None of them is relied on again.
                self._refused = self._written
                self._segments.close()
                raise
            self._synced = written

    def _read(self, path: Path, begin: int) -> _Batch:
        """Read the next reports of a file, up to one that cannot be read.

        Raises:
            SealBrokenError: None of the secret keys opens the next one.
            msgspec.DecodeError: It is none.
        """
        with path.open("rb") as file:
            file.seek(begin)
            content = file.read(BATCH_BYTES)
        reports: list[ProvenDelivery] = []
        end = 0
        for record, behind in records_of(content):
            try:
                reports.append(_decode(self._box.open(record)))
            except (SealBrokenError, msgspec.DecodeError):
                if reports:
                    break  # those before it come first
                raise
            end = behind
        return _Batch(reports, begin + end, end == len(content))

    # --- of processes that died ---

    async def _hand_over_inherited(self) -> None:
        while True:
            try:
                await self._adopt_all()
                self._forget_what_is_handed_over()
            except Exception:  # the disk is away for a moment, say: all of it is tried again
                logger.exception("The directory of the spool cannot be used", extra={"event": "spool_stuck"})
            await asyncio.sleep(self._adoption_interval_s)

    async def _adopt_all(self) -> None:
        for directory in sorted(
            path for path in self._root.iterdir() if path != self._claim.directory and path.is_dir()
        ):
            try:
                with adopted(directory) as is_ours:
                    if is_ours:
                        await self._adopt(directory)
            except Exception:  # another user's, say: it costs the others nothing, and is tried again
                logger.exception("What a process left cannot be handed over", extra={"event": "spool_stuck"})

    async def _adopt(self, directory: Path) -> None:
        for path in segments_in(directory):
            if not await self._hand_over_file(path):
                return

    async def _hand_over_file(self, path: Path) -> bool:
        """Hand over a file of a process that died, and remove it or set it aside; gives whether that is done."""
        behind = 0
        while True:
            try:
                batch = self._read(path, behind)
            except (SealBrokenError, msgspec.DecodeError):
                self._set_aside(path, "no secret key opens it")
                return True
            if not batch.reports:
                self._finish(path, is_whole=batch.ends_whole)
                return True
            if not await self._ship(batch.reports):
                return False
            behind = batch.end

    def _finish(self, path: Path, *, is_whole: bool) -> None:
        if is_whole:
            path.unlink()
        else:
            self._set_aside(path, "its end was not written")

    def _set_aside(self, path: Path, why: str) -> None:
        logger.error("A file of the spool is set aside", extra={"event": "spool_damaged", "reason": why})
        path.rename(path.with_name(path.name + SET_ASIDE))

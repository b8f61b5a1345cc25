"""The spool: what it took it hands over, once each, whatever dies or is away in between."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
import threading
import zlib
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID

import pytest

from adapters.memory.bell import MemoryBell
from adapters.memory.inbox_intake import MemoryInboxIntake
from adapters.secrets import SecretBox
from adapters.spool.segments import SUFFIX, damaged_in, records_of
from adapters.spool.spool import SEAL_PURPOSE, FileSpool
from application.ports.inbox_intake import ProvenDelivery
from application.ports.report_spool import ReportLostError
from entrypoints.bootstrap import Backend
from entrypoints.doctor import examine
from entrypoints.settings import Settings
from tests.support.emails import ACME, NOON

KEY = "a secret key for tests"
PROJECT = Path(__file__).parents[2]


def box(*keys):
    return SecretBox(list(keys) or [KEY], purpose=SEAL_PURPOSE)


def report(number):
    return ProvenDelivery(
        endpoint_id=UUID(int=0),
        organization_id=ACME,
        provider="first_party",
        correlation_id=f"request-{number}",
        received_at=NOON,
        headers={},
        body=b"report %d of john@example.com" % number,
    )


def numbers(inbox):
    return [int(kept.correlation_id.removeprefix("request-")) for kept in inbox.kept]


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


@pytest.fixture
def inbox():
    return MemoryInboxIntake()


@pytest.fixture
def root(tmp_path):
    return tmp_path / "spool"


@asynccontextmanager
async def running(root, inbox, *keys, **settings):
    spool = FileSpool(root, box(*keys), inbox, MemoryBell(), **settings)
    spool.start()
    try:
        yield spool
    finally:
        await spool.close()


def files(root):
    return sorted(root.glob(f"*/*{SUFFIX}*"))


def test_a_report_reaches_the_inbox_as_it_was_and_the_bell_is_rung(root, inbox):
    async def story():
        bell = MemoryBell()
        spool = FileSpool(root, box(), inbox, bell)
        spool.start()
        await spool.durable(spool.keep(report(1)))
        await spool.close()
        return bell.rings

    rings = asyncio.run(story())

    assert inbox.kept == [report(1)]
    assert rings == 1


def test_reports_arrive_in_order_and_once_over_many_files(root, inbox):
    async def story():
        async with running(root, inbox, segment_bytes=2_000) as spool:
            for number in range(500):
                spool.keep(report(number))
                if number % 50 == 0:
                    await until(lambda: not spool.waiting)
            await until(lambda: not spool.waiting)
            return len(files(root))

    left = asyncio.run(story())

    assert numbers(inbox) == list(range(500))
    assert left <= 2
    assert files(root) == []


def test_while_the_inbox_is_away_reports_wait_on_the_disk_and_nobody_waits_for_it(root, inbox):
    async def story():
        inbox.is_away = True
        async with running(root, inbox) as spool:
            for number in range(100):
                spool.keep(report(number))
            await spool.durable(100)
            assert (spool.waiting, inbox.kept) == (100, [])
            inbox.is_away = False
            await until(lambda: not spool.waiting)

    asyncio.run(story())

    assert numbers(inbox) == list(range(100))


def test_what_an_ended_process_could_not_hand_over_the_next_one_does(root, inbox):
    async def first():
        inbox.is_away = True
        async with running(root, inbox) as spool:
            for number in range(10):
                spool.keep(report(number))

    async def second():
        inbox.is_away = False
        async with running(root, inbox):
            await until(lambda: len(inbox.kept) == 10)

    asyncio.run(first())
    asyncio.run(second())

    assert numbers(inbox) == list(range(10))
    assert list(root.iterdir()) == []


KILLED = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.unit.test_report_spool import FileSpool, MemoryBell, MemoryInboxIntake, box, report

async def main():
    inbox = MemoryInboxIntake()
    inbox.is_away = True
    spool = FileSpool(Path(sys.argv[1]), box(), inbox, MemoryBell(), segment_bytes=2_000)
    spool.start()
    number = 0
    while True:
        spool.keep(report(number))
        print(number, flush=True)
        number += 1
        if number % 20 == 0:
            await asyncio.sleep(0.005)

asyncio.run(main())
"""


def test_kill_9_loses_no_report_that_was_taken(root, inbox):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(root), str(PROJECT)], stdout=subprocess.PIPE, text=True
    )
    with process:
        taken = [int(process.stdout.readline()) for _ in range(300)]
        process.send_signal(signal.SIGKILL)
        taken += [int(line) for line in process.stdout if line.endswith("\n")]

    async def next_process():
        async with running(root, inbox):
            await until(lambda: len(inbox.kept) >= len(taken) and len(files(root)) == 0)

    asyncio.run(next_process())

    arrived = numbers(inbox)
    assert arrived == list(range(len(arrived)))
    assert len(arrived) >= len(taken)


def test_a_living_process_is_left_alone(root, inbox):
    async def story():
        away = MemoryInboxIntake()
        away.is_away = True
        async with running(root, away) as living:
            living.keep(report(1))
            async with running(root, inbox) as other:
                other.keep(report(2))
                await until(lambda: inbox.kept)

    asyncio.run(story())

    assert numbers(inbox) == [2]


def test_what_lies_on_the_disk_shows_nobody(root, inbox):
    async def story():
        inbox.is_away = True
        async with running(root, inbox) as spool:
            spool.keep(report(1))

    asyncio.run(story())
    content = b"".join(path.read_bytes() for path in files(root))

    assert content
    assert b"john@example.com" not in content
    assert all(path.stat().st_mode & 0o077 == 0 for path in [*files(root), *root.iterdir()])


def test_beyond_its_bound_a_report_is_refused_and_taken_again_when_there_is_room(root, inbox):
    async def story():
        inbox.is_away = True
        async with running(root, inbox, most_bytes=5_000, segment_bytes=500) as spool:
            for kept in range(1_000):
                try:
                    spool.keep(report(kept))
                except ReportLostError:
                    break
            inbox.is_away = False
            await until(lambda: not spool.waiting)
            spool.keep(report(kept))
            await until(lambda: not spool.waiting)
            return kept

    kept = asyncio.run(story())

    assert numbers(inbox) == list(range(kept + 1))
    assert 10 < kept < 999


def test_a_disk_that_refuses_is_an_error_and_leaves_nothing_half_written(root, inbox, monkeypatch):
    async def story():
        inbox.is_away = True
        async with running(root, inbox) as spool:
            spool.keep(report(1))
            whole = os.write
            monkeypatch.setattr(os, "write", lambda file, data: whole(file, data[:7]))
            with pytest.raises(ReportLostError):
                spool.keep(report(2))
            monkeypatch.setattr(os, "write", whole)
            spool.keep(report(3))
            inbox.is_away = False
            await until(lambda: not spool.waiting)

    asyncio.run(story())

    assert numbers(inbox) == [1, 3]


class FailingDisk:
    """Refuses to write some of what it took, and like Linux tells that once: then it is forgotten."""

    def __init__(self, monkeypatch):
        self.refusals = 0
        self.tried = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._fsync = os.fsync
        monkeypatch.setattr(os, "fsync", self.fsync)

    def fsync(self, descriptor):
        self.tried.append(os.fstat(descriptor).st_ino)
        if self.refusals:
            self.refusals -= 1
            self.may_answer.wait(20)
            raise OSError(errno.EIO, "the disk refuses")
        self._fsync(descriptor)


@pytest.mark.parametrize("segment_bytes", [500, 1_000_000])
def test_what_the_disk_once_refused_is_never_called_durable(root, inbox, monkeypatch, segment_bytes):
    disk = FailingDisk(monkeypatch)

    async def story():
        inbox.is_away = True
        async with running(root, inbox, segment_bytes=segment_bytes) as spool:
            for number in range(5):
                spool.keep(report(number))
            disk.refusals = 1
            await until(lambda: not disk.refusals)  # while the inbox refuses them: nobody waits for these yet
            for number in range(1, 6):
                with pytest.raises(ReportLostError):
                    await spool.durable(number)
            refused = {path.stat().st_ino for path in files(root)}
            disk.tried.clear()
            await spool.durable(spool.keep(report(5)))
            assert len(disk.tried) == 2  # its file and the names
            assert not refused & set(disk.tried)
            with pytest.raises(ReportLostError):
                await spool.durable(5)
            inbox.is_away = False
            await until(lambda: not spool.waiting)
            await spool.durable(5)

    asyncio.run(story())

    assert numbers(inbox) == list(range(6))


def test_of_reports_that_are_written_while_the_disk_refuses_their_file_none_is_called_durable(root, inbox, monkeypatch):
    disk = FailingDisk(monkeypatch)

    async def story():
        inbox.is_away = True
        async with running(root, inbox) as spool:
            disk.refusals = 1
            disk.may_answer.clear()
            first = spool.keep(report(1))
            await until(lambda: not disk.refusals)
            second = spool.keep(report(2))
            disk.may_answer.set()
            for number in (first, second):
                with pytest.raises(ReportLostError):
                    await spool.durable(number)

    asyncio.run(story())


def test_who_no_longer_waits_for_the_disk_does_not_have_others_believe_what_it_refused(root, inbox, monkeypatch):
    disk = FailingDisk(monkeypatch)

    async def story():
        spool = FileSpool(root, box(), inbox, MemoryBell(), segment_bytes=1)
        # It is not started: only who waits asks the disk.
        disk.refusals = 1
        disk.may_answer.clear()
        first, _ = spool.keep(report(1)), spool.keep(report(2))
        gone = asyncio.create_task(spool.durable(first))
        await until(lambda: not disk.refusals)
        gone.cancel()
        other = asyncio.create_task(spool.durable(first))
        await asyncio.sleep(0.2)
        assert not other.done()
        disk.may_answer.set()
        with pytest.raises(ReportLostError):
            await other
        await spool.close()

    asyncio.run(story())


def test_an_end_that_was_not_written_costs_no_report_before_it(root, inbox):
    left_by_a_dead_process(root, inbox, reports=3)
    (path,) = files(root)
    path.write_bytes(path.read_bytes()[:-5])

    hand_over(root, inbox, until_set_aside=True)

    assert numbers(inbox) == [0, 1]
    assert [path.suffix for path in files(root)] == [".damaged"]


def test_reports_of_a_secret_key_that_is_gone_are_set_aside_and_not_lost(root, inbox):
    left_by_a_dead_process(root, inbox, reports=3)
    (path,) = files(root)
    before = path.read_bytes()

    hand_over(root, inbox, "another secret key", until_set_aside=True)

    assert inbox.kept == []
    (aside,) = damaged_in(root)
    assert aside.read_bytes() == before


@pytest.mark.parametrize("damage", ["a changed byte", "another's record"])
def test_a_file_that_is_damaged_under_a_living_process_costs_no_other_report(root, inbox, damage):
    async def story():
        async with running(root, inbox) as spool:
            inbox.is_away = True
            for number in range(3):
                spool.keep(report(number))
            (path,) = files(root)
            path.write_bytes(damaged(path.read_bytes(), damage))
            inbox.is_away = False
            await until(lambda: damaged_in(root))
            assert spool.waiting == 0
            with pytest.raises(ReportLostError):
                await spool.durable(3)
            await spool.durable(spool.keep(report(3)))
            await until(lambda: not spool.waiting)

    asyncio.run(story())

    assert numbers(inbox) == [0, 3]
    assert [path.suffix for path in files(root)] == [".damaged"]


def damaged(content, damage):
    """Have the second of three records be what nobody can read."""
    first, second, third = (record for record, _ in records_of(content))
    other = box("another secret key").seal(b"what another service wrote")
    whole = bytes([second[0] ^ 1]) + second[1:] if damage == "a changed byte" else other
    checksum = zlib.crc32(second if damage == "a changed byte" else other)
    return b"".join(
        len(record).to_bytes(4, "big") + checksum.to_bytes(4, "big") + record
        for record, checksum in ((first, zlib.crc32(first)), (whole, checksum), (third, zlib.crc32(third)))
    )


def test_the_doctor_names_what_could_not_be_handed_over(tmp_path, inbox):
    settings = Settings(data_dir=tmp_path, public_url="https://pulse.example.com", redis_url="redis://127.0.0.1:1/0")
    left_by_a_dead_process(tmp_path / "spool", inbox, reports=1)
    hand_over(tmp_path / "spool", inbox, "another secret key", until_set_aside=True)

    (finding,) = [one for one in examine(Backend(settings)) if one.subject == "readers' reports"]

    assert not finding.ok
    assert "MAILPULSE_SECRET_KEYS" in finding.text


def test_an_older_secret_key_opens_what_it_sealed(root, inbox):
    left_by_a_dead_process(root, inbox, reports=3)

    hand_over(root, inbox, "another secret key", KEY)

    assert numbers(inbox) == [0, 1, 2]


def test_in_quiet_times_nothing_of_what_was_handed_over_stays_on_the_disk(root, inbox):
    async def story():
        async with running(root, inbox, adoption_interval_s=0.01) as spool:
            for number in range(20):
                spool.keep(report(number))
                if number % 5 == 4:
                    await until(lambda: not spool.waiting and not files(root))
            inbox.is_away = True
            spool.keep(report(20))
            await until(lambda: files(root))
            inbox.is_away = False

    asyncio.run(story())

    assert numbers(inbox) == list(range(21))


def test_what_cannot_be_taken_over_costs_the_others_nothing_and_is_tried_again(root, inbox, monkeypatch):
    left_by_a_dead_process(root, inbox, reports=3)
    (left,) = root.iterdir()
    whole = os.open
    foreign = root / "0-of-another-user"
    foreign.mkdir()
    refused = []

    def open_file(path, *arguments, **named):
        if Path(path).parent == foreign:
            refused.append(path)
            raise PermissionError(path)
        return whole(path, *arguments, **named)

    async def story():
        async with running(root, inbox, adoption_interval_s=0.01):
            await until(lambda: len(refused) > 1 and not left.exists())

    monkeypatch.setattr(os, "open", open_file)
    asyncio.run(story())

    assert numbers(inbox) == [0, 1, 2]


def test_a_root_that_is_away_for_a_moment_costs_nothing(root, inbox, caplog):
    async def story():
        async with running(root, inbox, adoption_interval_s=0.3) as spool:
            spool.keep(report(0))
            await until(lambda: not spool.waiting)
            away = root.rename(root.with_name("away"))
            await until(lambda: "spool_stuck" in events(caplog))
            away.rename(root)
            await asyncio.to_thread(left_by_a_dead_process, root, MemoryInboxIntake(), reports=1)
            await until(lambda: len(inbox.kept) == 2)
            spool.keep(report(1))
            await until(lambda: not spool.waiting and not files(root))
            return spool.waiting

    waiting = asyncio.run(story())

    assert numbers(inbox) == [0, 0, 1]  # one of them the dead process's
    assert waiting == 0
    assert list(root.iterdir()) == []


def test_what_was_handed_over_counts_once_though_its_file_could_not_be_removed_at_first(root, inbox):
    async def story():
        async with running(root, inbox) as spool:
            spool.keep(report(1))
            await until(lambda: not spool.waiting)
            away = root.rename(root.with_name("away"))
            with suppress(FileNotFoundError):
                spool._forget_what_is_handed_over()
            away.rename(root)
            spool.keep(report(2))
            await until(lambda: spool.waiting <= 0)
            return spool.waiting

    waiting = asyncio.run(story())

    assert numbers(inbox) == [1, 2]
    assert waiting == 0


def test_an_end_hands_over_and_leaves_its_files_to_the_next_process_if_they_cannot_be_removed(
    root, inbox, caplog, monkeypatch
):
    def refuse(path, **_named):
        raise OSError(errno.EIO, "the disk refuses", str(path))

    async def story():
        async with running(root, inbox) as spool:
            spool.keep(report(1))
            monkeypatch.setattr(Path, "unlink", refuse)

    asyncio.run(story())
    monkeypatch.undo()

    assert numbers(inbox) == [1]
    assert events(caplog) == ["spool_not_removed"]
    hand_over(root, inbox)
    assert list(root.iterdir()) == []


def events(caplog):
    return [record.event for record in caplog.records if hasattr(record, "event")]


def left_by_a_dead_process(root, inbox, *, reports):
    async def story():
        inbox.is_away = True
        async with running(root, inbox) as spool:
            for number in range(reports):
                spool.keep(report(number))
        inbox.is_away = False

    asyncio.run(story())


def hand_over(root, inbox, *keys, until_set_aside=False):
    def is_done():
        left = files(root)
        return all(path.suffix == ".damaged" for path in left) if until_set_aside and left else not left

    async def story():
        async with running(root, inbox, *keys):
            await until(is_done)

    asyncio.run(story())


@pytest.mark.parametrize("cut", range(1, 30))
def test_records_are_read_as_far_as_they_were_written(cut):
    whole = framed(b"one") + framed(b"two" * 9)

    found = [record for record, _ in records_of(whole[:-cut])]

    assert found == [b"one"]


def test_a_changed_record_ends_what_is_read():
    content = bytearray(framed(b"one") + framed(b"two"))
    content[9] ^= 1

    assert list(records_of(bytes(content))) == []


def framed(record):
    return len(record).to_bytes(4, "big") + zlib.crc32(record).to_bytes(4, "big") + record

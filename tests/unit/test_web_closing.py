"""A web process that ends: each of its connections is closed, whatever the others do."""

import asyncio

import pytest

from entrypoints.bootstrap import Backend
from entrypoints.settings import Settings
from entrypoints.web.bootstrap import Web

PARTS = ("_spool", "_intake", "_bell", "_directory", "_rate_limit", "_presence", "_pool")


class Part:
    def __init__(self, name, closed, *, fails):
        self._name = name
        self._closed = closed
        self._fails = fails

    async def close(self):
        self.close_now()

    def close_now(self):
        self._closed.append(self._name)
        if self._fails:
            raise OSError(f"{self._name} fails")


@pytest.mark.parametrize("failing", [*PARTS, "ring_listener"])
def test_a_part_that_fails_to_close_leaves_no_other_open(tmp_path, failing):
    closed = []

    def part(name):
        made = Part(name, closed, fails=name == failing)
        if name == "_bell":
            made.close = made.close_now
        return made

    backend = Backend(Settings(data_dir=tmp_path, public_url="https://pulse.example.com"))
    vars(backend).update(ring_listener=part("ring_listener"), close=lambda: closed.append("backend"))
    web = Web(backend)
    vars(web).update({name: part(name) for name in PARTS})

    with pytest.raises(OSError, match=f"{failing} fails"):
        asyncio.run(web._close())

    assert sorted(closed) == sorted([*PARTS, "ring_listener", "backend"])
    assert (closed[0], closed[-1]) == ("_spool", "backend")

"""Readiness is told in time, whatever a dependency does."""

import asyncio

from entrypoints.web import health


class SilentServer:
    """Its driver goes on waiting when it is asked to stop, as psycopg does when it cancels a statement."""

    name = "postgresql"

    def __init__(self):
        self.given_up = asyncio.Event()

    async def check(self):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await self.given_up.wait()
            raise


def test_a_server_that_says_nothing_is_away_without_waiting_for_its_driver(monkeypatch):
    monkeypatch.setattr(health, "PATIENCE_S", 0.01)

    async def story():
        server = SilentServer()
        asyncio.get_running_loop().call_later(5, server.given_up.set)
        answer = await health._answers(server)
        return answer, server.given_up.is_set()

    assert asyncio.run(story()) == (False, False)

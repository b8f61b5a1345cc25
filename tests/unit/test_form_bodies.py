import asyncio

import pytest
from litestar.exceptions import InternalServerException

from entrypoints.web.pages.form_bodies import form_of
from entrypoints.web.webhook_bodies import BodyTooSlowError, ClientGoneError


class Stalled:
    async def form(self):
        await asyncio.Event().wait()


class BrokenOff:
    async def form(self):
        raise InternalServerException("the client disconnected prematurely")


def test_a_form_that_stops_coming_is_given_up():
    with pytest.raises(BodyTooSlowError, match=r"did not arrive within 0\.01 s"):
        asyncio.run(form_of(Stalled(), patience_s=0.01))


def test_a_form_that_is_broken_off_is_no_mistake_of_ours():
    with pytest.raises(ClientGoneError):
        asyncio.run(form_of(BrokenOff()))

"""Who has a page open is told what happens, by the stream that the page listens to."""

import http.client
import json
import queue
import socket
import threading
from contextlib import suppress
from urllib.parse import quote

import pytest
from pytest_bdd import given, parsers, then, when

from tests.bdd.recruiting_team import candidate_id
from tests.bdd.tables import rows_of

PATIENCE_S = 30.0
QUIET_S = 1.0
MOST_RETURNS = 5


class RefusedError(Exception):
    """No stream for this token."""


class OpenPage:
    """Listens as the page does, in a thread of its own."""

    def __init__(self, port, token, session_id):
        self.session_id = session_id
        self._port = port
        self._token = token
        self._last = ""
        self._connection = None
        self.told = queue.Queue()
        self.come_back()

    def come_back(self):
        headers = {"Authorization": f"Bearer {self._token}"} | ({"Last-Event-ID": self._last} if self._last else {})
        if self._connection:
            self._connection.close()
        self._connection = http.client.HTTPConnection("127.0.0.1", self._port)
        self._connection.request("GET", "/api/v1/notifications/stream", headers=headers)
        self._socket = self._connection.sock
        answer = self._connection.getresponse()
        if answer.status != http.client.OK:
            code = json.loads(answer.read())["code"]
            self._connection.close()
            raise RefusedError(code)
        self._thread = threading.Thread(target=self._listen, args=[answer])
        self._thread.start()

    def break_off(self):
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._connection.close()

    def _listen(self, answer):
        with suppress(OSError, http.client.HTTPException):
            while line := answer.readline():
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "id":
                    self._last = value
                elif name == "data":
                    self.told.put(json.loads(value))
        answer.close()
        self.told.put(None)


@pytest.fixture
def open_pages():
    pages = {}
    yield pages
    for page in pages.values():
        page.break_off()


@given(parsers.re("(?P<users>.+) (?:has|have) a page open"))
def have_a_page_open(scene, open_pages, users):
    for user in users.split(" and "):
        session = scene.team.session_of(user, "recruiter")
        open_pages[user] = OpenPage(scene.service.port, session["token"], session["session_id"])


@when(parsers.parse("the connection of {user} breaks"))
def connection_breaks(open_pages, user):
    open_pages[user].break_off()
    assert open_pages[user].told.get(timeout=PATIENCE_S) is None


@when(parsers.parse("{user} comes back"))
def comes_back(scene, open_pages, user):
    scene.settle()
    open_pages[user].come_back()


@when(parsers.parse("the access of {user} is withdrawn"))
def access_is_withdrawn(scene, open_pages, user):
    answer = scene.service.delete(f"/user-sessions/{open_pages[user].session_id}", token=scene.team.api_key)
    assert answer.status_code == http.client.NO_CONTENT, answer.text


@then(parsers.parse("{user} is told at once:"))
def is_told(open_pages, user, datatable):
    for row in rows_of(datatable):
        told = open_pages[user].told.get(timeout=PATIENCE_S)
        assert told is not None, "the stream ended"
        seen = {"what": told["title"], "about": told["text"], "leads to": told["url"]}
        assert seen == row | {"leads to": f"/candidates/{quote(candidate_id(row['leads to']))}"}


@then(parsers.parse("{user} is told nothing"))
def is_told_nothing(open_pages, user):
    with pytest.raises(queue.Empty):
        open_pages[user].told.get(timeout=QUIET_S)


@then(parsers.parse("the page of {user} is told to sign in again"))
def is_told_to_sign_in(open_pages, user):
    assert open_pages[user].told.get(timeout=PATIENCE_S) is None, "the stream ends"
    with pytest.raises(RefusedError, match="invalid_token"):
        come_back_until_refused(open_pages[user])


def come_back_until_refused(page):
    for _ in range(MOST_RETURNS):  # within seconds: what a process knows of a token it knows for two
        page.come_back()
        page.told.get(timeout=PATIENCE_S)

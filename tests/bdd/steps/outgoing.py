"""The team's own software, which listens for what the team is told; an admin looks after it by the settings pages."""

import re
from html import unescape
from urllib.parse import quote

import httpx
import pytest
from pytest_bdd import given, parsers, then, when

from tests.bdd.recruiting_team import candidate_id
from tests.bdd.steps import pages
from tests.bdd.tables import rows_of
from tests.bdd.waiting import eventually
from tests.support.receivers import Receiver, status

PATH = "/settings/outgoing"
PATIENCE_S = 60.0
SECRET = re.compile(r"<pre[^>]*>(whsec_[^<]+)</pre>")
CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


class Host:
    """The host application, and the admin who registered it."""

    def __init__(self, scene, receiver, elsewhere):
        self.receiver = receiver
        self.elsewhere = elsewhere
        self.secrets = []
        self.path = ""
        self._client = pages._client(scene)
        pages._sign_in(scene, self._client, "an admin")

    def close(self):
        self._client.close()

    def page(self, path=""):
        return unescape(self._client.get(path or self.path).text)

    def send(self, path, **fields):
        csrf = CSRF.search(self._client.get(PATH).text)[1]
        return self._client.post(path, data={"csrf": csrf, **fields})

    def register(self):
        self.take_secret(self.send(PATH, url=f"{self.receiver.url}/mailpulse", kind_open="yes").text)
        self.path = re.search(rf'href="({PATH}/[0-9a-f-]{{36}})"', self.page(PATH))[1]

    def take_secret(self, html):
        self.secrets.append(unescape(SECRET.search(html)[1]))

    def got(self, count):
        assert self.receiver.gets(count, within_s=PATIENCE_S), f"{len(self.receiver.received)} of {count} came"
        return self.receiver.received


@pytest.fixture
def host(scene):
    with Receiver() as receiver, Receiver() as elsewhere:
        host = Host(scene, receiver, elsewhere)
        yield host
        host.close()


@given("an admin has registered the host application on the settings page")
def registered(host):
    host.register()


@given("the host application fails once")
def fails_once(host):
    host.receiver.answer = lambda *_: 500 if len(host.receiver.received) == 1 else 200


@given("the host application redirects to another address")
def redirects(host):
    host.receiver.answer = status(308, location=host.elsewhere.url)


@given("the host application says that it is gone")
def is_gone(host):
    host.receiver.answer = lambda *_: 410


@when("an admin sends a test")
def sends_a_test(host):
    assert "on its way" in host.send(f"{host.path}/test").text


@when("an admin renews the secret")
def renews_the_secret(host):
    host.take_secret(host.send(f"{host.path}/secrets").text)


@when(parsers.parse("an admin registers the address {address}"))
def registers(host, scene, address):
    scene.landed = host.send(PATH, url=address)


@then("the host application is told, with the team's signature:")
def is_told(host, datatable):
    expected = rows_of(datatable)
    told = [request.verified(host.secrets[-1])["data"] for request in host.got(len(expected))]
    found = [
        {"what": one["title"], "about": one["text"], "for": one["user_id"], "leads to": one["url"]} for one in told
    ]
    assert found == [row | {"leads to": f"/candidates/{quote(candidate_id(row['leads to']))}"} for row in expected]


@then("it is told nothing else")
def is_told_nothing_else(host, scene):
    scene.settle("notifications")
    log = re.findall(r"msg_[0-9a-f]{32}_\d+", host.page())
    assert len(set(log)) == len(host.receiver.received) == 1


@then("the host application is told twice, under the same id")
def is_told_twice(host):
    first, second = host.got(2)
    assert first.id == second.id
    assert first.verified(host.secrets[-1])["data"] == second.verified(host.secrets[-1])["data"]


@then("the host application gets a test, with the team's signature")
def gets_a_test(host):
    (request,) = host.got(1)
    assert request.verified(host.secrets[-1])["type"] == "test"


@then("the host application's old secret proves it as well")
def old_secret_proves_it(host):
    assert len(set(host.secrets)) == 2
    assert host.receiver.received[0].verified(host.secrets[0])


@then(parsers.parse('the settings page says "{words}"'))
def the_page_says(host, words):
    eventually(f"the page says {words}", host.page, lambda html: words in html, PATIENCE_S)


@then("nothing arrived at the other address")
def nothing_elsewhere(host):
    assert host.elsewhere.received == []


@then(parsers.parse("the settings page refuses it: {why}"))
def refuses(host, scene, why):
    assert scene.landed.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert why in unescape(scene.landed.text)
    assert "Nothing is sent anywhere" in host.page(PATH)

"""An instrumented email, sent through a real SMTP server and read in a real browser; and readers in an outage."""

import email
import http.client
import os
import re
import signal
import smtplib
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from entrypoints.client import InstrumentingFailedError, instrument, instrument_message
from tests.support.mail_reader import AGENT, INSTALL, Pages, browser_paths, reader
from tests.support.processes import eventually
from tests.support.running_service import POSTGRES, RunningService, free_port

pytestmark = pytest.mark.timeout(240)
TARGET = "/interviews/42?day=1&who=J%C3%BCrgen#slots"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with RunningService(tmp_path_factory.mktemp("mailpulse")) as running:
        yield running


@pytest.fixture(scope="module")
def api_key(service):
    return service.command("org", "create", "Acme")["api_key"]


@pytest.fixture
def pages():
    with Pages() as pages:
        yield pages


def registration(message_id):
    return {
        "provider": "email",
        "message_id": message_id,
        "sent_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
        "subject": "Interview Invitation",
        "recipient": {"id": "c-1", "email": "john@example.com", "name": "John Smith"},
        "sender": {"id": "r-7", "name": "Ada Recruiter"},
    }


def invitation(target):
    message = EmailMessage()
    message["Subject"] = "Interview Invitation"
    message["From"] = "Ada Recruiter <ada@example.com>"
    message["To"] = "John Smith <john@example.com>"
    message.set_content(f"Choose a time: {target}\n")
    message.add_alternative(
        f'<html><body><p>Dear Jürgen, <a id="choose" href="{target.replace("&", "&amp;")}">choose a <b>time</b></a>.'
        '</p><p><a id="leave" href="{{unsubscribe_url}}">No more of these</a></p></body></html>',
        subtype="html",
    )
    return message


class Mailbox:
    """Keeps mails as they were on the wire: aiosmtpd's own handlers write headers anew."""

    def __init__(self):
        self.received = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.received.append(envelope.original_content)
        return "250 OK"


@contextmanager
def smtp_server():
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield mailbox, controller.port
    finally:
        controller.stop()


def events_of(service, email_id, api_key):
    status, answer = service.get(f"/api/v1/emails/{email_id}/events?include=automated", api_key)
    assert status == http.client.OK
    return answer["items"]


@pytest.mark.skipif(browser_paths() is None, reason=INSTALL)
def test_pixel_click_and_unsubscription_of_a_mail_in_a_browser_arrive_as_events(service, api_key, pages, tmp_path):
    message_id = f"{uuid4()}@mail.example.com"
    message = invitation(pages.url + TARGET)
    instrumented = instrument_message(
        message, registration(message_id), service_url=f"http://127.0.0.1:{service.port}", api_key=api_key
    )
    with smtp_server() as (mailbox, port), smtplib.SMTP("127.0.0.1", port) as server:
        server.send_message(message)
    [on_the_wire] = mailbox.received
    mail = email.message_from_bytes(on_the_wire, policy=default)
    pages.contents["/mail"] = mail.get_body(("html",)).get_content()
    pages.contents["/interviews/42"] = "<title>Choose a slot</title>"

    with reader(tmp_path / "profile") as browser:
        browser.get(f"{pages.url}/mail")
        browser.find_element(By.ID, "choose").click()
        WebDriverWait(browser, 30).until(lambda it: it.title == "Choose a slot")
        landed_at = browser.current_url
        browser.get(mail["List-Unsubscribe"].strip("<>"))
        browser.find_element(By.TAG_NAME, "button").click()
        WebDriverWait(browser, 30).until(lambda it: it.title == "You are unsubscribed")
        cookies = browser.get_cookies()

    assert landed_at == pages.url + TARGET
    assert (mail["Message-ID"], mail["List-Unsubscribe-Post"]) == (f"<{message_id}>", "List-Unsubscribe=One-Click")
    assert b"\r\nList-Unsubscribe: <http://127.0.0.1:" in on_the_wire
    assert cookies == []
    assert eventually(lambda: len(events_of(service, instrumented.email_id, api_key)) >= 3, 20)
    events = {event["event_type"]: event for event in events_of(service, instrumented.email_id, api_key)}
    assert set(events) == {"open", "click", "unsubscribe"}
    assert (events["open"]["verdict"], events["click"]["verdict"]) == ("human", "human")
    assert events["open"]["user_agent"] == AGENT
    assert events["click"]["url"] == pages.url + TARGET
    assert events["click"]["event_data"]["link_text"] == "choose a time"
    assert events["click"]["event_data"]["link_position"] == "1"


def test_a_link_in_the_plain_text_part_leads_where_its_author_meant(service, api_key):
    answer = instrument(
        registration(f"{uuid4()}@mail.example.com"),
        text="See https://a.example/jobs/3.",
        service_url=f"http://127.0.0.1:{service.port}",
        api_key=api_key,
    )

    status, headers, _ = ask(service, "GET", path_of("c", answer.text))

    assert (status, headers["location"]) == (http.client.FOUND, "https://a.example/jobs/3")


@pytest.mark.parametrize(
    "difference, status",
    [({"api_key": "mp_key_wrong"}, 401), ({"html": "x" * 1_000_001}, 422), ({"service_url": "http://127.0.0.1:9"}, 0)],
)
def test_the_client_says_why_it_could_not_instrument(service, api_key, difference, status):
    arguments = {"html": "x", "service_url": f"http://127.0.0.1:{service.port}", "api_key": api_key} | difference

    with pytest.raises(InstrumentingFailedError) as failure:
        instrument(registration("m-1"), **arguments)

    assert failure.value.status == status
    assert failure.value.detail


# The last one: it kills the service.


def test_readers_are_served_without_the_database_and_after_kill_9_each_of_them_is_counted_once(service, api_key):
    answer = instrument(
        registration(f"{uuid4()}@mail.example.com"),
        html='<a href="https://a.example/jobs/3">x</a>',
        service_url=f"http://127.0.0.1:{service.port}",
        api_key=api_key,
    )
    pixel, link = path_of("o", answer.html), path_of("c", answer.html)
    unsubscribe = path_of("u", answer.headers["List-Unsubscribe"])

    silenced = [process.pid for process in service.all_processes() if POSTGRES in " ".join(process.cmdline())]
    for pid in silenced:
        os.kill(pid, signal.SIGSTOP)
    pixels = [ask(service, "GET", pixel) for _ in range(20)]
    redirect = ask(service, "GET", link)
    unsubscription = ask(service, "POST", unsubscribe, b"List-Unsubscribe=One-Click")
    service.kill()
    service.start()

    assert silenced
    assert {status for status, *_ in pixels} == {http.client.OK}
    assert {body[:6] for *_, body in pixels} == {b"GIF89a"}
    assert (redirect[0], redirect[1]["location"]) == (http.client.FOUND, "https://a.example/jobs/3")
    assert unsubscription[0] == http.client.OK
    assert eventually(lambda: len(events_of(service, answer.email_id, api_key)) >= 22, 30)
    kinds = sorted(event["event_type"] for event in events_of(service, answer.email_id, api_key))
    assert kinds == ["click", *["open"] * 20, "unsubscribe"]


def path_of(kind, document):
    return re.search(rf"/t/{kind}/[A-Za-z0-9_-]+", document)[0]


def ask(service, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    try:
        connection.request(method, path, body, {"user-agent": AGENT})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()

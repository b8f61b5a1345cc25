"""AF-3, UI-3: one signed report of a provider, and the toast of it in the sender's browser."""

import json
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from tests.support.chromium import PROGRAM, Chromium
from tests.support.running_service import RunningService
from tests.support.signed_deliveries import SendGridSigner

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:124.0) Gecko/20100101 Firefox/124.0"


def test_a_report_of_the_provider_is_a_toast_in_the_browser_of_who_sent_the_email(tmp_path):
    signer = SendGridSigner()
    email = {
        "provider": "sendgrid",
        "message_id": "m-1",
        "sent_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
        "subject": "Interview Invitation",
        "recipient": {"id": "c-1", "email": "john@example.com", "name": "John Smith"},
        "sender": {"id": "r-1"},
    }
    opened = {
        "event": "open",
        "email": "john@example.com",
        "timestamp": int(time.time()),
        "sg_message_id": "m-1.filter0001",
        "sg_event_id": uuid4().hex,
        "useragent": FIREFOX,
        "ip": "198.51.100.7",
    }
    with RunningService(tmp_path / "service") as service, Chromium(tmp_path / "profile") as browser:
        acme = service.command("org", "create", "Acme")
        words = ("webhook", "add", "sendgrid", "--org", acme["organization_id"], "--key", signer.key)
        path = service.command(*words)["path"]
        service.register([email], acme["api_key"])
        _, session = service.post("/api/v1/user-sessions", {"user_id": "r-1", "role": "recruiter"}, acme["api_key"])
        browser.go(session["url"])
        browser.run("document.querySelector('form').submit()")
        assert browser.comes("document.querySelector('a.bell') !== null")

        headers, body = signer.sign(json.dumps([opened]).encode(), now=datetime.now(UTC))
        url = f"http://127.0.0.1:{service.port}{path}"
        assert httpx.post(url, content=body, headers=headers).status_code == httpx.codes.OK

        assert browser.comes("document.querySelector('#toasts .toast') !== null")
        assert (
            browser.run("document.querySelector('#toasts .title').textContent") == "John Smith just opened your email"
        )
        browser.run("document.querySelector('#toasts a').click()")
        assert browser.comes("location.pathname === '/candidates/c-1'")

"""The receiver of docs/outgoing_webhooks.md, as it stands there, in a process of its own."""

import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.processes import eventually
from tests.support.receivers import PATIENCE_S
from tests.support.running_service import free_port

GUIDE = Path(__file__).parents[3] / "docs" / "outgoing_webhooks.md"


@pytest.fixture
def run_receiver(tmp_path):
    """Starts the guide's receiver with a secret; gives its port and the file it prints to."""
    [program] = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    (tmp_path / "receiver.py").write_text(program)
    running = []

    def run(secret, port):
        printed = tmp_path / f"{port}.txt"
        with printed.open("w") as output:
            command = [sys.executable, str(tmp_path / "receiver.py"), str(port)]
            running.append(subprocess.Popen(command, env={"WEBHOOK_SECRET": secret}, stdout=output, stderr=output))
        assert eventually(lambda: _answers(port), PATIENCE_S)
        return printed

    yield run
    for process in running:
        process.kill()
        process.wait()


def _answers(port):
    try:
        return httpx.post(f"http://127.0.0.1:{port}/", content=b"forged").status_code == httpx.codes.UNAUTHORIZED
    except httpx.TransportError:
        return False


def test_the_receiver_of_the_guide_takes_what_is_genuine_once_and_nothing_else(team, start, run_receiver):
    port = free_port()
    webhook = team.register(f"http://127.0.0.1:{port}/")
    printed = run_receiver(webhook.secret, port)
    team.tell()
    team.webhooks.test(team.id, webhook.webhook.webhook_id)

    start()

    assert team.comes_to(webhook, "delivered", "delivered")
    first = team.log(webhook)[-1]
    team.webhooks.retry(team.id, webhook.webhook.webhook_id, first["id"])
    assert eventually(lambda: len(team.outcomes(webhook)) == 3, PATIENCE_S)
    assert set(team.outcomes(webhook)) == {"delivered"}
    assert sorted(printed.read_text().splitlines()) == ["notification John Smith just opened your email", "test "]


def test_the_receiver_of_the_guide_refuses_another_secret(team, start, run_receiver):
    port = free_port()
    webhook = team.register(f"http://127.0.0.1:{port}/")
    printed = run_receiver("whsec_" + "B" * 32, port)
    team.tell()

    start()

    assert eventually(lambda: team.outcomes(webhook)[:1] == ["refused"], PATIENCE_S)
    assert printed.read_text() == ""

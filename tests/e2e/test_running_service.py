"""The service that end-to-end tests run on: what does not start is stopped, and says why."""

import pytest

from tests.support import running_service
from tests.support.processes import eventually, processes_around
from tests.support.running_service import RunningService


class NeverReady(RunningService):
    """Everything runs, and nobody finds it ready."""

    def is_ready(self):
        assert eventually(lambda: "Mailpulse is ready" in self.last_words())
        return False


def test_a_service_that_is_not_ready_in_time_is_stopped_and_its_log_is_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(running_service, "START_WITHIN_S", 0.0)

    with pytest.raises(TimeoutError, match=r"(?s)not ready after 0 s: .*Mailpulse is ready at"):
        NeverReady(tmp_path / "var").start()

    assert processes_around(tmp_path) == []


def test_a_service_that_ends_at_once_says_why(tmp_path):
    service = RunningService(tmp_path / "var", {"MAILPULSE_PUBLIC_URL": "https://example.com/mail"})

    with pytest.raises(ChildProcessError, match=r"(?s)ended with [1-9]: .*MAILPULSE_PUBLIC_URL has the path '/mail'"):
        service.start()

    assert processes_around(tmp_path) == []

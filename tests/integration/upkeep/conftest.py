"""An installation that an operator looks after: a migrated database, a Redis, a data directory, and the commands."""

import json
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from entrypoints.cli import cli
from tests.support.core import SECRET_KEY, item, registration
from tests.support.core_fixtures import database_url, lone_core, template_url
from tests.support.emails import minutes
from tests.support.servers import started_servers

__all__ = ["database_url", "lone_core", "template_url"]


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    output: str
    error: BaseException | None

    @property
    def json(self):
        return json.loads(self.output)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory):
    return started_servers(tmp_path_factory.mktemp("servers"))[1]


@pytest.fixture
def installation(lone_core, redis_url, tmp_path, monkeypatch):
    """Settings as the environment has them, and the core on the same database, with the real time on its clock."""
    monkeypatch.setenv("MAILPULSE_DATABASE_URL", lone_core.database_url)
    monkeypatch.setenv("MAILPULSE_REDIS_URL", redis_url)
    monkeypatch.setenv("MAILPULSE_SECRET_KEYS", SECRET_KEY)
    monkeypatch.setenv("MAILPULSE_DATA_DIR", str(tmp_path))
    lone_core.now = None
    return lone_core


@pytest.fixture
def mailpulse(installation):
    """Run ``mailpulse WORDS``."""

    def mailpulse(*words):
        ended = CliRunner().invoke(cli, words)
        error = None if isinstance(ended.exception, SystemExit) else ended.exception
        return Ended(ended.exit_code, ended.stdout, error)

    return mailpulse


@pytest.fixture
def recorded(installation):
    """Have an email and an open of it recorded, minutes ago, and taken in by nobody."""

    def recorded(minutes_ago=0, message_id="m-1"):
        then = datetime.now(UTC) - minutes(minutes_ago)
        installation.now = then
        installation.register(registration(message_id, sent_at=then - minutes(5)))
        installation.receive(item("open", then, message_id), received_at=then)
        installation.drain()
        installation.now = None

    return recorded

"""A running web process with organisations to look at: one with every kind of page, one without anything, a crowd."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import psycopg

from application.ports.access_tokens import Role, TokenKind
from application.ports.parked_reports import FailedReport, Orphan
from application.tokens import hash_of, new_token
from domain.commands import RecordOpen
from domain.email_facts import Clicked, Opened, Replied
from entrypoints.bootstrap import Backend
from entrypoints.secret_keys import Secret
from entrypoints.settings import Settings
from tests.support.announcer import Announcer
from tests.support.outgoing import insert_deliveries
from tests.support.query_world import NAMED_JOB, OURS, THEIRS, Story, hours, project, told
from tests.support.web_process import SECRET, Web

CROWD, NOTHING = UUID(int=0xF1), UUID(int=0xF2)
CROWD_SIZE = 60
UNMEASURED = "c-4"
HOSTILE = 'c-<i>&"/ü ' + "x" * 60
HOSTILE_SUBJECT = "W" * 150 + " <script>document.title = 'taken over'</script>"
HOSTILE_LINK = f"https://example.com/{'very-long-' * 30}?<b>"
READER = "r-1"


class PageWorld:
    """Everything that pages show, and a way in for everybody.

    Args:
        directory: For the web process.
        database_url: Of an empty database.
        redis_url: Where its streams listen.
    """

    def __init__(self, directory, database_url, redis_url):
        self.now = datetime.now(UTC)
        self._database_url = database_url
        self._announcer = Announcer(database_url, redis_url)
        _fill(database_url, redis_url, directory, self.now)
        with psycopg.connect(database_url) as connection:
            self._admins = {one: _admin_of(one, connection) for one in (OURS, THEIRS, CROWD, NOTHING)}
        self._web = Web(directory, database_url, redis_url)
        self.url = self._web.url
        with self._announcer:
            self._announcer.tell(OURS, READER, 2, ring=False)

    def log_deliveries(self, webhook, gone):
        """Fill the log of one outgoing webhook, which fails, and have the receiver of another be gone."""
        with psycopg.connect(self._database_url) as connection:
            insert_deliveries(connection, OURS, webhook)
            long_ago = self.now - hours(3)
            connection.execute("UPDATE ops.outgoing_webhooks SET created_at = %s", (long_ago,))
            connection.execute(
                "UPDATE ops.outgoing_webhooks SET switched_off_at = %s, switched_off_because = 'gone' WHERE id = %s",
                (long_ago, gone),
            )

    def close(self):
        self._web.kill()

    def link(self, role=Role.ADMIN, organization=OURS, user_id=READER):
        """Give a link that signs somebody in once."""
        words = {"user_id": user_id, "role": role.value, "name": "Ada"}
        return self.api("POST", "/user-sessions", organization, json=words)["url"]

    def session(self, role=Role.ADMIN, organization=OURS, user_id=READER):
        """Give the cookie's value of somebody who has signed in."""
        code = httpx.URL(self.link(role, organization, user_id)).params["code"]
        return httpx.post(f"{self.url}/login", data={"code": code}).cookies["mailpulse"]

    def api(self, method, path, organization=OURS, **more):
        """Ask the API as an administrator."""
        headers = {"authorization": f"Bearer {self._admins[organization]}"}
        answer = httpx.request(method, f"{self.url}/api/v1{path}", headers=headers, timeout=60, **more)
        answer.raise_for_status()
        return answer.json()


def _fill(database_url, redis_url, directory, now):
    settings = Settings(
        database_url=database_url,
        redis_url=redis_url,
        data_dir=directory,
        public_url="http://127.0.0.1:1",
        secret_keys=(Secret(SECRET),),
    )
    backend = Backend(settings)
    backend.migrate()
    with backend._units.begin() as unit:
        unit.parked.park_orphans([_orphan(now)])
        unit.parked.park_failures([_failure(now)])
    backend.close()
    project(database_url, [*told(now), *_hostile(now), *_crowd(now)], now)


def _admin_of(organization, connection):
    token = new_token(TokenKind.USER_TOKEN)
    connection.execute("INSERT INTO ops.organizations (id, name) VALUES (%s, %s)", (organization, str(organization)))
    connection.execute(
        "INSERT INTO ops.access_tokens (id, organization_id, kind, token_hash, role, user_id)"
        " VALUES (%s, %s, 'user_token', %s, 'admin', 'a-1')",
        (uuid4(), organization, hash_of(token)),
    )
    return token


def _hostile(now):
    story = Story(2_000_000_000, now)
    address = "hostile@example.com"
    story.sent("hostile", to=HOSTILE, address=address, job=NAMED_JOB, ago=hours(8), subject=HOSTILE_SUBJECT)
    story.happened("hostile", Opened, ago=hours(7))
    story.happened("hostile", Clicked, ago=hours(6), url=HOSTILE_LINK, link_text="<b>bold</b>")
    story.happened("hostile", Replied, ago=hours(5))
    return story.logged


def _crowd(now):
    story = Story(3_000_000_000, now)
    for number in range(CROWD_SIZE):
        story.sent(f"crowd {number}", to=f"c-{number}", job=None, campaign=None, organization=CROWD, ago=hours(number))
    return story.logged


def _orphan(now):
    report = RecordOpen(message_id="nobody", recipient="n@example.com", occurred_at=now)
    return Orphan(**_arrived(now), email_id=uuid4(), report=report)


def _failure(now):
    return FailedReport(**_arrived(now), reason="event_type: is no word", message_id="m" * 120, headers={}, body=b"[1]")


def _arrived(now):
    return {
        "organization_id": OURS,
        "endpoint_id": uuid4(),
        "provider": "email",
        "delivery_id": 1,
        "received_at": now,
    }

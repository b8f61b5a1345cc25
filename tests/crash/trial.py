"""One trial: an organisation, a story that is told to it under load, misfortunes, and the comparison in the end."""

import http.client
import time
from collections.abc import Callable
from uuid import uuid4

import msgspec
import psycopg

from adapters.postgres.event_codec import FactMapper
from adapters.postgres.unit_of_work import BODIES_PURPOSE
from adapters.secrets import SecretBox
from domain.email_facts import Opened
from entrypoints.secret_keys import kept_secret_keys
from tests.crash.comparison import Account, differences, wait_until_all_is_visible
from tests.crash.oracle import truth_of
from tests.crash.provider import Providers
from tests.crash.story import GENERIC, SENDGRID, Post, Story
from tests.support.processes import eventually
from tests.support.running_service import RunningService
from tests.support.signed_deliveries import SIGNERS

REGISTERED_LATE = 10
"""Of so many emails one is registered only after much was reported about it."""


class Trial:
    """An organisation of a running service, two endpoints and a story; use as a context.

    Args:
        service: Ready; what misfortunes happen to.

    Attributes:
        providers: Posts from `under_load` on.
    """

    def __init__(self, service: RunningService, *, emails: int = 300, seed: int = 558):
        self.service = service
        self.story = Story(emails, seed)
        self.account = Account("", "")
        self.paths: dict[str, str] = {}
        self.providers: Providers | None = None

    def __enter__(self):
        created = self.service.command("org", "create", "Trial")
        self.account = Account(created["organization_id"], created["api_key"])
        for provider in (SENDGRID, GENERIC):
            words = ("webhook", "add", provider, "--org", self.account.organization_id, "--key", SIGNERS[provider].key)
            self.paths[provider] = self.service.command(*words)["path"]
        self._register(lambda email: email % REGISTERED_LATE != 0)
        return self

    def __exit__(self, *_):
        if self.providers:
            self.providers.__exit__()

    def under_load(self) -> "Trial":
        """Begin to tell the story."""
        self.providers = Providers(lambda: self.service.port, self.paths, self.story.next_post).__enter__()
        self._until_acknowledged(50)
        return self

    def go_on_for(self, reports: int = 200) -> None:
        """Return when so many more reports were acknowledged: whatever happened is behind us."""
        self._until_acknowledged(len(self.providers.acknowledged) + reports)

    def register_the_others(self) -> None:
        """Register the emails about which reports are waiting."""
        self._register(lambda email: email % REGISTERED_LATE == 0)

    def tell_the_rest(self) -> None:
        """Return when nothing new happens and all that did is acknowledged and visible."""
        self.register_the_others()
        self.providers.finish()
        wait_until_all_is_visible(self.service, self.account.organization_id)

    def faults(self) -> list[str]:
        """Wait until all is visible, and give what is wrong; see `differences`."""
        wait_until_all_is_visible(self.service, self.account.organization_id)
        return differences(self.service, self.account, truth_of(self.providers.acknowledged, self.story))

    def kill(self, kind: str) -> None:
        """Kill -9 a process and return when another does its work."""
        old = self.service.processes()[kind]
        old.kill()
        replaced = eventually(lambda: self._is_replaced(kind, old.pid), 30.0)
        if not replaced or not eventually(self.service.is_ready, 30.0):
            raise TimeoutError(f"{kind} did not come back: {self.service.last_words()}")

    def _is_replaced(self, kind: str, pid: int) -> bool:
        now = self.service.processes().get(kind)
        return now is not None and now.pid != pid

    def _register(self, wanted: Callable[[int], bool]) -> None:
        emails = [self.story.registration(email) for email in range(self.story.emails) if wanted(email)]
        deadline = time.monotonic() + 30
        while True:
            try:
                status, answer = self.service.post("/api/v1/emails", {"emails": emails}, self.account.api_key)
            except (OSError, http.client.HTTPException) as error:
                status, answer = 0, {"error": type(error).__name__}
            if status == http.client.CREATED:
                break
            if time.monotonic() > deadline:
                raise TimeoutError(f"the emails are not registered: {status} {answer}")
            time.sleep(0.2)

    def _until_acknowledged(self, reports: int) -> None:
        if not eventually(lambda: len(self.providers.acknowledged) >= reports, 60.0):
            raise TimeoutError(f"nothing is acknowledged any more; answers {dict(self.providers.answers)}")

    # --- deliberate faults, to see that the comparison notices them ---

    def inject_loss(self) -> None:
        """Have a report acknowledged, and take it out of the inbox behind the service's back."""
        report = self.story.fresh_open()
        secret_keys = [key.reveal() for key in kept_secret_keys(self.service.data_dir)]
        bodies = SecretBox(secret_keys, purpose=BODIES_PURPOSE)
        worker = self.service.processes()["worker"]
        worker.suspend()
        try:
            answer = self.providers.post(Post(SENDGRID, (report,)))
            if answer.status != http.client.OK:
                raise AssertionError(f"the report to lose is not acknowledged: {answer}")
            with psycopg.connect(self.service.database_url) as connection:
                waiting = connection.execute("SELECT id, body FROM ops.webhook_inbox").fetchall()
                name = f'"{report.event_id}"'.encode()
                lost = [id_ for id_, body in waiting if name in bodies.open(body)]
                connection.execute("DELETE FROM ops.webhook_inbox WHERE id = ANY(%s)", (lost,))
                if len(lost) != 1:
                    raise AssertionError("the report to lose is not in the inbox")
        finally:
            worker.resume()

    def inject_duplicate(self) -> None:
        """Store an open a second time, as another, behind the service's back."""
        mapper = FactMapper()
        with psycopg.connect(self.service.database_url) as connection:
            email_id, state = connection.execute(
                "SELECT originator_id, state FROM events.stored_events WHERE topic = %s"
                " ORDER BY notification_id DESC LIMIT 1",
                (Opened.TOPIC,),
            ).fetchone()
            again = msgspec.structs.replace(mapper.decode(Opened.TOPIC, state), key=uuid4())
            connection.execute(
                "INSERT INTO events.stored_events (originator_id, originator_version, topic, state)"
                " SELECT originator_id, max(originator_version) + 1, %s, %s FROM events.stored_events"
                " WHERE originator_id = %s GROUP BY originator_id",
                (Opened.TOPIC, mapper.encode(again), email_id),
            )

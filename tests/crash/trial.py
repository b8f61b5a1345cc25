"""One trial: a service, a story that is told to it under load, misfortunes, and the comparison in the end."""

import http.client
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import uuid4

import msgspec
import psycopg

from adapters.postgres.event_codec import FactMapper
from domain.email_facts import Opened
from tests.crash.comparison import differences, wait_until_all_is_visible
from tests.crash.oracle import truth_of
from tests.crash.provider import Providers
from tests.crash.story import GENERIC, SENDGRID, Post, Story
from tests.support.processes import eventually
from tests.support.running_service import RunningService
from tests.support.signed_deliveries import SIGNERS

REGISTERED_LATE = 10
"""Of so many emails one is registered only after much was reported about it."""


class Trial:
    """A running service with two endpoints and a story; use as a context.

    Attributes:
        service: What misfortunes happen to.
        providers: Posts from `under_load` on.
    """

    def __init__(
        self, directory: Path, *, emails: int = 300, seed: int = 558, settings: Mapping[str, str] | None = None
    ):
        self.service = RunningService(directory / "var", settings)
        self.story = Story(emails, seed)
        self.api_key = ""
        self.paths: dict[str, str] = {}
        self.providers: Providers | None = None

    def __enter__(self):
        self.service.start()
        try:
            self._set_up()
        except BaseException:
            self.service.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.providers:
            self.providers.__exit__()
        self.service.__exit__()

    def _set_up(self) -> None:
        created = self.service.command("org", "create", "Trial")
        self.api_key = created["api_key"]
        for provider in (SENDGRID, GENERIC):
            words = ("webhook", "add", provider, "--org", created["organization_id"], "--key", SIGNERS[provider].key)
            self.paths[provider] = self.service.command(*words)["path"]
        self._register(lambda email: email % REGISTERED_LATE != 0)

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
        wait_until_all_is_visible(self.service)

    def faults(self) -> list[str]:
        """Wait until all is visible, and give what is wrong; see `differences`."""
        wait_until_all_is_visible(self.service)
        truth = truth_of(self.providers.acknowledged, self.story.emails, self.story.campaigns)
        return differences(self.service, self.api_key, truth)

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
                status, answer = self.service.post("/api/v1/emails", {"emails": emails}, self.api_key)
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
        worker = self.service.processes()["worker"]
        worker.suspend()
        try:
            self.providers.post(Post(SENDGRID, (report,)))
            with psycopg.connect(self.service.database_url) as connection:
                lost = connection.execute(
                    "DELETE FROM ops.webhook_inbox WHERE position(%s::bytea IN body) > 0",
                    (f'"{report.event_id}"'.encode(),),
                )
                if lost.rowcount != 1:
                    raise AssertionError("the report to lose is not in the inbox")
        finally:
            worker.resume()

    def inject_duplicate(self) -> None:
        """Store an open a second time, as another, behind the service's back."""
        mapper = FactMapper()
        with psycopg.connect(self.service.database_url) as connection:
            email_id, state = connection.execute(
                "SELECT originator_id, state FROM events.stored_events WHERE topic = %s LIMIT 1",
                (Opened.TOPIC,),
            ).fetchone()
            again = msgspec.structs.replace(mapper.decode(Opened.TOPIC, state), key=uuid4())
            connection.execute(
                "INSERT INTO events.stored_events (originator_id, originator_version, topic, state)"
                " SELECT originator_id, max(originator_version) + 1, %s, %s FROM events.stored_events"
                " WHERE originator_id = %s GROUP BY originator_id",
                (Opened.TOPIC, mapper.encode(again), email_id),
            )

"""The whole service under load: an organisation, registered emails and a SendGrid endpoint on ``mailpulse up``."""

import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg

from tests.benchmarks.figures import BenchmarkFailedError
from tests.benchmarks.load import http_post, write_requests
from tests.benchmarks.own_process import cpu_seconds
from tests.benchmarks.plan import Plan
from tests.benchmarks.traffic import Traffic
from tests.support.running_service import RunningService, peak_memory_mb
from tests.support.signed_deliveries import SendGridSigner

UNLIMITED = 2**31 - 1
_IS_QUIET = """
SELECT NOT EXISTS (SELECT FROM ops.webhook_inbox)
    AND (SELECT min(position) FROM ops.read_models) >= (SELECT max(notification_id) FROM events.stored_events)
"""


class Subject:
    """A running service that knows some emails.

    Args:
        service: Ready.
    """

    def __init__(self, service: RunningService):
        self.service = service
        self._signer = SendGridSigner()
        created = service.command("org", "create", "Benchmark")
        self.api_key, self.organization_id = created["api_key"], created["organization_id"]
        words = ("webhook", "add", "sendgrid", "--org", created["organization_id"], "--key", self._signer.key)
        self.path = service.command(*words, "--rate-limit", str(UNLIMITED))["path"]

    def write_posts(self, path: Path, bodies: Iterable[bytes]) -> int:
        """Write signed posts for the load generator."""
        return write_requests(path, (http_post(self.path, *self._signed(body)) for body in bodies))

    def signed_post(self, body: bytes) -> bytes:
        """Give one signed post, as it goes over the wire."""
        return http_post(self.path, *self._signed(body))

    def _signed(self, body: bytes) -> tuple[dict[str, str], bytes]:
        return self._signer.sign(body, now=datetime.now(UTC))

    def settle(self) -> None:
        """Wait until nothing is under way, and have statistics and a checkpoint behind us."""
        self.wait_until_quiet()
        with psycopg.connect(self.service.database_url, autocommit=True) as connection:
            connection.execute("ANALYZE")
            connection.execute("CHECKPOINT")

    def wait_until_quiet(self, within_s: float = 180.0) -> None:
        """Return when all that was acknowledged is in every read model."""
        deadline = time.monotonic() + within_s
        with psycopg.connect(self.service.database_url, autocommit=True) as connection:
            while not connection.execute(_IS_QUIET).fetchone()[0]:
                if time.monotonic() > deadline:
                    raise BenchmarkFailedError(f"after {within_s:g} s not everything is in the read models")
                time.sleep(0.02)

    def shown_by_api(self, traffic: Traffic) -> dict[str, int]:
        """Ask the API what became of the emails: emails delivered, and clicks of all kinds."""
        shown = {"delivered": 0, "clicks": 0}
        for campaign in traffic.campaigns:
            status, metrics = self.service.get(f"/api/v1/campaigns/{campaign}/engagement", self.api_key)
            if status != 200:
                raise BenchmarkFailedError(f"the campaign's metrics are not to be had: {status} {metrics}")
            shown["delivered"] += metrics["delivered"]
            shown["clicks"] += metrics["total_clicks"] + metrics["scanner_clicks"]
        return shown

    def events_shown(self) -> int:
        """Count what is in the event tables, human and automated, implied opens left out."""
        with psycopg.connect(self.service.database_url) as connection:
            (shown,) = connection.execute(
                "SELECT (SELECT count(*) FROM email_engagement_events WHERE id > 0)"
                " + (SELECT count(*) FROM automated_engagement)"
            ).fetchone()
            return int(shown)

    def cpu_seconds(self) -> dict[str, float]:
        """Give the CPU seconds so far of each kind of process, with those below it."""
        return {kind: cpu_seconds(process) for kind, process in self.service.processes().items()}

    def peak_memory(self) -> tuple[float, str]:
        """Give the largest of the peaks of all processes and whose it is."""
        peaks = []
        for process in self.service.all_processes():
            try:
                peaks.append((peak_memory_mb(process), " ".join(process.cmdline())[-40:]))
            except psutil.Error:
                continue
        return max(peaks)


@contextmanager
def running_subject(plan: Plan, **settings: str) -> Iterator[Subject]:
    """Start the service on fresh data, with settings beside the plan's, and stop it in the end."""
    with tempfile.TemporaryDirectory(dir=plan.directory) as directory:
        Path(directory).chmod(0o755)  # the embedded PostgreSQL runs as another account
        with RunningService(Path(directory) / "var", plan.service_settings | settings) as service:
            yield Subject(service)

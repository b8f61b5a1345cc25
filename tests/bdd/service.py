"""The whole service as its clients meet it: ``mailpulse up``, the API, the providers' door, the analyst's tables."""

import json
import os
import secrets
import subprocess
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import psycopg
from prometheus_client.parser import text_string_to_metric_families
from psycopg.rows import dict_row

from tests.bdd.waiting import eventually
from tests.support.canaries import log_files_under, scan
from tests.support.processes import eventually as comes_true
from tests.support.processes import python
from tests.support.running_service import RunningService
from tests.support.servers import fresh_database
from tests.support.signed_deliveries import CERTIFICATE_URL, certificate

OPERATOR_TOKEN = secrets.token_urlsafe(32)
ANALYST = "mailpulse_query"
"""The role that row security binds to one organisation."""


@contextmanager
def started_service(directory):
    """Give a running service, on the servers that ``MAILPULSE_TEST_…`` names or on its own."""
    settings = {
        "MAILPULSE_OPERATOR_TOKEN": OPERATOR_TOKEN,
        "MAILPULSE_SECRET_KEYS": secrets.token_urlsafe(32),
        "MAILPULSE_TRUSTED_PROXIES": "127.0.0.1/32",  # so that a scenario can say where a report comes from
        "MAILPULSE_OUTGOING_NETWORKS": "127.0.0.1/32",  # where the host applications of the scenarios are
    }
    if redis_url := os.environ.get("MAILPULSE_TEST_REDIS_URL"):
        settings["MAILPULSE_REDIS_URL"] = redis_url
    _trust_the_certificate_of_the_tests(directory)
    if database_url := os.environ.get("MAILPULSE_TEST_DATABASE_URL"):
        with fresh_database(database_url) as fresh, _up(directory, settings | {"MAILPULSE_DATABASE_URL": fresh}) as up:
            yield up
    else:
        with _up(directory, settings) as up:
            yield up


@contextmanager
def _up(directory, settings):
    with (
        RunningService(directory, settings) as running,
        httpx.Client(timeout=60) as client,
        psycopg.connect(running.database_url, autocommit=True, row_factory=dict_row) as connection,
    ):
        yield Service(running, client, connection)


def _trust_the_certificate_of_the_tests(directory):
    host, name = CERTIFICATE_URL.removeprefix("https://").split("/")
    trusted = directory / "sns-certificates" / host
    trusted.mkdir(parents=True)
    now = datetime.now(UTC)
    pem = certificate(valid_from=now - timedelta(days=1), valid_until=now + timedelta(days=1))
    (trusted / name).write_bytes(pem)


class Service:
    """One running service for all scenarios."""

    def __init__(self, running, client, connection):
        self._running = running
        self._client = client
        self._connection = connection
        self.is_shut = False
        self.port = running.port
        self.base_url = f"http://127.0.0.1:{running.port}"

    # --- as client ---

    def new_organization(self, name):
        answer = self.ask("/organizations", {"name": name}, token=OPERATOR_TOKEN)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return answer.json()

    def ask(self, path, body=None, *, token):
        """Ask the API; a question with a body is a POST."""
        return self._client.request(
            "GET" if body is None else "POST",
            f"{self.base_url}/api/v1{path}",
            headers={"authorization": f"Bearer {token}"},
            json=body,
        )

    def put(self, path, body, *, token):
        return self._client.put(
            f"{self.base_url}/api/v1{path}", headers={"authorization": f"Bearer {token}"}, json=body
        )

    def delete(self, path, *, token):
        return self._client.delete(f"{self.base_url}/api/v1{path}", headers={"authorization": f"Bearer {token}"})

    def command(self, *words):
        """Run ``mailpulse …`` as the operator does, and give what it prints."""
        command = python("-m", "entrypoints.cli", *words)
        done = subprocess.run(
            command, env=self._running.environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, f"mailpulse {' '.join(words)} failed: {done.stderr}"
        return done.stdout

    # --- as provider ---

    def deliver(self, path, headers, body, *, sender=None):
        """Post a delivery; `sender` is the address that the proxy in front saw."""
        forwarded = {"x-forwarded-for": sender} if sender else {}
        return self._client.post(self.base_url + path, content=body, headers={**headers, **forwarded})

    # --- as reader ---

    def visit(self, method, url, headers, data=None):
        """Ask for a link of an email, and follow nothing."""
        return self._client.request(method, url, headers=headers, data=data, follow_redirects=False)

    # --- as onlooker ---

    def settle(self, organization_id, read_models=("engagement",)):
        """Return when all that was acknowledged for an organisation shows in what these read models answer."""
        eventually(
            "the acknowledged reports are worked off",
            lambda: self.inbox(organization_id),
            lambda waiting: not waiting,
        )
        (newest,) = self._rows("SELECT coalesce(max(notification_id), 0) AS place FROM events.stored_events")
        eventually(
            f"the read models know event {newest['place']}",
            lambda: self._rows("SELECT name, position FROM ops.read_models WHERE name = ANY(%s)", list(read_models)),
            lambda found: (
                len(found) == len(read_models) and all(model["position"] >= newest["place"] for model in found)
            ),
        )

    def analyse(self, organization_id, query, parameters=None):
        """Run a query as an analyst of one organisation does."""
        with self._connection.transaction():
            self._connection.execute(
                "SELECT set_config('role', %s, true), set_config('mailpulse.organization_id', %s, true)",
                (ANALYST, organization_id),
            )
            return self._connection.execute(query, parameters).fetchall()

    def places_that_hold(self, text):
        """Name the tables in which a text stands, also as bytes of a column."""
        tables = self._rows(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables"
            " WHERE schemaname IN ('public', 'ops', 'events')"
        )
        return [
            table["name"]
            for table in tables
            if self._rows(
                f"SELECT FROM {table['name']} t WHERE strpos(t::text, %s) > 0 OR strpos(t::text, %s) > 0 LIMIT 1",
                text,
                text.encode().hex(),
            )
        ]

    def counted(self, name, **labels):
        """Sum up one of the operator's metrics over all series with these labels."""
        families = text_string_to_metric_families(self._client.get(self.base_url + "/metrics").text)
        samples = [sample for family in families for sample in family.samples if sample.name == name]
        return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())

    def logged(self, event, **fields):
        """Whether the service's log has (or gets) a line about an event with these fields."""
        return comes_true(lambda: any(_says(line, event, fields) for line in self._log_lines()))

    @contextmanager
    def unable_to_write(self, table):
        """Keep everybody from writing to a table, as an outage does."""
        with psycopg.connect(self._running.database_url) as other:
            other.execute(f"LOCK TABLE {table} IN SHARE MODE")
            self.is_shut = True
            try:
                yield
            finally:
                self.is_shut = False
                other.rollback()

    def tries_in_vain(self, table):
        """Return when somebody has waited for a table, shut by `unable_to_write`, and given up."""
        waiting = (
            "SELECT pid, waitstart FROM pg_locks WHERE waitstart IS NOT NULL AND relation = %s::regclass"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        seen = eventually(f"somebody waits for {table}", lambda: self._rows(waiting, table), bool)
        eventually(
            f"who waited for {table} gives up",
            lambda: self._rows(waiting, table),
            lambda now: not any(waiter in now for waiter in seen),
        )

    def kinds_of_events(self, organization_id, email_id):
        """Give the topics of an email's events, and of what people said to the team meanwhile, in their order."""
        query = (
            "SELECT topic FROM events.stored_events WHERE originator_id = %s OR originator_id IN"
            " (SELECT addressee_id FROM ops.tracking_consents WHERE organization_id = %s) ORDER BY notification_id"
        )
        return [row["topic"] for row in self._rows(query, email_id, organization_id)]

    def facts_of(self, email_id):
        """Give what is stored about an email, as it is stored."""
        query = "SELECT topic, state FROM events.stored_events WHERE originator_id = %s ORDER BY originator_version"
        return [(row["topic"], msgspec.msgpack.decode(row["state"])) for row in self._rows(query, email_id)]

    def traces_of(self, canary):
        """Look for somebody made up in everything that is stored and logged."""
        return scan(
            canary,
            database_url=self._running.database_url,
            redis_url=self._running.redis_url,
            log_files=log_files_under(self._running.data_dir),
        )

    def set_aside(self):
        """Give the events that a read model could not take in, of all organisations."""
        return self._rows("SELECT read_model, notification_id, error FROM ops.poison_events ORDER BY 1, 2")

    def facts_about(self, email_id):
        """Count what the event store holds of one email."""
        query = "SELECT count(*) AS facts FROM events.stored_events WHERE originator_id = %s"
        return self._rows(query, email_id)[0]["facts"]

    def inbox(self, organization_id):
        """Give the deliveries that were acknowledged for an organisation and not worked off yet."""
        query = "SELECT id, attempts, last_error FROM ops.webhook_inbox WHERE organization_id = %s"
        return self._rows(query, organization_id)

    def _rows(self, query, *parameters):
        return self._connection.execute(query, parameters).fetchall()

    def _log_lines(self):
        return self._running.log_file.read_text().splitlines()


def _says(line, event, fields):
    if not line.startswith("{"):
        return False
    said = json.loads(line)
    return said.get("event") == event and all(said.get(name) == value for name, value in fields.items())

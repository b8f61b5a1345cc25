"""One signed report of a provider, and what the host application gets of it; workers die, people are erased."""

import http.client
from datetime import UTC, datetime, timedelta

import msgspec
import psycopg
import pytest

from tests.support.canaries import Canary, log_files_under, scan
from tests.support.processes import eventually
from tests.support.receivers import PATIENCE_S, Receiver
from tests.support.running_service import RunningService
from tests.support.signed_deliveries import SIGNERS

pytestmark = pytest.mark.timeout(600)
SIGNER = SIGNERS["email"]
HOOKS = "/api/v1/outgoing-webhooks"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:124.0) Gecko/20100101 Firefox/124.0"
WAITS = (
    "SELECT FROM pg_locks WHERE NOT granted AND relation = 'ops.outgoing_attempts'::regclass"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class Team:
    """An organisation that sends by a system of its own."""

    def __init__(self, service, name):
        self.service = service
        created = service.command("org", "create", name)
        self.api_key, organization_id = created["api_key"], created["organization_id"]
        added = service.command("webhook", "add", "email", "--org", organization_id, "--key", SIGNER.key)
        self._path = added["path"]

    def webhook(self, url):
        status, made = self.ask("POST", HOOKS, {"url": url})
        assert status == http.client.CREATED, made
        return made["webhook"]["webhook_id"], made["secret"]

    def write_to(self, message_id, address="john@example.com", name="John Smith", subject="Interview Invitation"):
        email = {
            "provider": "email",
            "message_id": message_id,
            "sent_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
            "subject": subject,
            "recipient": {"id": f"c-{message_id}", "email": address, "name": name},
            "sender": {"id": "r-7", "name": "Ada"},
        }
        self.service.register([email], self.api_key)

    def opened(self, message_id, address="john@example.com"):
        report = {
            "event_type": "open",
            "message_id": message_id,
            "recipient": address,
            "timestamp": datetime.now(UTC).isoformat(),
            "user_agent": FIREFOX,
            "ip_address": "198.51.100.7",
        }
        headers, body = SIGNER.sign(msgspec.json.encode([report]), now=datetime.now(UTC))
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=10)
        connection.request("POST", self._path, body, headers | {"content-type": "application/json"})
        assert connection.getresponse().status == http.client.OK
        connection.close()

    def log(self, webhook_id):
        return self.ask("GET", f"{HOOKS}/{webhook_id}/deliveries")[1]["items"]

    def ask(self, method, path, body=None):
        content = None if body is None else msgspec.json.encode(body)
        return self.service._ask(method, path, content, self.api_key, 30.0)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    settings = {"MAILPULSE_OUTGOING_NETWORKS": "127.0.0.1/32"}
    with RunningService(tmp_path_factory.mktemp("service"), settings) as service:
        yield service


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


def test_a_report_of_the_provider_is_a_signed_delivery_to_the_host_application(service, receiver):
    team = Team(service, "Acme")
    webhook_id, secret = team.webhook(f"{receiver.url}/mailpulse")
    team.write_to("m-1")

    team.opened("m-1")

    assert receiver.gets(1)
    content = receiver.received[0].verified(secret)
    assert (content["type"], content["data"]["user_id"], content["data"]["kind"]) == ("notification", "r-7", "open")
    assert content["data"]["title"] == "John Smith just opened your email"
    assert eventually(lambda: [one["status"] for one in team.log(webhook_id)] == ["delivered"], PATIENCE_S)
    status, metrics = service.text("/metrics")
    assert (status, b'mailpulse_outgoing_webhooks{state="on"}' in metrics) == (http.client.OK, True)


def test_a_worker_that_is_killed_between_sending_and_recording_sends_again_under_the_same_id(service, receiver):
    team = Team(service, "Bolt")
    webhook_id, secret = team.webhook(receiver.url)
    team.write_to("m-2")
    with psycopg.connect(service.database_url) as connection:
        connection.execute("LOCK TABLE ops.outgoing_attempts IN SHARE MODE")
        with psycopg.connect(service.database_url, autocommit=True) as onlooker:
            team.opened("m-2")
            assert receiver.gets(1)
            assert eventually(lambda: onlooker.execute(WAITS).fetchall(), PATIENCE_S), "it was answered, and records"
            service.processes()["worker"].kill()

    assert receiver.gets(2, within_s=300.0)  # when the dead worker's lease is over

    first, second = receiver.received[:2]
    assert first.id == second.id
    assert first.verified(secret)["data"]["id"] == second.verified(secret)["data"]["id"]
    assert eventually(lambda: [one["status"] for one in team.log(webhook_id)] == ["delivered"], PATIENCE_S)
    (delivery,) = team.log(webhook_id)
    assert [attempt["outcome"] for attempt in delivery["attempts"]] == ["delivered"], "the first was never recorded"


def test_who_is_erased_leaves_nothing_in_outbox_and_log_and_is_not_told_of_any_more(service, receiver):
    bird = Canary()
    team = Team(service, "Cage")
    receiver.answer = lambda *_: 500
    webhook_id, _ = team.webhook(receiver.url)
    team.write_to("m-3", bird.address, bird.name, bird.subject)
    team.opened("m-3", bird.address)
    assert receiver.gets(1)
    assert bird.name in receiver.received[0].body.decode()
    assert eventually(lambda: any(one["attempts"] for one in team.log(webhook_id)), PATIENCE_S)

    # 202: the tables follow later.
    assert eventually(
        lambda: service.delete(f"/api/v1/recipients/{bird.address}", team.api_key)[0] == http.client.NO_CONTENT, 300.0
    )

    found = scan(
        bird,
        database_url=service.database_url,
        redis_url=service.redis_url,
        log_files=log_files_under(service.data_dir),
    )
    assert found == []
    (delivery,) = team.log(webhook_id)
    retried = team.ask("POST", f"{HOOKS}/{webhook_id}/deliveries/{delivery['id']}/retry")
    assert (retried[0], retried[1]["code"]) == (http.client.CONFLICT, "nothing_to_send")


def test_without_a_setting_nothing_is_sent_to_addresses_that_are_not_public(tmp_path, receiver):
    with RunningService(tmp_path / "service") as service:
        team = Team(service, "Default")
        inside = f"https://localhost:{receiver.port}/"
        status, problem = team.ask("POST", HOOKS, {"url": inside})
        assert (status, problem["code"]) == (http.client.UNPROCESSABLE_ENTITY, "invalid_outgoing_webhook")
        webhook_id, _ = team.webhook("https://ats.example.com/")
        with psycopg.connect(service.database_url) as connection:  # the name came to lead inside
            connection.execute("UPDATE ops.outgoing_webhooks SET url = %s", (inside,))

        assert team.ask("POST", f"{HOOKS}/{webhook_id}/test")[0] == http.client.ACCEPTED

        assert eventually(lambda: any(one["attempts"] for one in team.log(webhook_id)), PATIENCE_S)
        assert team.log(webhook_id)[0]["attempts"][0]["outcome"] == "forbidden_address"
        assert receiver.received == []

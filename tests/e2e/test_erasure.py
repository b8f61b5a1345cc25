"""Nobody who gets at what the service leaves behind learns who was erased (SEC-6): database, Redis and every log."""

import http.client
import re
from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import new
from html import escape
from urllib.parse import quote, quote_plus

import msgspec
import psycopg
import pytest
import redis

from tests.support.canaries import DIGESTS, Canary, log_files_under, scan
from tests.support.processes import eventually
from tests.support.running_service import RunningService
from tests.support.signed_deliveries import SIGNERS

SIGNER = SIGNERS["email"]


def links_that_name(canary):
    """Links that their author wrote somebody's name into, in the ways in which programs do it."""
    name, first, last = canary.name, canary.first_name, canary.last_name
    return [
        (f"https://acme.example/apply?name={quote(name)}", f"Apply now, {name}"),
        (f"https://acme.example/apply?name={quote_plus(name.lower())}&a=1", f"{first.upper()}, apply now"),
        (f"https://acme.example/apply?first={first}&last={quote(last.upper())}#{first.title()}", f"For Ms {last}"),
        (f"https://acme.example/to?next={quote(f'https://acme.example/?n={quote(name)}', safe='')}", "Go on"),
        (f"https://acme.example/people/{quote(first)}-{quote(last)}/slots", f"{last.upper()}, {first}"),
        (f"https://acme.example/?who={first}.{last}&to={quote_plus(canary.address)}", canary.address.title()),
        (f"https://acme.example/?n={first}&e={_base64(canary.address)}", f"Dear {first.title()}{last.title()}:"),
        (f"https://acme.example/show{first.title()}{quote(last.title())}Profile", f"{last.title()}Profile"),
        (f"https://acme.example/{first}?d={_base64(msgspec.json.encode({'e': canary.address, 'n': canary.name}))}", ""),
        (
            f"https://xn--{f'{first}-{last}'.encode('punycode').decode()}.example/?n={first}",
            canary.address.encode().hex(),
        ),
        *((f"https://acme.example/?n={first}&h={_digest(name, canary.address)}", name) for name in DIGESTS),
    ]


def _base64(text):
    return urlsafe_b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def _digest(name, text):
    return new(name, text.encode()).hexdigest()


class Setting:
    """A service with an organisation, an endpoint, and people who were written to."""

    def __init__(self, service):
        self.service = service
        created = service.command("org", "create", "Acme")
        self.api_key, self.organization_id = created["api_key"], created["organization_id"]
        added = service.command("webhook", "add", "email", "--org", self.organization_id, "--key", SIGNER.key)
        self.path = added["path"]

    def register(self, canary, message_id):
        email = {
            "provider": "email",
            "message_id": message_id,
            "sent_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
            "subject": canary.subject,
            "recipient": {"id": f"c-{message_id}", "email": canary.address.upper(), "name": canary.name},
            "sender": {"id": "r-7"},
            "job": {"id": "j-1"},
        }
        status, answer = self.service.post("/api/v1/emails", email, self.api_key)
        assert status == http.client.CREATED
        return answer["email_id"]

    def instrument(self, canary, message_id):
        """Have an email instrumented, and give the paths of its tracked links."""
        links = "".join(f'<a href="{escape(url)}">{escape(text)}</a>' for url, text in links_that_name(canary))
        email = {
            "provider": "email",
            "message_id": message_id,
            "sent_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
            "subject": canary.subject,
            "recipient": {"id": f"c-{message_id}", "email": canary.address, "name": canary.name},
            "sender": {"id": "r-7"},
            "html": links,
        }
        status, answer = self.service.post("/api/v1/emails/instrument", email, self.api_key)
        assert status == http.client.CREATED
        return re.findall(r"/t/c/[^\"]+", answer["html"])

    def follow(self, canary, path):
        """Follow a link, and say where it leads."""
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=30)
        connection.request("GET", path, headers={"user-agent": canary.user_agent})
        answer = connection.getresponse()
        connection.close()
        assert answer.status == http.client.FOUND
        return answer.getheader("location")

    def deliver(self, *reports):
        headers, body = SIGNER.sign(msgspec.json.encode(reports), now=datetime.now(UTC))
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=60)
        connection.request("POST", self.path, body, headers | {"content-type": "application/json"})
        assert connection.getresponse().status == http.client.OK
        connection.close()

    def reports_on(self, canary, message_id, number=0):
        """Everything that a provider could tell about somebody, well said and badly."""
        at = datetime.now(UTC) - timedelta(minutes=30)
        seen = {"ip_address": canary.ip_address, "user_agent": canary.user_agent}

        def report(kind, second, **told):
            moment = (at + timedelta(seconds=second + number)).isoformat()
            return {
                "event_type": kind,
                "message_id": message_id,
                "recipient": canary.address,
                "timestamp": moment,
            } | told

        return [
            report("delivered", 0, metadata={"who": canary.metadata}),
            report("open", 1, **seen, metadata={canary.metadata: canary.address}),
            report("open", 2, ip_address=canary.ip_address, user_agent=f"Barracuda Sentinel {canary.user_agent}"),
            report("click", 3, **seen, url=f"https://acme.example/apply?u={quote(canary.address)}"),
            report("click", 4, **seen, url=f"https://acme.example/?n={quote(quote(canary.address, safe=''))}"),
            report("bounce", 5, bounce_type="soft", reason=f"452 <{canary.address}> mailbox full"),
            report("unsubscribe", 6),
            report("open", 7, message_id=f"unknown-{number}", **seen),
            report("opened-by-magic", 8, **seen),
            report("click", 9, **seen),
            *(
                report("click", 10 + place, **seen, url=url, link_text=text, link_position=str(place))
                for place, (url, text) in enumerate(links_that_name(canary), 1)
            ),
        ]

    def settle(self):
        with psycopg.connect(self.service.database_url, autocommit=True) as connection:
            assert eventually(
                lambda: connection.execute(
                    "SELECT NOT EXISTS (SELECT FROM ops.webhook_inbox) AND (SELECT min(position) FROM ops.read_models)"
                    " >= (SELECT max(notification_id) FROM events.stored_events)"
                ).fetchone()[0],
                30.0,
            )

    def await_clicks(self, message_id, count):
        """Wait until so many were recorded: readers' reports go through a file first."""
        counted = "SELECT click_count + scanner_click_count FROM email_logs WHERE message_id = %s"
        assert eventually(lambda: self.query(counted, message_id) == [(count,)], 60.0)
        self.settle()

    def erase(self, canary, token=None):
        return self.service.delete(f"/api/v1/recipients/{quote(canary.address)}", token or self.api_key)

    def scan(self, canary):
        return scan(
            canary,
            database_url=self.service.database_url,
            redis_url=self.service.redis_url,
            log_files=log_files_under(self.service.data_dir),
        )

    def query(self, sql, *parameters):
        with psycopg.connect(self.service.database_url, autocommit=True) as connection:
            return connection.execute(sql, parameters or None).fetchall()

    def execute(self, sql, *parameters):
        with psycopg.connect(self.service.database_url, autocommit=True) as connection:
            connection.execute(sql, parameters or None)

    def counts(self):
        totals = self.query(
            "SELECT sum(sent), sum(delivered), sum(opened), sum(clicked), sum(total_opens), sum(total_clicks),"
            " sum(bounced), sum(unsubscribed), sum(scanner_clicks), sum(machine_opens) FROM email_totals"
        )
        timeline = self.query("SELECT event_type, count(*) FROM engagement_tracking GROUP BY 1 ORDER BY 1")
        return totals, timeline


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    settings = {"MAILPULSE_LOG_LEVEL": "debug"}
    with RunningService(tmp_path_factory.mktemp("service"), settings) as service:
        yield Setting(service)


def test_a_person_is_findable_before_and_nowhere_after_erasure(setting):
    bird, other = Canary(), Canary()
    setting.register(bird, "m-1")
    setting.register(other, "m-2")
    setting.deliver(*setting.reports_on(bird, "m-1"))
    setting.deliver(*setting.reports_on(other, "m-2"))
    setting.settle()
    counted = setting.counts()

    before = setting.scan(bird)
    assert {hit.kind for hit in before} >= {"address", "name", "subject", "ip_address", "user_agent", "metadata"}
    elsewhere = {hit.where for hit in before if hit.where != "pg_dump" and not hit.where.startswith("public.")}
    assert elsewhere == set(), "only read models say who somebody is: no event, nothing parked, not Redis, no log"

    assert setting.erase(bird) == (http.client.NO_CONTENT, {})

    assert setting.scan(bird) == []
    assert setting.counts() == counted
    assert {hit.kind for hit in setting.scan(other)} >= {"address", "name", "ip_address", "user_agent"}

    rows = setting.query("SELECT t::text FROM engagement_tracking t ORDER BY 1")
    assert setting.service.run("projections", "rebuild").returncode == 0
    assert setting.scan(bird) == []
    assert setting.counts() == counted
    assert setting.query("SELECT t::text FROM engagement_tracking t ORDER BY 1") == rows


def test_reports_that_arrive_during_and_after_erasure_leave_nothing_readable(setting):
    bird = Canary()
    setting.register(bird, "m-3")
    for number in range(40):
        setting.deliver(*setting.reports_on(bird, "m-3", number))
        if number == 20:
            status, _ = setting.erase(bird)
            assert status in {http.client.NO_CONTENT, http.client.ACCEPTED}
    setting.settle()
    setting.erase(bird)

    assert setting.scan(bird) == []
    (opens,) = setting.query("SELECT open_count + machine_open_count FROM email_logs WHERE message_id = 'm-3'")[0]
    assert opens > 20, "they count"


def test_links_that_name_somebody_lead_where_they_did_and_name_nobody_before_and_after_erasure(setting):
    bird = Canary()
    paths = setting.instrument(bird, "m-5")
    targets = [setting.follow(bird, path) for path in paths]
    setting.await_clicks("m-5", len(paths))

    assert len(targets) == len(links_that_name(bird))
    assert all(bird.first_name in target.lower() for target in targets), "readers get where the author meant"
    assert setting.query(
        "SELECT count(*), count(*) FILTER (WHERE url LIKE '%[recipient]%') FROM email_links"
        " WHERE email_log_id = (SELECT id FROM email_logs WHERE message_id = 'm-5')"
    ) == [(len(paths), len(paths))], "each is kept, and names nobody"
    hits = setting.scan(bird)
    assert {hit.where for hit in hits if hit.where != "pg_dump"} <= {
        "public.email_logs",
        "public.engagement_tracking",
        "public.automated_engagement",
        "public.candidate_scores",
        "public.notifications",
    }
    assert setting.erase(bird) == (http.client.NO_CONTENT, {})
    for path in paths:
        setting.follow(bird, path)
    setting.await_clicks("m-5", 2 * len(paths))

    assert setting.scan(bird) == []


def test_in_privacy_mode_nothing_tells_where_somebody_read_and_with_what(setting):
    bird = Canary()
    setting.register(bird, "m-4")
    status, _ = setting.service.put("/api/v1/tracking-policy", {"privacy_mode": True}, setting.api_key)
    assert status == http.client.OK
    try:
        setting.deliver(*setting.reports_on(bird, "m-4"))
        setting.settle()
        hits = setting.scan(bird)
    finally:
        setting.service.put("/api/v1/tracking-policy", {"privacy_mode": False}, setting.api_key)

    ((opens, clicks),) = setting.query(
        "SELECT open_count + machine_open_count, click_count + scanner_click_count FROM email_logs"
        " WHERE message_id = 'm-4'"
    )
    assert opens > 0
    assert clicks > 0
    # Whom the email was sent to is told by its registration, in the row of the email.
    assert {hit.kind for hit in hits} == {"address", "name", "first name", "last name", "subject", "token"}
    assert {hit.where for hit in hits} <= {"pg_dump", "public.email_logs", "public.candidate_scores"}


def test_no_refusal_puts_an_address_into_a_log(setting):
    bird = Canary()
    unsayable = quote(bird.address)
    recruiter = setting.service.command(
        "user", "link", "--org", setting.organization_id, "--user", bird.token, "--role", "recruiter"
    )["token"]

    assert setting.erase(bird, recruiter)[0] == http.client.FORBIDDEN
    assert setting.erase(bird, "nobody's")[0] == http.client.UNAUTHORIZED
    assert setting.erase(bird) == (http.client.NO_CONTENT, {}), "who was never known is as erased"
    setting.service.delete(f"/api/v1/recipients/{unsayable.replace('@', '')}x", setting.api_key)
    setting.service.delete(f"/api/v1/recipients/{bird.token}", setting.api_key)
    setting.service.get(f"/api/v1/recipients/{unsayable}", setting.api_key)
    setting.service.get(f"/nowhere/{unsayable}?who={unsayable}", setting.api_key)
    setting.service.get(f"/api/v1/emails?candidate_id={unsayable}&limit={bird.token}", setting.api_key)
    setting.service.post("/api/v1/emails", {"recipient": bird.address, bird.address: 1}, setting.api_key)
    status, metrics = setting.service.text("/metrics")

    assert status == http.client.OK
    assert list(bird.found_in("metrics", metrics)) == []
    assert {hit.where for hit in setting.scan(bird)} <= {"pg_dump", "ops.access_tokens"}, "the user's id, given above"


@pytest.mark.parametrize(
    "column, value",
    [
        ("text", lambda bird: f"… {bird.address.upper()} …"),
        ("bytea", lambda bird: msgspec.msgpack.encode({"to": bird.address})),
        ("text", lambda bird: b64encode(f"?{bird.name}!".encode()).decode()),
        ("text", lambda bird: quote(bird.address)),
        ("inet", lambda bird: bird.ip_address),
        ("text", lambda bird: bird.user_agent.encode().hex()),
    ],
    ids=["text", "msgpack", "base64", "percent-encoded", "inet", "hexadecimal"],
)
def test_the_scan_finds_a_leak_in_a_table(setting, column, value):
    bird = Canary()
    setting.execute(f"CREATE TABLE ops.leak (what {column})")
    try:
        setting.execute("INSERT INTO ops.leak VALUES (%s)", value(bird))
        hits = setting.scan(bird)
    finally:
        setting.execute("DROP TABLE ops.leak")

    assert {"pg_dump", "ops.leak"} <= {hit.where for hit in hits}
    assert setting.scan(bird) == []


def test_the_scan_finds_a_leak_in_redis_and_in_a_log(setting):
    bird = Canary()
    with redis.Redis.from_url(setting.service.redis_url) as client:
        client.hset("leak", "who", f'{{"to": "{bird.address}"}}')
        try:
            assert "redis leak" in {hit.where for hit in setting.scan(bird)}
        finally:
            client.delete("leak")
    with setting.service.log_file.open("a") as log:
        log.write(f"GET /api/v1/recipients/{quote(bird.address)}\n")

    assert {hit.where for hit in setting.scan(bird)} == {str(setting.service.log_file)}

"""Where there is one of everything, no page says so in the plural."""

import re
from html.parser import HTMLParser
from uuid import UUID

import psycopg
import pytest

from application.ports.parked_reports import Orphan
from domain.commands import RecordOpen
from domain.email_facts import Bounced, Clicked, Opened, Replied
from domain.values import BounceKind, Verdict
from tests.support.query_world import CAMPAIGN, LINK, NOON, Story, email_id, hours, project
from tests.support.signed_deliveries import SIGNERS

TODAY = "from=2026-11-21&to=2026-11-21"
PLURALS = "candidates|clicks|days|deliveries|emails|events|hours|keys|links|opens|points|reports|secrets|times|webhooks"
ONE_AS_MANY = re.compile(rf"\b1 (?:[a-z-]+ ){{0,2}}(?:{PLURALS})\b")


class Words(HTMLParser):
    """What a page says, between single spaces."""

    def __init__(self, html):
        super().__init__()
        self.said = []
        self.feed(html)

    def handle_data(self, data):
        self.said.append(data)

    def __str__(self):
        return " ".join(" ".join(self.said).split())


@pytest.fixture(scope="module")
def lonely(operator, administrator_url, backend, world_as_it_was):
    """The key of an organisation that has one candidate, one email, and one of whatever may happen to it."""
    made = operator.post("/api/v1/organizations", {"name": "One"}).json()
    organization = UUID(made["organization_id"])
    story = Story(7_000_000_000)
    story.sent("only", organization=organization, ago=hours(6))
    told = {"organization": organization}
    story.happened("only", Opened, ago=hours(2), **told)
    story.happened("only", Clicked, ago=hours(2), url=LINK, link_position="1", **told)
    story.happened("only", Opened, ago=hours(3), verdict=Verdict.MACHINE_OPEN, reasons=("burst",), **told)
    story.happened("only", Replied, ago=hours(1), **told)
    story.happened("only", Bounced, ago=hours(1), bounce_kind=BounceKind.SOFT, reason="mailbox full", **told)
    scanned = {"url": LINK, "verdict": Verdict.SCANNER, "reasons": ("burst",)}
    story.happened("only", Clicked, ago=hours(3), link_position="1", **scanned, **told)
    project(administrator_url, story.logged)
    orphan = Orphan(
        organization_id=organization,
        endpoint_id=UUID(int=1),
        provider="email",
        delivery_id=1,
        received_at=NOON,
        email_id=UUID(int=2),
        report=RecordOpen(message_id="nobody", recipient="n@example.com", occurred_at=NOON),
    )
    with backend._units.begin() as unit:
        unit.parked.park_orphans([orphan])
    yield organization, made["api_key"]
    with psycopg.connect(administrator_url) as connection:
        connection.execute("DELETE FROM ops.parked_reports")


@pytest.fixture
def owner(lonely, with_token):
    return with_token(lonely[1])


@pytest.fixture
def reads(lonely, owner, browser):
    """Gives the words of a page, or of the answer to a form."""
    browser.sign_in(owner.post("/api/v1/user-sessions", {"user_id": "r-1", "role": "admin"}).json()["url"])

    def reads(path, **form):
        answer = browser.post(path, {"csrf": browser.csrf(), **form}) if form else browser.get(path)
        assert answer.status_code == 200, answer.text
        return str(Words(answer.text))

    return reads


def test_figures_of_one_email_are_told_in_the_singular(reads, lonely):
    said = {
        f"/?{TODAY}": ("1 of 1 tracked email", "1 automatic open left out", "with the 1 day before"),
        f"/?{TODAY}&basis=activity&include=automated": (
            "1 email opened, 1 sent",
            "1 email clicked",
            "1 of 1 opened email",
            "1 email answered",
            "1 email bounced",
            "1 automatic open counted too",
        ),
        f"/campaigns/{CAMPAIGN}": ("Of 1 tracked email.", "1 automatic open and 1 click by scanners are left out"),
        f"/campaigns/{CAMPAIGN}?include=automated": ("1 automatic open, 1 click by scanners",),
        "/candidates": ("followed 1 link",),
        "/candidates/c-1": ("1 automatic open and 1 click by scanners are left out",),
    }

    for path, phrases in said.items():
        words = reads(path)
        assert [phrase for phrase in phrases if phrase not in words] == [], path
        assert ONE_AS_MANY.findall(words) == [], path


def test_what_waits_or_is_set_up_once_is_told_in_the_singular(reads, owner, lonely):
    endpoint = owner.post("/api/v1/webhook-endpoints", {"provider": "email", "keys": [SIGNERS["email"].key]}).json()
    hook = owner.post("/api/v1/outgoing-webhooks", {"url": "https://ats.example.com/"}).json()["webhook"]["webhook_id"]
    owner.post(f"/api/v1/outgoing-webhooks/{hook}/test")
    said = {
        "/reports": "1 report waits",
        "/reports?status=orphaned": "1 orphaned report waits",
        "/reports?retried=1.0.0.0.0": "1 is still to be tried",
        "/settings/webhooks": f"1 key: {endpoint['key_fingerprints'][0]}",
        f"/settings/outgoing/{hook}": "1 waiting; signed with 1 secret:",
        f"/settings/outgoing/{hook}/remove": "1 waiting delivery included",
    }

    for path, phrase in said.items():
        words = reads(path)
        assert phrase in words, path
        assert ONE_AS_MANY.findall(words) == [], path


def test_keeping_emails_for_one_day_is_asked_about_in_the_singular(reads):
    fields = {"consent_mode": "opt_out", "ip_handling": "keep", "retention_days": "1"}

    words = reads("/settings/tracking", **fields)

    for phrase in ("Keep emails for 1 day only?", "more than 1 day ago", "Delete what is older than 1 day"):
        assert phrase in words
    assert ONE_AS_MANY.findall(words) == []


def test_one_candidate_of_another_level_is_offered_as_one(browser, with_token, lonely, operator, administrator_url):
    made = operator.post("/api/v1/organizations", {"name": "Still one"}).json()
    story = Story(8_000_000_000)
    story.sent("single", organization=UUID(made["organization_id"]))
    project(administrator_url, story.logged)
    session = {"user_id": "r-1", "role": "recruiter"}
    browser.sign_in(with_token(made["api_key"]).post("/api/v1/user-sessions", session).json()["url"])

    assert "Show the one candidate" in browser.get("/candidates?level=hot").text


def test_an_email_with_one_automatic_event_says_so(reads, lonely, administrator_url):
    story = Story(9_000_000_000)
    story.sent("fetched", organization=lonely[0], campaign=UUID(int=2), to="c-3")
    story.happened("fetched", Opened, organization=lonely[0], verdict=Verdict.MACHINE_OPEN, reasons=("burst",))
    project(administrator_url, story.logged)

    assert "1 automatic event, left out of all counts" in reads(f"/emails/{email_id('fetched', lonely[0])}")

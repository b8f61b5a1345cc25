"""What holds for every page: everybody can use it on any screen; it is quiet, stays in place and loads nothing else."""

from urllib.parse import quote
from uuid import UUID

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from application.ports.access_tokens import Role
from entrypoints.web.pages.routes import page_routes
from tests.support.page_world import HOSTILE, NOTHING, UNMEASURED
from tests.support.query_world import CAMPAIGN, NAMED_JOB, UNTRACKED_CAMPAIGN, email_id
from tests.support.signed_deliveries import SIGNERS

NOBODY = UUID(int=0)
PAGES = {
    "/": [
        "/",
        f"/?job_id={NAMED_JOB}",
        "/?from=2020-01-01&to=2020-01-31",
        "/?basis=activity&include=automated",
        "/?tile=reply_rate",
        "/?from=2024-11-01&to=2026-11-30",
        "/?basis=activity&from=2020-01-01&to=2020-01-31",
    ],
    "/jobs": ["/jobs", f"/jobs?q=title&job_id={NAMED_JOB}", "/jobs?q=nothing+is+called+so"],
    "/templates": ["/templates?from=2026-01-01&to=2026-01-31"],
    "/candidates": [
        "/candidates",
        "/candidates?level=cold",
        "/candidates?level=warm",  # nobody is
        "/candidates?include=automated",
    ],
    "/candidates/{candidate_id:str}": [f"/candidates/{quote(one, safe='')}" for one in ("c-1", UNMEASURED, HOSTILE)],
    "/emails": ["/emails", f"/emails?job_id={NAMED_JOB}"],
    "/emails/{email_id:uuid}": [f"/emails/{email_id(name)}" for name in ("named", "untracked", "hostile")],
    "/campaigns/{campaign_id:uuid}": [
        f"/campaigns/{CAMPAIGN}",
        f"/campaigns/{CAMPAIGN}?by=url",
        f"/campaigns/{UNTRACKED_CAMPAIGN}",
    ],
    "/notifications": ["/notifications", "/notifications?unread=true"],
    "/reports": ["/reports", "/reports?status=failed", "/reports?retried=1.1.0.0.0"],
    "/settings": [],
    "/settings/tracking": ["/settings/tracking"],
    "/settings/notifications": ["/settings/notifications?saved=1"],
    "/settings/keys": ["/settings/keys"],
    "/settings/keys/{key_id:uuid}/revoke": ["/settings/keys/{key}/revoke"],
    "/settings/webhooks": ["/settings/webhooks"],
    "/settings/webhooks/{endpoint_id:uuid}/close": ["/settings/webhooks/{endpoint}/close"],
    "/settings/webhooks/{endpoint_id:uuid}/keys/{fingerprint:str}/remove": [
        "/settings/webhooks/{endpoint}/keys/{fingerprint}/remove"
    ],
    "/settings/outgoing": ["/settings/outgoing"],
    "/settings/outgoing/{webhook_id:uuid}": [
        "/settings/outgoing/{webhook}",
        "/settings/outgoing/{webhook}?notice=asked",
        "/settings/outgoing/{webhook}?status=dropped",
        "/settings/outgoing/{gone}",
    ],
    "/settings/outgoing/{webhook_id:uuid}/remove": ["/settings/outgoing/{webhook}/remove"],
    "/help": ["/help"],
}
FOR_STRANGERS = {"/login": ["/login", "/login?code=used"]}
OF_AN_EMPTY_ORGANIZATION = [
    "/",
    "/?basis=activity",
    "/candidates",
    "/emails",
    "/jobs",
    "/notifications",
    "/reports",
    *PAGES["/settings/webhooks"],
]
OF_AN_EMPTY_ORGANIZATION += PAGES["/settings/outgoing"]
LOOKS = [(width, dark) for width in (1280, 360) for dark in (False, True)]

VIOLATIONS = """axe.run(%s).then(found => found.violations.flatMap(
    rule => rule.nodes.map(node => rule.id + ': ' + node.target + ' ' + node.failureSummary)))"""
PLACES = "JSON.stringify([...document.querySelectorAll('main a, #notices')].map(one => one.getBoundingClientRect()))"
MOVED = """new Promise(tell => { let moved = 0;
    new PerformanceObserver(list => { for (const one of list.getEntries()) moved += one.value; })
        .observe({ type: 'layout-shift', buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => tell(moved))); })"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LOADED = "performance.getEntriesByType('resource').map(one => new URL(one.name).origin === location.origin)"
EVERY_RULE, RULES_OF_COLOUR = "{}", "{ runOnly: ['cat.color'] }"
CHARTS_ARE_DRAWN = """[...document.querySelectorAll('figure[data-chart]')].every(one => one.matches('.is-drawn')
    && one.querySelector('svg'))"""
OPEN_ALL = "for (const one of document.querySelectorAll('details')) one.open = true"


def test_the_pages_below_are_all_there_are():
    routes = [route for router in page_routes() for route in router.routes]
    shown = {route.path for route in routes if "GET" in route.methods}

    assert shown - {"/assets/{version:str}/{name:str}"} == {*PAGES, *FOR_STRANGERS}


@pytest.fixture(scope="module")
def made(world):
    """A key, an endpoint and outgoing webhooks with a log, which have pages of their own."""
    world.api("POST", "/api-keys", json={"name": "ATS"})
    keys = [SIGNERS["email"].key, SIGNERS["email"].other_key]
    world.api("POST", "/webhook-endpoints", json={"provider": "email"})
    endpoint = world.api("POST", "/webhook-endpoints", json={"provider": "email", "keys": keys})
    key = world.api("GET", "/api-keys")["items"][0]
    webhook, gone = [
        world.api("POST", "/outgoing-webhooks", json={"url": f"https://ats.example.com/{'very-long-' * 30}{number}"})
        for number in range(2)
    ]
    world.api("POST", f"/outgoing-webhooks/{webhook['webhook']['webhook_id']}/secrets", json={})
    webhooks = {"webhook": webhook["webhook"]["webhook_id"], "gone": gone["webhook"]["webhook_id"]}
    world.log_deliveries(**webhooks)
    fingerprint = endpoint["key_fingerprints"][0]
    return {"key": key["api_key_id"], "endpoint": endpoint["endpoint_id"], "fingerprint": fingerprint, **webhooks}


@pytest.mark.parametrize("path", [path for paths in PAGES.values() for path in paths])
def test_a_page_is_for_everybody(path, visitor, made):
    assert_for_everybody(visitor, path.format(**made))


@pytest.mark.parametrize("path", OF_AN_EMPTY_ORGANIZATION)
def test_a_page_without_anything_to_show_is_for_everybody(path, visit):
    assert_for_everybody(visit(Role.ADMIN, NOTHING), path)


@pytest.mark.parametrize("path", FOR_STRANGERS["/login"])
def test_signing_in_is_for_everybody(path, stranger):
    assert_for_everybody(stranger, path)


@pytest.mark.parametrize("path", [f"/emails/{NOBODY}", "/?from=2026-05-02&to=2026-05-01", "/?tz=Nowhere"])
def test_a_page_that_says_what_is_wrong_is_for_everybody(path, visitor):
    assert_for_everybody(visitor, path)
    (complaint,) = visitor.complaints()
    assert "the server responded with a status of 4" in complaint


def test_toasts_and_the_open_bell_are_for_everybody(visitor):
    visitor.browser.look_like(width=1280, reduced_motion=True)  # else colours are on their way
    visitor.go("/notifications")
    visitor.run("""
        const toast = document.getElementById('toast').content.firstElementChild.cloneNode(true);
        toast.querySelector('.title').textContent = 'John Smith just opened your email';
        document.getElementById('toasts').append(toast);
        document.querySelector('a.bell').click();
    """)
    assert visitor.comes("document.querySelectorAll('#bell-panel .notices li').length === 2")

    assert violations(visitor) == []


@pytest.mark.parametrize("width", sorted({width for width, _ in LOOKS}))
def test_nothing_moves_when_it_turns_out_whether_the_browser_has_to_be_asked(visitor, width):
    visitor.browser.look_like(width=width, reduced_motion=True)
    visitor.go("/notifications")

    before = visitor.run(PLACES)
    visitor.run("document.querySelectorAll('main [data-ask]').forEach(one => one.toggleAttribute('hidden'))")

    assert visitor.run(PLACES) == before


def assert_for_everybody(visitor, path):
    visitor.go(path)
    assert visitor.comes(CHARTS_ARE_DRAWN)
    assert visitor.run(MOVED) < 0.01, "what was there stays where it was"
    assert all(visitor.run(LOADED)), "nothing comes from elsewhere"
    visitor.run(OPEN_ALL)
    for width, dark in LOOKS:
        visitor.browser.look_like(width=width, dark=dark, reduced_motion=True)  # else colours are on their way
        assert visitor.run(TOO_WIDE) <= 0, f"nothing sticks out at {width} px"
        rules = RULES_OF_COLOUR if dark else EVERY_RULE  # the dark scheme differs in nothing else
        assert violations(visitor, rules) == [], f"{path} at {width} px, {'dark' if dark else 'light'}"


def violations(visitor, rules=EVERY_RULE):
    if not visitor.run("'axe' in window"):
        visitor.run(f"{AXE_SCRIPT}; 0")
    return visitor.run(VIOLATIONS % rules)


def test_it_is_axe_that_looks(visitor):
    visitor.go("/help")
    visitor.run("document.querySelector('main').append(document.createElement('img'))")

    assert any(found.startswith("image-alt") for found in violations(visitor))

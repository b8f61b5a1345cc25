"""Readers' requests over HTTP: whatever is wrong, they get an image, a page, or where the link leads."""

import json
import logging

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from prometheus_client import CollectorRegistry, generate_latest

from application.ports.report_spool import ReportLostError
from application.ports.tracking_tokens import TrackedLink
from application.tokens import hash_of
from entrypoints.web.broken_tokens import BROKEN_PER_MINUTE, BrokenTokens
from entrypoints.web.observation import Observed
from entrypoints.web.problems import EXCEPTION_HANDLERS
from entrypoints.web.tracking import GIF, MOST_FORM_BYTES, tracking_handlers
from entrypoints.web.tracking_metrics import TrackingMetrics
from tests.support.emails import ACME, GLOBEX
from tests.support.readers import CHROME, LINK, Readers


class Site:
    """Our own links behind the web's frame, with readers that a test plays."""

    def __init__(self):
        self.readers = Readers()
        self.now = 0.0
        self.registry = CollectorRegistry()
        metrics = TrackingMetrics(self.registry, waiting=lambda: 0, bytes_on_disk=lambda: 0)
        handlers = tracking_handlers(
            self.readers.reception,
            metrics=metrics,
            broken=BrokenTokens(lambda: self.now),
            session_cookie="mailpulse",
        )
        app = Litestar(handlers, exception_handlers=EXCEPTION_HANDLERS, logging_config=None, openapi_config=None)
        app.asgi_handler = Observed(app.asgi_handler, self.registry)
        self.client = TestClient(app)
        tokens, email = self.readers.tokens, self.readers.email
        self.pixel = f"/t/o/{tokens.for_open(email)}"
        self.link = f"/t/c/{tokens.for_click(email, LINK)}"
        self.unsubscribe = f"/t/u/{tokens.for_unsubscribe(email)}"

    def ask(self, method, path, **more):
        return self.client.request(method, path, follow_redirects=False, **more)

    def kept(self):
        return [json.loads(report.body)["kind"] for report in self.readers.spool.kept]

    def counted(self, kind, outcome):
        labels = {"kind": kind, "outcome": outcome}
        return self.registry.get_sample_value("mailpulse_tracking_requests_total", labels)


@pytest.fixture
def site():
    return Site()


def assert_tells_nobody(answer):
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_pixel_is_shown_and_reported(site, method):
    answer = site.ask(method, site.pixel)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert answer.headers["content-length"] == str(len(GIF))
    assert site.kept() == ["open"]
    assert_tells_nobody(answer)


@pytest.mark.parametrize("token", ["x", "A" * 64, "a" * 7_000, "%F0%9F%98%80", "..%2f..%2fetc", "%00"])
def test_a_broken_token_still_gets_its_pixel_and_is_reported_to_nobody(site, token):
    answer = site.ask("GET", f"/t/o/{token}")

    assert (answer.status_code, answer.content) == (200, GIF)
    assert site.kept() == []
    assert_tells_nobody(answer)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_link_leads_where_its_author_meant(site, method):
    answer = site.ask(method, site.link)

    assert (answer.status_code, answer.headers["location"]) == (302, LINK.url)
    assert site.kept() == ["click"]
    assert_tells_nobody(answer)


@pytest.mark.parametrize("kind", ["c", "u"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_broken_link_is_a_plain_page(site, kind, method):
    answer = site.ask(method, f"/t/{kind}/{'A' * 64}")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "location" not in answer.headers
    assert_tells_nobody(answer)


def test_an_open_token_neither_clicks_nor_unsubscribes(site):
    token = site.pixel.rpartition("/")[2]

    assert site.ask("GET", f"/t/c/{token}").status_code == 404
    assert site.ask("POST", f"/t/u/{token}").status_code == 404
    assert site.kept() == []


def test_a_query_or_more_path_leads_nobody_elsewhere(site):
    assert site.ask("GET", site.link + "?url=https://evil.example").headers["location"] == LINK.url
    assert site.ask("GET", site.link + "/https://evil.example").status_code == 404


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_at_the_unsubscribe_page_changes_nothing(site, method):
    answer = site.ask(method, site.unsubscribe)

    assert answer.status_code == 200
    assert site.kept() == []
    assert_tells_nobody(answer)


def test_the_unsubscribe_page_has_a_button_and_loads_nothing(site):
    answer = site.ask("GET", site.unsubscribe)

    assert '<form method="post">' in answer.text
    assert "<button" in answer.text
    assert "http" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert site.unsubscribe not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"List-Unsubscribe": "One-Click"}},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {"content": b""},
        {"content": b"\xff\x00"},
    ],
    ids=["form", "multipart", "nothing", "nonsense"],
)
def test_a_post_unsubscribes_at_once(site, body):
    answer = site.ask("POST", site.unsubscribe, **body)

    assert (answer.status_code, site.kept()) == (200, ["unsubscribe"])
    assert "You are unsubscribed" in answer.text
    assert_tells_nobody(answer)


def test_a_post_of_megabytes_is_refused_unread(site):
    answer = site.ask("POST", site.unsubscribe, content=b"x" * (MOST_FORM_BYTES + 1))

    assert (answer.status_code, site.kept()) == (413, [])


@pytest.mark.parametrize("kind", ["pixel", "link"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(site, kind, method):
    assert site.ask(method, getattr(site, kind)).status_code == 405
    assert site.kept() == []


def test_a_reader_is_served_even_if_the_report_is_lost(site):
    site.readers.spool.is_full = True

    assert site.ask("GET", site.pixel).content == GIF
    assert site.ask("GET", site.link).headers["location"] == LINK.url
    assert (site.counted("open", "lost"), site.counted("click", "lost")) == (1, 1)


def test_who_could_not_be_unsubscribed_is_told_so(site):
    site.readers.spool.is_full = True

    answer = site.ask("POST", site.unsubscribe)

    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    assert "unsubscribed" not in answer.text


def test_an_unsubscription_that_may_not_outlive_a_power_cut_is_not_confirmed(site, monkeypatch):
    async def refuse(_):
        raise ReportLostError("the disk refuses")

    monkeypatch.setattr(site.readers.spool, "durable", refuse)

    assert site.ask("POST", site.unsubscribe).status_code == 503


def test_many_broken_tokens_are_answered_with_a_pause_and_good_ones_always(site):
    for _ in range(BROKEN_PER_MINUTE):
        assert site.ask("GET", "/t/c/broken").status_code == 404

    refused = site.ask("GET", "/t/c/broken")

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert site.ask("GET", "/t/o/broken").content == GIF
    assert site.ask("GET", site.link).status_code == 302
    assert site.ask("POST", site.unsubscribe).status_code == 200
    assert site.counted("click", "limited") == 1


def test_a_minute_later_broken_tokens_are_answered_again(site):
    for _ in range(BROKEN_PER_MINUTE + 1):
        site.ask("GET", "/t/c/broken")
    site.now = 60.0

    assert site.ask("GET", "/t/c/broken").status_code == 404


def test_no_log_line_and_no_metric_holds_a_token(site, caplog):
    caplog.set_level(logging.DEBUG)
    for path in (site.pixel, site.link, site.unsubscribe, "/t/c/a-broken-token"):
        site.ask("GET", path)
        site.ask("POST", path)

    # The client of this test logs what it asks for; that is no log of ours.
    said = " ".join(str(vars(record)) for record in caplog.records if not record.name.startswith("http"))
    assert "/t/c/{token}" in said
    exported = generate_latest(site.registry).decode()
    for secret in (*(path.rpartition("/")[2] for path in (site.pixel, site.link, site.unsubscribe)), "a-broken-token"):
        assert secret not in said
        assert secret not in exported


def test_a_link_of_any_letters_is_one_header(site):
    link = TrackedLink(url="https://a.example/%0d%0aSet-Cookie:x", position="1")
    token = site.readers.tokens.for_click(site.readers.email, link)

    answer = site.ask("GET", f"/t/c/{token}")

    assert answer.headers["location"] == link.url
    assert_tells_nobody(answer)


@pytest.mark.parametrize("slash", ["", "/"])
def test_without_any_token_there_is_still_a_pixel_or_a_page(site, slash):
    pixel = site.ask("GET", f"/t/o{slash}")
    pages = [
        site.ask("GET", f"/t/c{slash}"),
        site.ask("GET", f"/t/u{slash}"),
        site.ask("POST", f"/t/u{slash}"),
    ]

    assert (pixel.status_code, pixel.content) == (200, GIF)
    assert [page.status_code for page in pages] == [404] * 3
    assert all(page.headers["content-type"].startswith("text/html") for page in pages)
    for answer in (pixel, *pages):
        assert_tells_nobody(answer)
    assert site.kept() == []


@pytest.mark.parametrize("home, verdict", [(ACME, "self"), (GLOBEX, "human"), (None, "human")])
def test_what_somebody_of_the_senders_own_organisation_looks_at_is_their_own_view(site, home, verdict):
    session = "mp_session_synthetic"
    if home:
        site.readers.scene.store.sessions[hash_of(session)] = home
    cookies = {"cookie": f"theme=dark; mailpulse={session}", "user-agent": CHROME}

    site.ask("GET", site.pixel, headers=cookies)
    site.ask("GET", site.link, headers=cookies)

    assert session.encode() not in b"".join(report.body for report in site.readers.spool.kept)
    assert [fact.verdict for fact in site.readers.facts()] == [verdict, verdict]

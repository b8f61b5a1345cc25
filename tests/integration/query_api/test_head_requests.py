"""HEAD: what GET would answer, without the body (RFC 9110, 9.3.2)."""

import re

import pytest

from tests.support.query_world import CAMPAIGN, email_id

OF_ONE_ANSWER = {"date", "x-request-id"}
HEALTH = ("/health/live", "/health/ready")
STREAM = "/api/v1/notifications/stream"
OWN_WAY = ("/t/", "/webhooks/")
"""Where HEAD means something of its own."""


def methods_of(answer):
    return set(answer.headers["allow"].replace(" ", "").split(","))


def check_head(ask, path):
    """Ask by both methods, and give the answer to HEAD."""
    get, head = ask("GET", path), ask("HEAD", path)
    assert head.status_code == get.status_code
    assert head.content == b""
    assert _lasting(head) == _lasting(get)
    return head


def _lasting(answer):
    # What a page says of now and the request's own id may be a digit longer.
    return {name: value for name, value in answer.headers.items() if name not in OF_ONE_ANSWER}


@pytest.mark.parametrize("path", [*HEALTH, "/schema", "/schema/openapi.json", "/login"])
def test_head_needs_what_get_needs_nothing_where_all_may_ask(path, anyone):
    head = check_head(anyone.request, path)

    assert head.status_code == 200
    assert int(head.headers["content-length"]) > 0


def test_measurements_are_there_for_head_and_head_is_measured_as_such(anyone):
    get, head = anyone.get("/metrics"), anyone.head("/metrics")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert 'method="HEAD",route="/metrics",status="200"' in anyone.get("/metrics").text


def test_a_dependency_that_is_away_is_told_to_head_too(anyone, redis_switch):
    redis_switch.is_away = True
    try:
        check_head(anyone.request, "/health/ready")
    finally:
        redis_switch.is_away = False


@pytest.mark.parametrize("path", ["/", "/candidates", "/emails", f"/campaigns/{CAMPAIGN}", "/settings/notifications"])
def test_a_page_answers_head_to_who_is_signed_in_and_leads_others_to_signing_in(path, browser, recruiters_browser):
    assert check_head(recruiters_browser.ask, path).status_code == 200

    recruiters_browser.session = ""
    head = check_head(recruiters_browser.ask, path)
    assert (head.status_code, head.headers["location"].partition("=")[0]) == (303, "/login?next")


def test_a_page_for_other_roles_refuses_head_as_well(recruiters_browser):
    assert check_head(recruiters_browser.ask, "/settings/keys").status_code == 403


@pytest.mark.parametrize("path", ["/nothing/here", "/api/v1/nothing", "/assets/x/pages.css", "/schema/swagger"])
def test_what_does_not_exist_is_a_404_for_head(path, anyone):
    assert check_head(anyone.request, path).status_code == 404


def test_an_asset_is_kept_for_ever_also_when_head_asks(recruiters_browser):
    path = re.search(r'href="(/assets/[^"]+)"', recruiters_browser.get("/candidates").text)[1]

    head = check_head(recruiters_browser.ask, path)

    assert head.status_code == 200
    assert "immutable" in head.headers["cache-control"]


@pytest.mark.parametrize(
    "path", ["/api/v1/emails", "/api/v1/candidates", f"/api/v1/emails/{email_id('e-1')}", "/api/v1/emails?limit=0"]
)
def test_a_query_answers_head_as_it_answers_get(path, recruiter):
    check_head(recruiter.ask, path)


def test_a_query_asks_head_for_a_token_and_a_role_too(anyone, recruiter):
    assert check_head(anyone.request, "/api/v1/emails").status_code == 401
    assert check_head(recruiter.ask, "/api/v1/api-keys").status_code == 403


def test_a_list_as_csv_is_announced_to_head_and_not_written(recruiter):
    head = check_head(recruiter.ask, "/api/v1/contacts/engaged?format=csv")

    assert head.status_code == 200
    assert head.headers["content-type"].startswith("text/csv")


@pytest.mark.parametrize("who", ["anyone", "recruiter"])
def test_the_live_stream_is_opened_by_get_alone(who, request, client):
    caller = request.getfixturevalue(who)
    ask = caller.request if who == "anyone" else caller.ask

    head = ask("HEAD", STREAM)

    assert (head.status_code, methods_of(head)) == (405, {"GET", "OPTIONS"})
    assert client.app.state.services.streams.count == 0


@pytest.mark.parametrize(
    "path, allowed",
    [
        ("/api/v1/emails", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("/api/v1/dashboard", {"GET", "HEAD", "OPTIONS"}),
        ("/api/v1/organizations", {"OPTIONS", "POST"}),
        (STREAM, {"GET", "OPTIONS"}),
        ("/health/live", {"GET", "HEAD", "OPTIONS"}),
        ("/login", {"GET", "HEAD", "OPTIONS", "POST"}),
    ],
)
def test_allow_names_head_where_it_is_taken(path, allowed, recruiter):
    refused, options = recruiter.ask("DELETE", path), recruiter.ask("OPTIONS", path)

    assert (refused.status_code, methods_of(refused)) == (405, allowed)
    assert (options.status_code, methods_of(options)) == (204, allowed)


@pytest.mark.parametrize("path", ["/api/v1/organizations", "/api/v1/emails/instrument", "/logout"])
def test_what_is_only_posted_refuses_head_and_does_not_name_it(path, recruiter):
    head = recruiter.ask("HEAD", path)

    assert head.status_code == 405
    assert methods_of(head) == {"OPTIONS", "POST"}
    assert head.content == b""


def test_every_route_that_answers_get_answers_head_but_the_stream(client):
    methods = {route.path_format: set(route.methods) for route in client.app.routes}
    only_get = {path for path, taken in methods.items() if "GET" in taken and "HEAD" not in taken}

    assert only_get == {STREAM}
    assert all("GET" in taken for taken in methods.values() if "HEAD" in taken)


def test_head_is_not_in_the_document(anyone):
    paths = anyone.get("/schema").json()["paths"]

    assert {path for path, item in paths.items() if "head" in item} <= {
        path for path in paths if path.startswith(OWN_WAY)
    }

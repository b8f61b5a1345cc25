"""People of every role at a real browser, before a running web process; none of its pages may complain."""

import pytest

from application.ports.access_tokens import Role
from tests.support.chromium import PROGRAM, Chromium
from tests.support.page_visitor import Visitor
from tests.support.page_world import PageWorld
from tests.support.query_world import OURS
from tests.support.servers import fresh_database, started_servers


def pytest_collection_modifyitems(items):
    without = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(without)


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    postgres_url, redis_url = started_servers(tmp_path_factory.mktemp("servers"))
    with fresh_database(postgres_url) as database_url:
        world = PageWorld(tmp_path_factory.mktemp("web"), database_url, redis_url)
        yield world
        world.close()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    with Chromium(tmp_path_factory.mktemp("profile")) as chromium:
        yield chromium


@pytest.fixture(scope="session")
def session_of(world):
    known = {}

    def session(role, organization):
        if (role, organization) not in known:
            known[role, organization] = world.session(role, organization)
        return known[role, organization]

    return session


@pytest.fixture
def stranger(chromium, world):
    """Somebody who has not signed in."""
    chromium.look_like(width=1280)
    chromium.live_in("UTC")
    chromium.forget()
    visitor = Visitor(chromium, world.url)
    yield visitor
    visitor.go("/login")
    assert visitor.complaints() == []


@pytest.fixture
def visit(stranger, chromium, world, session_of):
    """Sign somebody in: gives the visitor."""

    def visit(role=Role.ADMIN, organization=OURS):
        chromium.set_cookie(world.url, "mailpulse", session_of(role, organization))
        return stranger

    return visit


@pytest.fixture
def visitor(visit):
    """An administrator of the organisation that has one of every kind of page."""
    return visit()

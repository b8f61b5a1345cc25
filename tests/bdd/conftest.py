"""Gherkin tags that name a requirement become `rule` markers; the service that all scenarios share."""

import importlib
import pkgutil
import re
from collections.abc import Callable

import pytest

from tests.bdd import steps
from tests.bdd.scene import Scene
from tests.bdd.service import started_service

REQUIREMENT = re.compile(r"[A-Z]+(?:-\d+(?:\.\d+)?)?")  # BR-558.3, FLOW-1, SCORE


def pytest_configure(config: pytest.Config) -> None:
    # pytest-bdd finds steps as fixtures: in this file, or in a plugin, which each of these modules thereby is.
    for module in pkgutil.iter_modules(steps.__path__, f"{steps.__name__}."):
        config.pluginmanager.register(importlib.import_module(module.name))


def pytest_bdd_apply_tag(tag: str, function: Callable[..., object]) -> bool | None:
    if not REQUIREMENT.fullmatch(tag):
        return None  # pytest-bdd makes it a marker of that name, which --strict-markers wants registered
    pytest.mark.rule(id=tag)(function)
    return True


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    with started_service(tmp_path_factory.mktemp("mailpulse")) as running:
        yield running


@pytest.fixture
def scene(service):
    scene = Scene(service)
    yield scene
    scene.end()

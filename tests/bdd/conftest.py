"""Gherkin tags that name a requirement become `rule` markers, so that scenarios are found by rule."""

import re
from collections.abc import Callable

import pytest

REQUIREMENT = re.compile(r"[A-Z]+(?:-\d+(?:\.\d+)?)?")  # BR-558.3, FLOW-1, SCORE


def pytest_bdd_apply_tag(tag: str, function: Callable[..., object]) -> bool | None:
    if not REQUIREMENT.fullmatch(tag):
        return None  # pytest-bdd makes it a marker of that name, which --strict-markers wants registered
    pytest.mark.rule(id=tag)(function)
    return True

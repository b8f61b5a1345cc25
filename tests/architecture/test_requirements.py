"""Every requirement is shown by a scenario, and every scenario says which it shows."""

import re
from pathlib import Path

FEATURES = Path(__file__).parents[2] / "features"
COUNTED = {
    "PRE": 4,
    "FLOW": 9,
    "AF": 4,
    "EF": 3,
    "DB": 2,
    "MET": 2,
    "SEC": 6,
    "UI": 3,
    "USE": 7,
}
REQUIREMENTS = {
    *(f"{kind}-{number}" for kind, last in COUNTED.items() for number in range(1, last + 1)),
    *(f"BR-558.{number}" for number in range(1, 9)),
    *("SCORE", "ROLE"),
}
SCENARIO = re.compile(r"(?:^ +(?P<tags>@\S.*)\n)? +Scenario(?: Outline)?: (?P<name>.+)", re.MULTILINE)


def scenarios():
    return [
        (f"{path.stem}: {found['name']}", set(re.findall(r"@(\S+)", found["tags"] or "")))
        for path in sorted(FEATURES.glob("*.feature"))
        for found in SCENARIO.finditer(path.read_text(encoding="utf-8"))
    ]


def test_every_requirement_is_shown_by_a_scenario():
    shown = {tag for _, tags in scenarios() for tag in tags}

    assert REQUIREMENTS - shown == set()


def test_every_scenario_says_which_requirement_it_shows():
    assert [name for name, tags in scenarios() if not tags & REQUIREMENTS] == []
    assert {tag for _, tags in scenarios() for tag in tags} <= REQUIREMENTS

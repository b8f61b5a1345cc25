"""Numbers in sentences."""

import pytest

from domain.counted import counted


@pytest.mark.parametrize(
    "number, said", [(0, "0 emails"), (1, "1 email"), (2, "2 emails"), (21, "21 emails"), (1_001, "1,001 emails")]
)
def test_only_one_of_a_thing_is_no_plural(number, said):
    assert counted(number, "email") == said


def test_what_makes_its_plural_otherwise_and_verbs_that_agree_are_given_for_both():
    assert counted(1, "delivery", "deliveries") == "1 delivery"
    assert counted(0, "delivery", "deliveries") == "0 deliveries"
    assert counted(1, "report waits", "reports wait") == "1 report waits"
    assert counted(3, "report waits", "reports wait") == "3 reports wait"

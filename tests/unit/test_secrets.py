"""What the database keeps and must not tell."""

import pytest

from adapters.secrets import SealBrokenError, SecretBox


@pytest.mark.parametrize("secret_key", ["x", "sixteen letters!", "ü" * 1000])
def test_what_was_sealed_opens_again(secret_key):
    box = SecretBox([secret_key], purpose="test")

    sealed = box.seal(b"whsec")

    assert b"whsec" not in sealed
    assert box.open(sealed) == b"whsec"


def test_the_newest_key_seals_and_older_ones_still_open():
    old, both, new = (SecretBox(keys, purpose="test") for keys in (["old"], ["new", "old"], ["new"]))

    assert both.open(old.seal(b"a")) == b"a"
    assert new.open(both.seal(b"b")) == b"b"


@pytest.mark.parametrize("box", [SecretBox(["other"], purpose="test"), SecretBox(["key"], purpose="another")])
def test_another_key_or_purpose_opens_nothing(box):
    sealed = SecretBox(["key"], purpose="test").seal(b"a")

    with pytest.raises(SealBrokenError):
        box.open(sealed)


def test_a_changed_text_does_not_open():
    box = SecretBox(["key"], purpose="test")
    sealed = box.seal(b"a")

    with pytest.raises(SealBrokenError):
        box.open(sealed[:-2] + b"AA")


def test_no_key_is_no_box():
    with pytest.raises(ValueError, match="at least one"):
        SecretBox([], purpose="test")


def test_what_is_sealed_for_one_thing_does_not_open_for_another():
    box = SecretBox(["key"], purpose="test")

    assert box.open(box.seal(b"a", bound_to=b"1"), bound_to=b"1") == b"a"
    with pytest.raises(SealBrokenError):
        box.open(box.seal(b"a", bound_to=b"1"), bound_to=b"2")


def test_it_can_be_told_which_key_sealed():
    old, both = SecretBox(["old"], purpose="test"), SecretBox(["new", "old"], purpose="test")

    assert old.seal(b"a").startswith(old.newest)
    assert both.seal(b"a").startswith(both.newest)
    assert both.newest != old.newest
    assert both.knows(old.newest)
    assert not old.knows(both.newest)

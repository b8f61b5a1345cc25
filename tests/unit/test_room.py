"""How much of a list a page shows."""

from entrypoints.web.pages.room import PAGE_BYTES, as_many_as_fit, room_for_lists, written_bytes
from entrypoints.web.pages.words import LONGEST_IN_LIST, shortened


def test_the_first_items_are_shown_as_many_as_there_is_room_for():
    assert as_many_as_fit(["aaa", "bb", "c", "dd"], 6, len) == ["aaa", "bb", "c"]
    assert as_many_as_fit(["aaa", "bb", "c"], 100, len) == ["aaa", "bb", "c"]
    assert as_many_as_fit([], 6, len) == []


def test_the_first_is_shown_in_any_case_and_nothing_out_of_its_turn():
    assert as_many_as_fit(["aaa", "b"], 2, len) == ["aaa"]
    assert as_many_as_fit(["a", "bbb", "c"], 2, len) == ["a"]


def test_the_more_points_and_the_longer_the_address_the_less_room_is_left():
    few, many = room_for_lists(points=1, address=""), room_for_lists(points=92, address="")

    assert 0 < many < few < PAGE_BYTES
    assert room_for_lists(points=1, address="job_id=j-1") < few


def test_what_is_escaped_and_what_is_not_latin_takes_its_bytes():
    assert written_bytes("abc") == 3
    assert written_bytes("<") == len("&lt;")
    assert written_bytes("ü") == 2


def test_a_name_that_is_too_long_for_a_list_says_that_it_goes_on():
    assert shortened("x" * LONGEST_IN_LIST) == "x" * LONGEST_IN_LIST
    assert shortened("x" * (LONGEST_IN_LIST + 1)) == "x" * (LONGEST_IN_LIST - 1) + "…"
    assert shortened("word " * 100) == ("word " * 100)[: LONGEST_IN_LIST - 1].rstrip() + "…"

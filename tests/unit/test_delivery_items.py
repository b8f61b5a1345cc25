import pytest

from adapters.payloads.items import MOST_ITEMS, read_items, translate_items
from application.ports.provider import MalformedDeliveryError


def test_the_largest_delivery_is_read_item_by_item():
    items = read_items(b"[" + b",".join([b"{}"] * MOST_ITEMS) + b"]")

    assert len(items.values) == MOST_ITEMS


@pytest.mark.parametrize("item", [b"1", b"{}", b"[]", b'"a"', b'{"a":[{}]}'], ids=repr)
@pytest.mark.parametrize("size", [MOST_ITEMS + 1, 1_500_000], ids=["one too many", "as many as a body takes"])
def test_a_delivery_of_more_items_than_any_provider_sends_is_set_aside_whole(item, size):
    body = b"[" + b",".join([item] * min(size, 10_000_000 // (len(item) + 1))) + b"]"

    with pytest.raises(MalformedDeliveryError, match="more than 50,000 items"):
        read_items(body)


def test_an_item_with_a_number_that_nothing_holds_says_so():
    [outcome] = translate_items(read_items(b'[{"size": 1e999}]'), pytest.fail, pytest.fail)

    assert (outcome.reason, outcome.body) == ("item: Number out of range", b'[{"size": 1e999}]')

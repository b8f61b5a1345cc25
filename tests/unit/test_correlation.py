"""The id that a request is followed by."""

import pytest

from entrypoints.web.correlation import correlation_id

TRACE = b"4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize("given", ["a", "req_1-2.3:4", "X" * 128])
def test_a_sane_id_is_taken_over(given):
    assert correlation_id([(b"x-request-id", given.encode())]) == given


@pytest.mark.parametrize("given", [b"", b"a b", b"a\n", b"\xc3\xa9", b"X" * 129, b".a", b"a\x00"], ids=repr)
def test_any_other_is_replaced(given):
    made = correlation_id([(b"x-request-id", given)])

    assert len(made) == 32
    assert made != correlation_id([(b"x-request-id", given)])


@pytest.mark.parametrize("tail", [b"", b"-what-later-versions-add"])
def test_the_trace_is_the_next_best(tail):
    headers = [(b"traceparent", b"00-" + TRACE + b"-00f067aa0ba902b7-01" + tail), (b"x-request-id", b"not sane")]

    assert correlation_id(headers) == TRACE.decode()


@pytest.mark.parametrize(
    "trace", [b"00-" + b"0" * 32 + b"-00f067aa0ba902b7-01", b"00-" + TRACE.upper() + b"-00f067aa0ba902b7-01", b"00"]
)
def test_a_broken_trace_is_none(trace):
    assert correlation_id([(b"traceparent", trace)]) not in {TRACE.decode(), "0" * 32}

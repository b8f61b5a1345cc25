"""Who a request comes from, whatever X-Forwarded-For claims."""

from ipaddress import ip_address, ip_network

import pytest

from entrypoints.web.client_address import client_address

PROXIES = [ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48")]


@pytest.mark.parametrize(
    "peer, forwarded_for, address",
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["192.0.2.1"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["198.51.100.1, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["198.51.100.1", "192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["192.0.2.1, 10.0.0.2,10.0.0.3"], "192.0.2.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["192.0.2.1:8080"], "192.0.2.1"),
        ("10.0.0.1", ["[2001:db8::1]:443"], "2001:db8::1"),
        ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("2001:db8:ffff::1", ["192.0.2.1"], "192.0.2.1"),
        ("::ffff:10.0.0.1", ["::ffff:192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["192.0.2.1, , "], "192.0.2.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
    ],
)
def test_the_last_address_that_somebody_trusted_has_seen(peer, forwarded_for, address):
    assert client_address(peer, forwarded_for, PROXIES) == ip_address(address)


@pytest.mark.parametrize(
    "entry",
    ["unknown", "_hidden", "192.0.2.256", "192.0.2", "fe80::1%eth0", "192.0.2.1\n", "x" * 10_000, "\uff10"],
)
def test_nonsense_from_a_trusted_proxy_vouches_for_nothing_left_of_it(entry):
    found = client_address("10.0.0.1", [f"192.0.2.7, {entry}"], PROXIES)

    assert found in {None, ip_address("192.0.2.1")}
    assert found != ip_address("192.0.2.7")


@pytest.mark.parametrize("peer", [None, "", "/run/mailpulse.sock"])
def test_a_peer_without_an_address_is_nobody_and_not_trusted(peer):
    assert client_address(peer, ["192.0.2.1"], PROXIES) is None


def test_without_trusted_proxies_the_header_means_nothing():
    assert client_address("10.0.0.1", ["192.0.2.1"], []) == ip_address("10.0.0.1")

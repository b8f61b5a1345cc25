from ipaddress import ip_address, ip_network

import pytest

from domain.policies.outgoing_addresses import is_within, may_be_called

PUBLIC = ("8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "2606:4700::1111")
CLOSED = (
    "0.0.0.0",  # noqa: S104  an address like the others
    *("10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.254"),
    *("169.254.169.254", "168.63.129.16", "172.16.0.0", "172.31.255.255", "192.0.0.192", "192.168.0.1"),
    *("198.18.0.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fdff::1", "ff02::1", "::127.0.0.1"),
    *("2001:db8::1", "2001::1", "2002:0a00:0001::", "64:ff9b:1::1", "100::1", "5f00::1"),
)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_may_be_called(address):
    assert may_be_called(ip_address(address))


@pytest.mark.parametrize("address", CLOSED)
def test_what_is_not_public_may_not(address):
    assert not may_be_called(ip_address(address))


@pytest.mark.parametrize("prefix", ["::ffff:", "64:ff9b::"])
@pytest.mark.parametrize("address, may", [("8.8.8.8", True), ("127.0.0.1", False), ("169.254.169.254", False)])
def test_an_address_in_disguise_is_judged_as_what_it_is(prefix, address, may):
    assert may_be_called(ip_address(prefix + address)) is may


def test_the_operator_opens_networks_also_for_their_disguises():
    allowed = [ip_network("10.1.0.0/16"), ip_network("fd12::/32")]

    assert may_be_called(ip_address("10.1.2.3"), allowed)
    assert may_be_called(ip_address("::ffff:10.1.2.3"), allowed)
    assert may_be_called(ip_address("fd12::1"), allowed)
    assert not may_be_called(ip_address("10.2.0.1"), allowed)
    assert not is_within(ip_address("8.8.8.8"), allowed)

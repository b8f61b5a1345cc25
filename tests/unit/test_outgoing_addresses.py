from ipaddress import ip_address, ip_network

import pytest

from domain.policies.outgoing_addresses import as_meant, is_within, may_be_called, risks_of

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


@pytest.mark.parametrize("disguised", ["::ffff:10.0.0.0/104", "64:ff9b::a00:0/104"])
def test_a_network_in_disguise_opens_what_it_is(disguised):
    network = ip_network(disguised)

    assert as_meant(network) == ip_network("10.0.0.0/8")
    assert may_be_called(ip_address("10.1.2.3"), [network])
    assert may_be_called(ip_address("::ffff:10.1.2.3"), [network])
    assert not may_be_called(ip_address("192.168.0.1"), [network])


@pytest.mark.parametrize(
    "network, risk",
    [
        ("0.0.0.0/0", "much of the internet"),
        ("::/0", "much of the internet"),
        ("::ffff:0:0/96", "much of the internet"),
        ("0.0.0.0/1", "much of the internet"),
        ("2000::/3", "much of the internet"),
        ("127.0.0.1/32", "this machine"),
        ("::1/128", "this machine"),
        ("::ffff:127.0.0.1/128", "this machine"),
        ("169.254.169.254/32", "credentials"),
        ("169.254.0.0/16", "link-local"),
        ("fe80::/64", "link-local"),
        ("fd00::/8", "credentials"),
        ("100.64.0.0/10", "credentials"),
    ],
)
def test_what_an_operator_hardly_means_to_open_is_named(network, risk):
    assert any(risk in words for words in risks_of(ip_network(network)))


@pytest.mark.parametrize("network", ["10.0.0.0/8", "192.168.1.7/32", "fd12:3456::/32", "::ffff:10.0.0.0/104"])
def test_a_network_of_their_own_is_no_risk(network):
    assert risks_of(ip_network(network)) == []

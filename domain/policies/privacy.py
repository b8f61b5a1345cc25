"""What is kept of a reported fact: less than was reported, where the organisation's policy says so.

Judging comes first and sees everything, in memory; this comes last, before anything is stored.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address

from msgspec.structs import replace

from domain.email_facts import NOBODY, Engagement, Personal, ReportedFact, Sent
from domain.tracking_terms import IpHandling, TrackingPolicy

IPV4_BITS_KEPT = 24
IPV6_BITS_KEPT = 48
SIX_TO_FOUR_BITS_KEPT = 40
"""Such an address has an IPv4 address in its bits 16 to 47: that, too, loses its last eight."""


def kept_under(policy: TrackingPolicy, fact: ReportedFact, sent: Sent | None) -> ReportedFact:
    """Leave out of a judged fact what the organisation does not want kept.

    Args:
        policy: Of the organisation.
        fact: Complete and judged; one that is withheld already stays so, whatever the policy is by now.
        sent: Of the fact's email; an open or a click of an email that nobody registered keeps its times.

    Source:
        BR-558.8 privacy mode; SEC-5 IP addresses.
    """
    if policy.keeps_everything and not fact.withheld:
        return fact
    if policy.privacy_mode or fact.withheld:
        return _without_person(fact, sent)
    if isinstance(fact, Engagement):
        return replace(fact, personal=_with_handled_address(fact.personal, policy.ip_handling))
    return fact


def _without_person(fact: ReportedFact, sent: Sent | None) -> ReportedFact:
    if not isinstance(fact, Engagement):
        return replace(fact, personal=NOBODY, metadata=None)
    times = {} if sent is None else {"occurred_at": sent.sent_at, "recorded_at": sent.recorded_at}
    return replace(fact, personal=NOBODY, metadata=None, delivery_id=0, withheld=True, **times)


def _with_handled_address(personal: Personal, handling: IpHandling) -> Personal:
    if not personal.ip_address:
        return personal
    match handling:
        case IpHandling.KEEP:
            return personal
        case IpHandling.TRUNCATE:
            return replace(personal, ip_address=truncated(personal.ip_address), is_ip_address_cut=True)
        case IpHandling.ENCRYPT:
            return replace(personal, ip_address="", hidden_ip_address=personal.ip_address)
        case IpHandling.DROP:
            return replace(personal, ip_address="", is_ip_address_cut=True)


def truncated(address: str) -> str:
    """Keep the network of an address and forget the machine.

    Returns:
        The first address of its /24 (IPv4, also when written as IPv6) or /48 (IPv6); "" for what is no address.

    Source:
        SEC-5 truncate (/24, /48).
    """
    try:
        known = ip_address(address)
    except ValueError:
        return ""
    if isinstance(known, IPv6Address) and known.ipv4_mapped:
        known = known.ipv4_mapped
    if isinstance(known, IPv6Address):
        lost = known.max_prefixlen - (SIX_TO_FOUR_BITS_KEPT if known.sixtofour else IPV6_BITS_KEPT)
        return str(IPv6Address(int(known) >> lost << lost))
    lost = known.max_prefixlen - IPV4_BITS_KEPT
    return str(IPv4Address(int(known) >> lost << lost))

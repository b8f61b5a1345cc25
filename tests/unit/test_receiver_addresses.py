"""Which addresses can be registered for outgoing webhooks, and what is said about the others."""

from ipaddress import ip_network

import pytest

from domain.receiver_addresses import LONGEST_URL, flaws_of, spelled_alike

LABEL = "a" * 63
HOME, TEN = [ip_network("127.0.0.0/8")], [ip_network("10.0.0.0/8")]


@pytest.mark.parametrize(
    "url",
    [
        "https://ats.example.com",
        "https://ats.example.com/mailpulse?team=1&x=%C3%BC/?#".removesuffix("#"),
        "HTTPS://ATS.Example.com:8443/A",
        "https://8.8.8.8:443/",
        "https://[2606:4700::1111]/hook",
        "https://xn--bcher-kva.example.com/",
        "https://my_ats.example.com/",
        "https://1.2.3.example.com/",
        f"https://{LABEL}.{LABEL}.{LABEL}.{'a' * 57}.com/",
        "https://ats.example.com/" + "a" * (LONGEST_URL - 24),
    ],
)
def test_what_may_work_is_taken(url):
    assert flaws_of(url) == []


@pytest.mark.parametrize(
    "url, why",
    [
        ("", "has no host"),
        ("ats.example.com", "has no scheme"),
        ("//ats.example.com/", "has no scheme"),
        ("ftp://ats.example.com/", "begins with ftp://"),
        ("http://ats.example.com/", "tells about people"),
        ("https://", "has no host"),
        ("https:///path", "has no host"),
        ("https://user:secret@ats.example.com/", "holds user or password"),
        ("https://@ats.example.com/", "holds user or password"),
        ("https://ats.example.com/#part", "behind #"),
        ("https://ats.example.com/#", "behind #"),
        ("https://ats.example.com:0/", "for its port"),
        ("https://ats.example.com:65536/", "for its port"),
        ("https://ats.example.com:/", "for its port"),
        ("https://ats.example.com:https/", "for its port"),
        ("https://ats.example.com:\u0661/", "for its port"),
        ("https://[::1]x/", "for its port"),
        ("https://ats.example.com/a\nb", "a line break"),
        ("https://ats.example.com/\r", "a line break"),
        ("\thttps://ats.example.com/", "a tab"),
        ("https://ats.example.com/a b", "%20"),
        ("https://ats.example.com/ ", "a space"),
        ("https://ats.example.com/größe", "%C3%B6"),
        ("https://ats.example.com/\x00", "U+0000"),
        ("https://ats.example.com/\u202e", "U+202E"),
        ("https://ats.example.com/\ud800", "U+D800"),
        ("https://ats.example.com\\@127.0.0.1/", "a backslash"),
        ("https://ats.example.com/{{id}}", "%7B"),
        ("https://ats.example.com/100%", "%25"),
        ("https://ats.example.com/%zz", "%25"),
        ("https://bücher.example.com/", "ASCII form"),
        ("https://ats。example.com/", "ASCII form"),
        ("https://\uff11\uff12\uff17.0.0.1/", "ASCII form"),
        ("https://xn--.example.com/", "'xn--'"),
        ("https://xn--zzzzzz.example.com/", "'xn--zzzzzz'"),
        ("https://ats..example.com/", "nothing between two full stops"),
        ("https://.example.com/", "nothing between two full stops"),
        ("https://ats.example.com./", "ends in a full stop"),
        ("https://-ats.example.com/", "'-ats'"),
        ("https://ats-.example.com/", "'ats-'"),
        ("https://a*s.example.com/", "'a*s'"),
        ("https://%6cocalhost/", "'%6cocalhost'"),
        (f"https://{LABEL}a.example.com/", "64 characters"),
        (f"https://{LABEL}.{LABEL}.{LABEL}.{'a' * 58}.com/", "254 characters"),
        ("https://" + "a." * 900 + "com/", "1,803 characters"),
        ("https://ats.example.com/" + "a" * (LONGEST_URL - 23), "2,001 characters"),
        ("https://localhost/", "no public address"),
        ("https://hooks.localhost/", "no public address"),
        ("https://LOCALHOST:8443", "no public address"),
        ("https://intranet/", "private network"),
        ("https://ats.local/", "private network"),
        ("https://metadata.google.internal/", "private network"),
        ("https://ats.invalid/", "leads nowhere"),
        ("https://abc.onion/", "leads nowhere"),
        ("https://127.0.0.1/", "no public address"),
        ("https://[::1]/", "no public address"),
        ("https://[::ffff:10.0.0.1]:8443/", "no public address"),
        ("https://169.254.169.254/latest/meta-data", "no public address"),
        ("https://[fe80::1%25eth0]/", "zone"),
        ("https://[::1/", "no IPv6 address"),
        ("https://[nonsense]/", "no IPv6 address"),
        ("https://0x7f000001/", "four numbers"),
        ("https://127.1/", "four numbers"),
        ("https://2130706433/", "four numbers"),
        ("https://0177.0.0.1/", "four numbers"),
        ("https://300.1.1.1/", "four numbers"),
        ("https://127.0.0.0x1/", "four numbers"),
        ("https://127.0.0.1./", "four numbers"),
        ("javascript:alert(1)", "has no scheme"),
    ],
)
def test_what_can_never_work_is_named(url, why):
    assert any(why in flaw for flaw in flaws_of(url)), flaws_of(url)


def test_every_flaw_is_named_and_not_only_the_first():
    flaws = flaws_of("http://user@localhost:0/a b#c")

    assert [
        next(word for word in ("space", "http", "user", "public", "port", "#") if word in one) for one in flaws
    ] == [*("space", "http", "user", "public", "port", "#")]


@pytest.mark.parametrize(
    "pasted", [" https://ats.example.com/", "https://ats.example.com/\n", "\thttps://ats.example.com"]
)
def test_what_surrounds_an_address_is_the_only_thing_that_is_wrong_with_it(pasted):
    (flaw,) = flaws_of(pasted)

    assert flaw.startswith("holds a")


def test_what_is_said_stays_short_whatever_was_written():
    flaws = flaws_of("https://" + "".join(map(chr, range(0x100, 0x2000))) + "/" + "a." * 5000)

    assert len(flaws) < 10
    assert all(len(flaw) < 200 for flaw in flaws)


@pytest.mark.parametrize(
    "url, opened",
    [
        ("http://10.1.2.3/", TEN),
        ("https://10.1.2.3/", TEN),
        ("http://ats:8080/", TEN),
        ("https://ats.internal/", TEN),
        ("http://localhost:8080/", HOME),
        ("http://[::ffff:10.0.0.1]/", TEN),
    ],
)
def test_what_the_operator_opened_may_be_registered(url, opened):
    assert flaws_of(url, opened) == []


@pytest.mark.parametrize(
    "url, opened", [("http://8.8.8.8/", TEN), ("https://127.0.0.1/", TEN), ("http://localhost/", TEN)]
)
def test_and_nothing_beside_it(url, opened):
    assert flaws_of(url, opened)


def test_scheme_and_host_have_one_spelling_and_the_rest_stays_as_it_is():
    assert spelled_alike("HTTPS://ATS.Example.COM:8443/Mail?Q=A%20b") == "https://ats.example.com:8443/Mail?Q=A%20b"

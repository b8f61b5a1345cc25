"""Which links lead to web pages, and how a redirect names them."""

import pytest

from domain.web_addresses import LONGEST_WEB_ADDRESS, web_address


@pytest.mark.parametrize(
    "written",
    [
        "https://example.com",
        "http://example.com/a/b?c=d&e=f#g",
        "https://example.com:8443/~x/(y)/z;p=1,2",
        "https://[2001:db8::1]/x",
        "https://example.com/a%20b%2Fc?u=https://other.example/",
        "https://example.com/|^`'*!",
    ],
)
def test_a_web_address_stays_as_it_is(written):
    assert web_address(written) == written


@pytest.mark.parametrize(
    "written, address",
    [
        ("  https://example.com/ \n", "https://example.com/"),
        ("HTTPS://Example.com/A", "https://Example.com/A"),
        ("https://example.com/a\nb\tc", "https://example.com/abc"),
        ("https://example.com/a b", "https://example.com/a%20b"),
        ("https://example.com/größe?q=ä", "https://example.com/gr%C3%B6%C3%9Fe?q=%C3%A4"),
        ("https://bücher.example/", "https://b%C3%BCcher.example/"),
        ('https://example.com/"<x>', "https://example.com/%22%3Cx%3E"),
    ],
)
def test_what_browsers_mend_is_mended_as_they_do(written, address):
    assert web_address(written) == address


@pytest.mark.parametrize(
    "written",
    [
        "",
        "#top",
        "/relative",
        "//example.com/x",
        "mailto:john@example.com",
        "tel:+4930123",
        "sms:+4930123",
        "cid:logo@example.com",
        "javascript:alert(1)",
        " java\nscript:alert(1)",
        "data:text/html,<script>",
        "ftp://example.com/",
        "http:example.com",
        "http:/example.com",
        "https:///example.com",
        "https://",
        "https://?x",
        "https://user:password@example.com/",
        "https://example.com\\@other.example/",
        "https:\\\\example.com",
        "https://example.com:99999/",
        "https://example.com:x/",
        "https://exa mple.com/",
        "https://[::1/",
        "https://example.com/\x00b",
        "https://example.com/\x85",
        "https://example.com/{{job_id}}",
        "https://example.com/*|JOB|*",
        "https://example.com/" + "a" * LONGEST_WEB_ADDRESS,
        "https://example.com/" + "ä" * LONGEST_WEB_ADDRESS,
        "https://example.com/\ud800",
    ],
)
def test_anything_else_is_left_to_its_author(written):
    assert web_address(written) == ""

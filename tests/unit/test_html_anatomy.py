"""What an email's HTML holds and where, whatever state the HTML is in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.html_anatomy import LONGEST_LINK_TEXT, anatomy_of


def links(html):
    return [(html[link.start : link.end], link.written, link.text) for link in anatomy_of(html).links]


def behind_the_body(html):
    return html[anatomy_of(html).end_of_body :]


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://a.example/">Go</a>',
        "<A HREF='https://a.example/'>Go</A>",
        "<a href=https://a.example/>Go",
        "<a\nclass=x\n href = \n'https://a.example/'>Go",
        '<a title="a > b" href="https://a.example/">Go',
        '<a href="https://a.example/" href="https://b.example/">Go',
        '<a data-href="https://b.example/" href="https://a.example/">Go',
        '<a href="https://a.example/"/>Go</a>',
    ],
)
def test_a_link_is_found_however_it_is_written(html):
    assert links(html) == [("https://a.example/", "https://a.example/", "Go")]


def test_character_references_in_an_address_are_resolved():
    assert links('<a href="https://a.example/?b=1&amp;c=2">Go') == [
        ("https://a.example/?b=1&amp;c=2", "https://a.example/?b=1&c=2", "Go")
    ]


@pytest.mark.parametrize("quote", ['"', "'", ""])
@pytest.mark.parametrize(
    "written, meant",
    [
        ("?a=1&region=eu&section=3&currency=EUR&notify=1", "?a=1&region=eu&section=3&currency=EUR&notify=1"),
        ("?a=1&copy=2&reg", "?a=1&copy=2®"),
        ("?a=1&copy;=2", "?a=1©=2"),
        ("?a=1&copyright;&nosuch;", "?a=1&copyright;&nosuch;"),
        ("&#x2F;b&#47c", "/b/c"),
        ("?a&&b&", "?a&&b&"),
    ],
)
def test_an_ampersand_in_an_address_means_what_it_means_to_a_browser(written, meant, quote):
    html = f"<a href={quote}https://a.example/{written}{quote}>Go"

    assert [found for _, found, _ in links(html)] == [f"https://a.example/{meant}"]


def test_an_area_of_an_image_is_a_link_without_text():
    assert links('<area href="https://a.example/">x') == [("https://a.example/", "https://a.example/", "")]


@pytest.mark.parametrize(
    "content, text",
    [
        ("Choose <b>a  time</b>\n now", "Choose a time now"),
        ("J&uuml;rgen &amp; Co", "Jürgen & Co"),
        ('<img src="x.png" alt="Apply now">', "Apply now"),
        ("a\x00b\x1bc", "a b c"),
        ("<script>x</script>", "x"),
        ("", ""),
        ("x" * 500, "x" * LONGEST_LINK_TEXT),
    ],
)
def test_a_link_has_the_text_that_its_reader_sees(content, text):
    assert links(f'<a href="https://a.example/">{content}</a> behind')[0][2] == text


def test_a_link_within_a_link_ends_the_first_as_in_a_browser():
    html = '<a href="https://a.example/">one <a href="https://b.example/">two</a> three</a>'

    assert [(written, text) for _, written, text in links(html)] == [
        ("https://a.example/", "one"),
        ("https://b.example/", "two"),
    ]


@pytest.mark.parametrize(
    "html",
    [
        '<!-- <a href="https://a.example/">x</a> -->',
        '<!--[if mso]> <!-- <a href="https://a.example/">x</a> --> <![endif]-->',
        "<!--[if mso]><a href=https://a.example/>x</a><![endif]-->",
        '<title><!--[if mso]><a href="https://a.example/">x</a><![endif]--></title>',
        "<script>var a = '<a href=\"https://a.example/\">'</script>",
        '<style>/* <a href="https://a.example/"> */</style>',
        '<title><a href="https://a.example/">x</a></title>',
        '<textarea><a href="https://a.example/">x</a></textarea>',
        '&lt;a href="https://a.example/"&gt;',
        '<a name="here">x</a>',
        "<a href>x</a>",
        '<p title="<a href=https://a.example/>">x</p>',
        '<a href="https://a.example/',
        '<a href="https://a.example/"',
        "https://a.example/",
    ],
)
def test_what_no_reader_can_follow_is_no_link(html):
    assert links(html) == []


@pytest.mark.parametrize(
    "html",
    [
        '<![if !mso]><a href="https://a.example/">x</a><![endif]>',
        '<![unheard of]><a href="https://a.example/">x</a>',
        '<?xml version="1.0"?><a href="https://a.example/">x</a>',
        '<o:p></o:p><v:rect x=y><a href="https://a.example/">x</a>',
        '<form><form><div><a href="https://a.example/">x</a></form>',
        '</b></table><td><a href="https://a.example/">x</a>',
        '< <<p <b><a href="https://a.example/">x</a>',
        '<p a="\'" b=\'"\'><a href="https://a.example/">x</a>',
        '&#xD800; &#; &bogus; &#99999999999;<a href="https://a.example/">x</a>',
        '\ufeff<a href="https://a.example/">x</a>',
        '<p\x0cclass=x><a href="https://a.example/">x</a>',
    ],
)
def test_a_link_is_found_in_html_that_is_broken_or_strange(html):
    assert [written for _, written, _ in links(html)] == ["https://a.example/"]


def test_links_are_found_past_a_tag_that_stops_the_parser():
    html = '<p x="unfinished <b>bold</b> <a href=https://a.example/>x</a>'

    assert [written for _, written, _ in links(html)] == ["https://a.example/"]


@pytest.mark.parametrize("mark", ['data-mailpulse="off"', "data-mailpulse=OFF", "DATA-MAILPULSE='off'"])
def test_an_author_can_opt_a_link_out(mark):
    (link,) = anatomy_of(f'<a {mark} href="https://a.example/">x</a>').links

    assert link.opted_out


@pytest.mark.parametrize(
    "html, rest",
    [
        ("<html><body><p>x</p></body></html>", "</body></html>"),
        ("<p>x</p></BODY >\n</html>", "</BODY >\n</html>"),
        ("<p>x</p></html>\n", "</html>\n"),
        ("<p>x</p>", ""),
        ("", ""),
        ("x</body>y</body>z", "</body>z"),
        ("<p>x</p><!-- </body> -->", ""),
        ("<script>'</body>'</script>", ""),
        ("<p>x</p><!-- never closed </body>", "<!-- never closed </body>"),
        ("<p>x</p><a href='never closed", "<a href='never closed"),
    ],
)
def test_the_end_of_the_body_is_where_something_last_would_still_be_shown(html, rest):
    assert behind_the_body(html) == rest


@pytest.mark.parametrize(
    "part",
    ["<a ", "<a href=\"x' ", "<", "&#", "<!--", "</a", "<![x", "<a/ ==", "<?x", "<a x='", "<a \"'", "<a href=x", "\n"],
)
def test_a_megabyte_of_nonsense_is_read_to_the_end(part):
    html = part * (1_000_000 // len(part))

    assert all(html[link.start : link.end] for link in anatomy_of(html).links)


@given(st.text(alphabet=st.sampled_from("<>/\"'=&;#! \n\x00abhrefscriptlo-[]?"), max_size=300))
def test_any_text_is_read_and_every_link_stands_where_it_is_said_to(html):
    anatomy = anatomy_of(html)

    assert 0 <= anatomy.end_of_body <= len(html)
    for link in anatomy.links:
        assert 0 <= link.start <= link.end <= len(html)
        assert link.start == link.end or html[link.start : link.end].strip("\n ") != "" or not link.written.strip()


@pytest.mark.parametrize(
    "html",
    [
        '<!--[if mso]><a href="https://a.example/">Go</a><![endif]-->',
        "<p>\n<!--[if (gte mso 9)|(IE)]>\n<table><td><a class=x href='https://a.example/'>Go</a></table>\n<![endif]-->",
        '<!-- [IF MSO]><v:roundrect xmlns:v="u" href="https://a.example/" fill="t">Go</v:roundrect><![ENDIF] -->',
    ],
)
def test_a_link_that_only_outlook_shows_is_found_and_told_apart(html):
    [link] = anatomy_of(html).links

    assert link.for_outlook
    assert html[link.start : link.end] == link.written == "https://a.example/"


def test_links_for_outlook_stand_where_they_are_among_the_others():
    html = (
        '<a href="https://a.example/1">1</a><!--[if mso]><a href="https://a.example/2">2</a><![endif]-->'
        '<!--[if !mso]><!--><a href="https://a.example/3">3</a><!--<![endif]-->'
    )

    assert [(link.written[-1], link.text, link.for_outlook) for link in anatomy_of(html).links] == [
        ("1", "1", False),
        ("2", "2", True),
        ("3", "3", False),
    ]

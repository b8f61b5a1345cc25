"""Instrumenting: pixel, links and unsubscription are put in; all else stays, byte for byte."""

import random
import re
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.tracking_tokens import SealedTokens
from application.email_registrations import RejectedEmail
from application.instrument_email import LONGEST_BODY, MOST_LINKS, InstrumentedEmail, InstrumentEmail
from application.link_texts import links_of_text
from application.ports.tracking_tokens import EmailReference
from domain.tracking_terms import Consent, ConsentMode, ConsentSource, TrackingPolicy
from domain.values import addressee_id_for
from domain.web_addresses import web_address
from entrypoints.web import examples
from entrypoints.web.instrument import EmailToInstrument
from tests.support.core import registration
from tests.support.drain_scene import DrainScene
from tests.support.emails import ACME, JOHN, NOON

PUBLIC_URL = "https://pulse.example.com"
OUR_LINK = re.compile(r"https://pulse\.example\.com/t/([ocu])/([A-Za-z0-9_-]+)")
FUZZED_TARGETS = 20_000


LINKS_OF_BOTH = {
    "html": '<a href="https://a.test/1">1</a><a href="https://a.test/2">2</a><a href="https://a.test/1">again</a>'
    '<a href="https://a.test/3" data-mailpulse="off">3</a><a href="mailto:a@a.test">4</a>'
    '<a href="{{unsubscribe_url}}">5</a>',
    "text": "https://a.test/1 https://a.test/2",
}


class Desk:
    """Instruments emails of one organisation on memory adapters."""

    def __init__(self):
        self.scene = DrainScene()
        self.tokens = SealedTokens(["a secret key for tests"])
        self._instrument = InstrumentEmail(
            self.scene.register_emails, self.scene.units, self.tokens, public_url=PUBLIC_URL
        )

    def __call__(self, html=None, text=None, **told) -> InstrumentedEmail | RejectedEmail:
        return self._instrument(ACME, registration(**told), html=html, text=text)

    def links(self, document):
        """Give every link of ours with what it stands for, and the document with the links' targets in their place."""
        found = []

        def put_back(match):
            kind, token = match.groups()
            if kind == "c":
                email, link = self.tokens.read_click(token)
                found.append(link)
                return link.url
            email = self.tokens.read_open(token) if kind == "o" else self.tokens.read_unsubscribe(token)
            assert email == EmailReference(ACME, email.email_id)
            return f"[{kind}]"

        return found, OUR_LINK.sub(put_back, document)

    def decide(self, policy):
        with self.scene.units.begin() as unit:
            organization = unit.tracking.organization(ACME)
            organization.change_policy(policy, changed_at=NOON, changed_by="r-7")
            unit.tracking.keep_policy(organization)

    def say(self, consent):
        addressee_id = addressee_id_for(ACME, JOHN)
        with self.scene.units.begin() as unit:
            recipient = unit.tracking.recipients([addressee_id])[addressee_id]
            recipient.change_consent(consent, organization_id=ACME, changed_at=NOON, source=ConsentSource.API)
            unit.tracking.keep_consents([recipient])


@pytest.fixture
def instrument():
    return Desk()


PIXEL = '<img src="[o]" width="1" height="1" alt="" style="border:0;width:1px;height:1px">'


def test_links_and_a_pixel_are_put_in_and_nothing_else_changes(instrument):
    html = (
        "<!DOCTYPE html>\r\n<HTML><body bgcolor=white>\tJürgen &nbsp; 😀"
        " <a class='x' href='https://a.example/1' >One</a>"
        '<a href="https://a.example/2?b=1">Two</a>\n<p>unclosed</body></HTML>\r\n'
    )

    answer = instrument(html)

    links, restored = instrument.links(answer.html)
    assert restored == html.replace("</body>", PIXEL + "</body>")
    assert [(link.url, link.position, link.text) for link in links] == [
        ("https://a.example/1", "1", "One"),
        ("https://a.example/2?b=1", "2", "Two"),
    ]
    assert (answer.tracked, answer.reason, answer.links) == (True, None, 2)


def test_an_address_is_followed_as_the_reader_s_program_would_read_it(instrument):
    answer = instrument('<a href=" https://a.example/?b=1&amp;c=ä\n">x</a>')

    [link], _ = instrument.links(answer.html)
    assert link.url == "https://a.example/?b=1&c=%C3%A4"


@pytest.mark.parametrize(
    "link",
    [
        '<a href="mailto:jobs@example.com">',
        '<a href="tel:+4930123">',
        '<a href="sms:+4930123">',
        '<a href="#top">',
        '<a href="">',
        '<a href="/relative">',
        '<a href="javascript:alert(1)">',
        '<a href="java&#10;script:alert(1)">',
        '<a href="data:text/html,x">',
        '<a href="cid:logo">',
        '<a href="https://a.example/{{job}}">',
        '<a href="https://a.example/" data-mailpulse="off">',
        '<img src="https://a.example/logo.png">',
        '<form action="https://a.example/"><form action="https://b.example/">',
        '<link href="https://a.example/x.css">',
    ],
)
def test_what_is_no_link_to_a_page_or_opted_out_is_left_alone(instrument, link):
    html = f"<body>{link}x</a></body>"

    answer = instrument(html)

    assert instrument.links(answer.html) == ([], html.replace("</body>", PIXEL + "</body>"))


def test_a_link_of_ours_is_left_alone(instrument):
    html = '<a href="https://pulse.example.com/t/c/already-tracked">x</a>'

    answer = instrument(html)

    assert answer.links == 0
    assert answer.html.startswith(html)


def test_the_same_address_twice_is_two_links(instrument):
    answer = instrument('<a href="https://a.example/">x</a><a href="https://a.example/">y</a>')

    links, _ = instrument.links(answer.html)
    assert [(link.url, link.position) for link in links] == [("https://a.example/", "1"), ("https://a.example/", "2")]


def test_plain_text_has_tracked_links_and_no_pixel(instrument):
    text = "Choose (https://a.example/w_(x)), or see <https://b.example/?q=1>. Mail jobs@example.com!\r\n"

    answer = instrument(text=text)

    links, restored = instrument.links(answer.text)
    assert restored == text
    assert [(link.url, link.position) for link in links] == [
        ("https://a.example/w_(x)", "text-1"),
        ("https://b.example/?q=1", "text-2"),
    ]
    assert answer.html is None


def test_instrumenting_again_gives_the_same_and_instruments_nothing_twice(instrument):
    html = '<a href="https://a.example/">x</a></body>'

    first = instrument(html, "https://a.example/")
    again = instrument(html, "https://a.example/")
    twice = instrument(first.html, first.text)

    assert again == first
    assert (twice.html, twice.text) == (first.html, first.text)


@pytest.mark.parametrize(
    "written", ["https://a.example/?who=John@Example.com", "https://a.example/?who=john%40example.com"]
)
def test_an_address_that_names_its_reader_leads_there_and_is_counted_without_the_name(instrument, written):
    answer = instrument(f'<a href="{written}">john@example.com</a>')

    [link], _ = instrument.links(answer.html)
    assert (link.url, link.counted_as, link.text) == (written, "https://a.example/?who=[recipient]", "[recipient]")


def test_the_email_is_registered_by_the_way(instrument):
    answer = instrument("<p>x</p>")

    [logged] = instrument.scene.store.log
    assert (answer.email_id, answer.email_log_id, answer.tracking_id) == (
        logged.stream_id,
        logged.place,
        logged.fact.tracking_id,
    )


@pytest.mark.parametrize(
    "placeholder",
    ["{{unsubscribe_url}}", "{{ unsubscribe_url }}", "%7B%7Bunsubscribe_url%7D%7D", "{{UNSUBSCRIBE_URL}}"],
)
def test_an_unsubscribe_link_of_the_author_becomes_ours(instrument, placeholder):
    answer = instrument(f'<a href="{placeholder}">No more</a>', f"No more: {placeholder}")

    assert instrument.links(answer.html) == ([], f'<a href="[u]">No more</a>{PIXEL}')
    assert instrument.links(answer.text) == ([], "No more: [u]")
    assert answer.headers["List-Unsubscribe"][1:-1] in answer.html


def test_the_reply_address_is_a_header_for_whoever_asks(instrument):
    headers = instrument("<p>x</p>", reply_domain="Reply.Example.com").headers

    assert headers["Reply-To"].startswith("reply+")
    assert headers["Reply-To"].endswith("@reply.example.com")
    assert "Reply-To" not in instrument("<p>x</p>").headers


def test_the_published_example_is_what_is_answered():
    scene = DrainScene()
    tokens = SealedTokens(["a secret key for tests"])
    instrument = InstrumentEmail(scene.register_emails, scene.units, tokens, public_url=PUBLIC_URL)
    email = msgspec.convert(examples.TO_INSTRUMENT, EmailToInstrument)

    answer = msgspec.to_builtins(instrument(ACME, email, html=email.html, text=email.text))

    assert _without_tokens(answer) == _without_tokens(examples.INSTRUMENTED)


def _without_tokens(answer):
    """Leave out what differs from installation to installation: ids, proofs and what links carry."""
    text = re.sub(r"(?<=/t/[ocu]/)[\w…-]+", "TOKEN", msgspec.json.encode(answer).decode())
    text = re.sub(r"reply\+[a-z2-7]{47}(?=@)", "reply+TOKEN", text)
    ids = dict.fromkeys(("email_id", "email_log_id", "tracking_id"), "ID")
    return msgspec.json.decode(text) | ids


def test_the_headers_let_mail_programs_unsubscribe_with_one_click(instrument):
    headers = instrument("<p>x</p>", message_id="42@mail.example.com").headers

    assert instrument.links(headers["List-Unsubscribe"]) == ([], "<[u]>")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["Message-ID"] == "<42@mail.example.com>"


@pytest.mark.parametrize(
    "told", [{"message_id": "14c5d75ce93"}, {"message_id": "a@b c"}, {"message_id": "é@example.com"}]
)
def test_an_id_that_is_no_message_id_becomes_no_header(instrument, told):
    assert "Message-ID" not in instrument("<p>x</p>", **told).headers


# Who is not tracked

UNTOUCHED = '<a href="https://a.example/">x</a></body>', "see https://a.example/"


@pytest.mark.parametrize(
    "decision, reason",
    [
        (lambda desk: desk.say(Consent.OPTED_OUT), "no_consent"),
        (lambda desk: desk.decide(TrackingPolicy(tracking_enabled=False)), "tracking_disabled"),
        (lambda desk: desk.decide(TrackingPolicy(consent_mode=ConsentMode.OPT_IN)), "no_consent"),
    ],
    ids=["recipient opted out", "organisation tracks nobody", "recipient did not opt in"],
)
def test_mail_that_may_not_be_tracked_comes_back_untouched_and_says_so(instrument, decision, reason):
    decision(instrument)

    answer = instrument(*UNTOUCHED)

    assert (answer.html, answer.text) == UNTOUCHED
    assert (answer.tracked, answer.reason, answer.links) == (False, reason, 0)


def test_mail_whose_sender_wants_no_tracking_comes_back_untouched(instrument):
    answer = instrument(*UNTOUCHED, tracking=False)

    assert (answer.html, answer.text, answer.tracked, answer.reason) == (*UNTOUCHED, False, "not_asked_for")


def test_an_opt_out_after_the_first_time_holds_the_second_time(instrument):
    assert instrument(*UNTOUCHED).tracked
    instrument.say(Consent.OPTED_OUT)

    assert not instrument(*UNTOUCHED).tracked


def test_who_is_not_tracked_can_unsubscribe_all_the_same(instrument):
    instrument.say(Consent.OPTED_OUT)

    answer = instrument('<a href="{{unsubscribe_url}}">No more</a>')

    assert instrument.links(answer.html) == ([], '<a href="[u]">No more</a>')
    assert "List-Unsubscribe" in answer.headers


# Bad input


@pytest.mark.parametrize(
    "arguments, field",
    [
        ({"html": "x" * (LONGEST_BODY + 1)}, "html"),
        ({"html": "x" * 2_000_000}, "html"),
        ({"text": "x" * (LONGEST_BODY + 1)}, "text"),
        ({}, "html"),
        ({"html": "x", "subject": "Hello\r\nBcc: everybody@example.com"}, "subject"),
        ({"html": "x", "message_id": "a\r\nb@example.com"}, "message_id"),
        ({"html": "x", "provider": "first_party"}, "provider"),
        ({"html": "x", "sent_at": NOON + timedelta(days=2)}, "sent_at"),
    ],
)
def test_what_cannot_be_instrumented_is_refused_with_the_field_and_nothing_is_registered(instrument, arguments, field):
    answer = instrument(**arguments)

    assert isinstance(answer, RejectedEmail)
    assert answer.field == field
    assert instrument.scene.store.log == []


def test_of_thousands_of_links_the_first_are_tracked(instrument):
    html = '<a href="https://a.example/">x</a>' * (MOST_LINKS + 5)

    answer = instrument(html)

    assert answer.links == MOST_LINKS
    assert answer.html.count('"https://a.example/"') == 5


def test_headers_hold_one_line_each_whatever_is_sent(instrument):
    for value in instrument("<p>x</p>", message_id="a@b.example").headers.values():
        assert re.fullmatch(r"[\x21-\x7e]+", value)


@given(st.text(max_size=200))
def test_text_without_links_comes_back_as_it_is(text):
    if not links_of_text(text):
        answer = Desk()(text=text.replace("{", ""))

        assert answer.text == text.replace("{", "")


def test_none_of_twenty_thousand_fuzzed_targets_leads_anywhere_but_where_the_author_linked_to(instrument):
    chance = random.Random(558)
    followed = 0
    for _ in range(FUZZED_TARGETS // 100):
        written = [_fuzzed_target(chance) for _ in range(100)]
        answer = instrument("".join(f'<a href="{_escaped(target)}">x</a>' for target in written))
        links, _ = instrument.links(answer.html)
        for link in links:
            target = written[int(link.position) - 1]
            assert link.url == web_address(target)
            assert re.match(r"https?://[^/?#\\@\s]+", link.url)
            assert link.url.isascii()
            assert link.url.isprintable()
        followed += len(links)

    assert followed > FUZZED_TARGETS // 20, "the fuzz makes too few real links to show anything"


def _fuzzed_target(chance):
    scheme = chance.choice(
        [
            "https://",
            "http://",
            "HTTPS://",
            "//",
            "",
            "javascript:",
            "data:",
            "https:",
            "https:/\\",
            "\thttps://",
            "ftp://",
        ]
    )
    host = chance.choice(
        ["a.example", "a.example:8443", "a@b.example", "[::1]", "a.example\\@evil.example", "ä.example"]
    )
    rest = "".join(chance.choice("/?#&=%.:@\\\r\n\t \x01\x7f<>\"'äa1{}|^`") for _ in range(chance.randrange(12)))
    return scheme + host + chance.choice(["", "/", "?", "#"]) + rest


def _escaped(target):
    return target.replace("&", "&amp;").replace('"', "&quot;")


def test_the_answer_survives_json(instrument):
    answer = instrument("<p>😀 \u2028</p>")

    assert msgspec.json.decode(msgspec.json.encode(answer), type=InstrumentedEmail) == answer


@pytest.mark.parametrize("length", [1_900, 3_100, 3_900])
def test_no_link_is_tracked_that_would_be_too_long_to_be_followed(instrument, length):
    html = f'<a href="https://a.example/?who={JOHN}&x={"x" * length}">x</a>'

    answer = instrument(html)

    links, as_sent = instrument.links(answer.html)  # reads every token
    assert as_sent == html + PIXEL
    assert len(links) == answer.links == (length < 2_500)


def test_a_text_full_of_brackets_is_read_once():
    brackets = LONGEST_BODY // 2  # looked at again for each of them, they would hold everybody up for minutes

    (found,) = links_of_text("https://a.example/" + "(" * 3 + ")" * brackets)

    assert found.written == "https://a.example/((()))"


@pytest.mark.parametrize(
    "text",
    [
        "ご都合の良い時間を、https://a.example/slots。お待ちしています",
        "（https://a.example/slots）まで",  # noqa: RUF001 - as it is written
        "「https://a.example/slots」をご覧ください",
        "请看：https://a.example/slots，谢谢",  # noqa: RUF001 - as it is written
        "And there is https://a.example/slots…",
    ],
)
def test_marks_of_other_scripts_end_a_link(text):
    assert [link.written for link in links_of_text(text)] == ["https://a.example/slots"]


@pytest.mark.parametrize(
    "bodies, links",
    [
        (LINKS_OF_BOTH, 3),
        ({"text": LINKS_OF_BOTH["text"]}, 2),
        ({"html": "<p>nothing</p>", "text": LINKS_OF_BOTH["text"]}, 2),
        ({"html": "<p>nothing</p>"}, 0),
    ],
    ids=["html before text", "text alone", "html without links", "none"],
)
def test_the_email_knows_how_many_links_its_reader_sees(instrument, bodies, links):
    answer = instrument(**bodies)

    with instrument.scene.units.begin() as unit:
        assert unit.registrations([answer.email_id])[answer.email_id].sent.links == links


def test_a_button_for_outlook_is_tracked_apart_and_all_else_stays_byte_for_byte(instrument):
    html = (
        '<!--[if mso]> <v:roundrect href="https://a.test/go" arcsize="8%"><w:anchorlock/>Go</v:roundrect>\n'
        "<a HREF='https://a.test/go'>Go</a><![endif]-->\r\n<!-- not <a href='https://a.test/no'>this</a> -->"
        '<![if !mso]><a href="https://a.test/go">Go</a><![endif]>'
    )
    answer = instrument(html=html)

    links, restored = instrument.links(answer.html)

    assert restored == html + PIXEL
    assert [(link.url, link.position) for link in links] == [
        ("https://a.test/go", "outlook-1"),
        ("https://a.test/go", "outlook-2"),
        ("https://a.test/go", "1"),
    ]
    with instrument.scene.units.begin() as unit:
        assert unit.registrations([answer.email_id])[answer.email_id].sent.links == 1, "what a reader sees at once"

"""A recipient's address does not stay in links and labels."""

import json
from base64 import urlsafe_b64encode
from hashlib import new
from unicodedata import normalize
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.email_message import EmailMessage
from domain.redaction import metadata_without_address, names_address, without_address
from tests.support.emails import JOHN, NOON, bounce, click, email_id, sent

TAGGED = "john+jobs@example.com"


def b64(text):
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def digest(name, address=JOHN):
    """As other systems name whom they track."""
    return new(name, address.encode()).hexdigest()


@pytest.mark.parametrize(
    "address, text, kept",
    [
        (JOHN, "https://x.test/?u=john@example.com&a=1", "https://x.test/?u=[recipient]&a=1"),
        (JOHN, "https://x.test/?u=John@EXAMPLE.com", "https://x.test/?u=[recipient]"),
        (JOHN, "https://x.test/?u=john%40example.com", "https://x.test/?u=[recipient]"),
        (JOHN, "https://x.test/?next=https%3A%2F%2Fy.test%2F%3Fu%3Djohn%2540example.com", None),
        (JOHN, "https://x.test/%6Aohn%40example%2ecom/", "https://x.test/[recipient]/"),
        (JOHN, "mailto:john@example.com?cc=john@example.com", "mailto:[recipient]?cc=[recipient]"),
        (TAGGED, "https://x.test/?u=john%2Bjobs%40example.com", "https://x.test/?u=[recipient]"),
        (TAGGED, "https://x.test/?u=john%2bjobs%40example.com", "https://x.test/?u=[recipient]"),
        (TAGGED, "https://x.test/?u=john%252Bjobs%2540example.com", "https://x.test/?u=[recipient]"),
        ("jörg@example.com", "https://x.test/?u=J%C3%96RG%40example.com", "https://x.test/?u=[recipient]"),
        ("jörg@example.com", "Für Jörg@Example.com", "Für [recipient]"),
        ("jörg@example.com", normalize("NFD", "https://x.test/?u=jörg@example.com"), "https://x.test/?u=[recipient]"),
        ("jörg@example.com", "https://x.test/?u=jo%CC%88rg%40example.com", "https://x.test/?u=[recipient]"),
        ("jörg@müller.test", "https://x.test/?u=j%C3%B6rg%40xn--mller-kva.test", "https://x.test/?u=[recipient]"),
        ("jörg@müller.test", "https://x.test/?u=xn--jrg-sna@XN--mller-kva.test&a", "https://x.test/?u=[recipient]&a"),
        (JOHN, f"https://x.test/?e={b64(JOHN)}&a=1", "https://x.test/?e=[recipient]&a=1"),
        (JOHN, f"https://x.test/u/{b64('John@Example.com')}/edit", "https://x.test/u/[recipient]/edit"),
        (JOHN, f"https://x.test/?d={b64(f'id=7&e={JOHN}')}", "https://x.test/?d=aWQ9NyZlP[recipient]"),
        (JOHN, f"https://x.test/?d={b64(quote(JOHN, safe=''))}", "https://x.test/?d=[recipient]"),
        (JOHN, f"https://x.test/?to=%2Fu%2F{b64(JOHN)}", "https://x.test/?to=%2Fu%2F[recipient]"),
        (JOHN, f"https://x.test/?h={JOHN.encode().hex()}.gif", "https://x.test/?h=[recipient].gif"),
        (
            JOHN,
            f"https://x.test/avatar/{digest('md5')}?s=80",
            "https://x.test/avatar/[recipient]?s=80",
        ),
        (JOHN, f"https://x.test/?h={digest('sha1').upper()}", "https://x.test/?h=[recipient]"),
        (JOHN, f"https://x.test/?h={digest('sha256')}", "https://x.test/?h=[recipient]"),
    ],
)
def test_the_address_is_taken_out_however_it_is_written(address, text, kept):
    redacted = without_address(text, address)

    assert not names_address(redacted, address)
    if kept is None:
        assert "[recipient]" in redacted
    else:
        assert redacted == kept


@pytest.mark.parametrize(
    "text",
    [
        "https://x.test/jobs/4711?utm_source=mail",
        "https://x.test/?u=mary%40example.com",
        "https://medium.com/@john",
        f"https://x.test/?e={b64('mary@example.com')}",
        f"https://x.test/?h={digest('md5', 'mary@example.com')}",
        "https://x.test/?t=3f2a9c4e7b1d4c0e9a8b7c6d5e4f3a2b&id=dQw4w9WgXcQ_5-9AbCdEfGhIjKlMnOpQrStUvWxYz",
        "100 % remote",
        "%",
        "",
    ],
)
def test_everything_else_stays_as_it_is(text):
    assert without_address(text, JOHN) is text


@pytest.mark.parametrize(
    "body, named",
    [
        ('[{"email": "john@example.com"}]', True),
        ('[{"email": "JOHN@example.com"}]', True),
        ('[{"email": "john\\u0040example.com"}]', True),
        ('[{"url": "https://x.test/?u=john%40example.com"}]', True),
        ('[{"email": "mary@example.com"}]', False),
        ('[{"email": 7}]', False),
        (f'[{{"url": "https://x.test/?e={b64(JOHN)}"}}]', True),
        (f'[{{"hash": "{digest("md5")}"}}]', True),
        (f'[{{"hash": "{digest("md5", "mary@example.com")}"}}]', False),
    ],
)
def test_a_providers_words_name_somebody_or_not(body, named):
    assert names_address(body, JOHN) is named


@pytest.mark.parametrize(
    "body",
    [
        '[{"email": "j\\u00f6rg@m\\u00fcller.test"}]',
        '[{"email": "jo\\u0308rg@xn--mller-kva.test"}]',
        '[{"email": "JÖRG@MÜLLER.test"}]',
    ],
)
def test_a_providers_words_name_somebody_with_umlauts(body):
    assert names_address(body, "jörg@müller.test")


def test_names_and_texts_of_metadata_are_redacted():
    metadata = {"john@example.com": 1, "who": "John@example.com", "campaign": "c-1", "n": 7, "none": None}

    assert metadata_without_address(metadata, JOHN) == {
        "[recipient]": 1,
        "who": "[recipient]",
        "campaign": "c-1",
        "n": 7,
        "none": None,
    }
    assert metadata_without_address(None, JOHN) is None


def test_what_an_email_keeps_of_a_report_does_not_hold_the_address():
    message = EmailMessage(email_id())
    message.register(sent())
    message.record(
        click(
            url="https://x.test/?u=john%40example.com",
            link_text="Unsubscribe john@example.com",
            metadata={"to": "john@example.com"},
        ),
        received_at=NOON,
    )
    message.record(bounce(detail="550 5.1.1 <john@example.com>: user unknown"), received_at=NOON)

    _, clicked, bounced = (event.fact for event in message.collect_events())

    assert clicked.url == "https://x.test/?u=[recipient]"
    assert clicked.link_text == "Unsubscribe [recipient]"
    assert clicked.metadata == {"to": "[recipient]"}
    assert bounced.personal.detail == "550 5.1.1 <[recipient]>: user unknown"


letters = st.text("abc.+-_%", min_size=1, max_size=8)
addresses = st.builds(
    lambda local, host: f"{local}@{host}.test",
    letters.filter(lambda t: "%" not in t),
    st.text("xyz", min_size=1, max_size=5),
)
encodings = st.sampled_from(
    [
        str,
        str.upper,
        quote,
        lambda text: quote(quote(text)),
        lambda text: quote(text).lower(),
        lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
        b64,
        lambda text: quote(b64(text.upper())),
        lambda text: text.encode().hex(),
        lambda text: b64(json.dumps({"e": text})),
        lambda text: json.dumps(text.upper()).encode().hex(),
    ]
)


@given(addresses, encodings, st.text(max_size=20), st.text(max_size=20))
def test_no_text_names_the_address_afterwards(address, encode, before, after):
    redacted = without_address(f"{before}{encode(address)}{after}", address)

    assert address not in redacted.lower()
    assert address not in unquote(redacted).lower()
    assert address not in unquote(unquote(redacted)).lower()
    assert not names_address(redacted, address)

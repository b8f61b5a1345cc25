"""A recipient's name does not stay in links and labels either (SEC-6)."""

import json
from base64 import b64encode, urlsafe_b64encode
from unicodedata import normalize
from urllib.parse import quote, quote_plus, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.email_facts import Personal
from domain.email_message import EmailMessage
from domain.redaction import without_recipient
from tests.support.emails import JOHN, NOON, bounce, click, drop, email_id, sent

SMITH = "John Smith"


def redacted(text, name=SMITH):
    return without_recipient(text, Personal(address=JOHN, name=name))


@pytest.mark.parametrize(
    "name, text, kept",
    [
        (SMITH, "https://x.test/?n=John+Smith&a=1", "https://x.test/?n=[recipient]&a=1"),
        (SMITH, "https://x.test/?n=JOHN%20smith", "https://x.test/?n=[recipient]"),
        (SMITH, "https://x.test/?n=%4A%6F%68%6E%20%53mith#end", "https://x.test/?n=[recipient]#end"),
        (SMITH, "https://x.test/?next=https%3A%2F%2Fy.test%2F%3Fn%3DJohn%2520Smith%26a%3D1", None),
        (SMITH, "https://x.test/john-smith/slots", "https://x.test/[recipient]/slots"),
        (SMITH, "https://x.test/jsmith84", "https://x.test/[recipient]84"),
        (SMITH, "https://x.test/?first=John&last=Smith", "https://x.test/?first=[recipient]&last=[recipient]"),
        (SMITH, "https://x.test/?n=Smith%2C+John", "https://x.test/?n=[recipient]"),
        (SMITH, "https://johnsmith.test/cv", "https://[recipient].test/cv"),
        (SMITH, "Good morning, John!", "Good morning, [recipient]!"),
        (SMITH, "johnsmith@elsewhere.test", "[recipient]@elsewhere.test"),
        ("Dr. Jörg von Müller", "https://x.test/?n=J%C3%B6rg+M%C3%BCller", "https://x.test/?n=[recipient]"),
        ("Jörg Müller", "https://x.test/joerg.mueller", "https://x.test/[recipient]"),
        ("Jörg Müller", "https://x.test/?n=J%F6rg%20M%FCller", "https://x.test/?n=[recipient]"),
        ("Jörg Müller", normalize("NFD", "Für Jörg MÜLLER"), normalize("NFD", "Für [recipient]")),
        ("Łukasz Żak", "https://x.test/lukasz-zak", "https://x.test/[recipient]"),
        ("Иван Петров", "Для Ивана? Для ИВАН ПЕТРОВ", "Для Ивана? Для [recipient]"),
        ("李伟", "李伟先生", "[recipient]先生"),
        (
            "Sinéad O'Brien",
            "https://x.test/?n=O%27Brien%2C+Sin%C3%A9ad",
            "https://x.test/?n=[recipient]%2C+[recipient]",
        ),
        ("Sean O'Brien", "https://x.test/sean-obrien/obrien", "https://x.test/[recipient]/[recipient]"),
        ("Maria de la Cruz", "https://x.test/mdelacruz/delacruz", "https://x.test/[recipient]/[recipient]"),
        ("Jan van Dijk", "https://x.test/jvandijk/jan-vandijk", "https://x.test/[recipient]/[recipient]"),
        ("Ben Al-Hassan", "https://x.test/ben.alhassan", "https://x.test/[recipient]"),
        ("Mary Ann Smith", "https://x.test/maryann", "https://x.test/[recipient]"),
        ("Al Van", "https://x.test/al-van", "https://x.test/[recipient]"),
        ("Xi Y", "https://x.test/xiy", "https://x.test/[recipient]"),
        ("Ann Lee", "https://x.test/AnnLeeProfile", "https://x.test/[recipient]Profile"),
        ("Ann Lee", "https://x.test/profileOfLeeAnn/v2", "https://x.test/profileOf[recipient]/v2"),
        ("Ann Lee", "https://x.test/HRAnnLee?cvANNLee=1", "https://x.test/HR[recipient]?cv[recipient]=1"),
        ("Ann Lee", "https://x.test/?next=%2FAnnLeeProfile", "https://x.test/?next=%2F[recipient]Profile"),
        ("Rory McDonald", "https://x.test/showMcDonaldCv", "https://x.test/show[recipient]Cv"),
        ("Rory McDonald", "https://x.test/showMcdonaldCv", "https://x.test/show[recipient]Cv"),
        ("André Lee", normalize("NFD", "/AndréLeeProfil"), "/[recipient]Profil"),
        ("Иван Петров", "/ИванПетровПрофиль", "/[recipient]Профиль"),
        ("Jörg Müller", "https://xn--jrg-mller-07a4e.test/", "https://[recipient].test/"),
        ("Jörg Müller", "https://x.test/to/xn--mller-kva", "https://x.test/to/[recipient]"),
    ],
)
def test_the_name_is_taken_out_however_it_is_written(name, text, kept):
    if kept is None:
        assert "john" not in redacted(text, name).lower()
        assert "smith" not in redacted(text, name).lower()
    else:
        assert redacted(text, name) == kept


@pytest.mark.parametrize(
    "name, text",
    [
        (SMITH, "https://x.test/jobs/4711?utm_source=mail"),
        (SMITH, "https://smith.test/jobs"),
        (SMITH, "https://x.test/blacksmith/johnson"),
        (SMITH, "100 % remote"),
        (SMITH, "%"),
        ("", "https://x.test/?n=John"),
        ("  -  ", "https://x.test/a-b"),
        ("J. A.", "https://x.test/j/a"),
        ("Ludwig van Gaal", "https://x.test/van/1"),
        ("Al Li", "https://x.test/alliance"),
        ("Ann Lee", "https://x.test/AnnualReport/sleepMode/PlanNext/bannLeeds"),
        ("Art Will", "https://x.test/ArticleView/smartPhone/Willow/goodWilling/ARTICLES"),
        ("Jörg Müller", "https://xn--mller-kva.test/xn--bcher-kva/xn--/xn--999999999999"),
    ],
)
def test_everything_else_stays_as_it_is(name, text):
    assert redacted(text, name) == text


@pytest.mark.parametrize(
    "written, kept",
    [
        (b64encode(b"John Smith").decode(), "[recipient]=="),
        (b64encode(b'{"n":"John"}').decode(), "eyJuIjoi[recipient]J9"),
        (
            "v1_" + urlsafe_b64encode("Dear Ms SMITH, ¿ça va?".encode()).decode(),
            "v1_RGVhciBNcy[recipient]wgwr_Dp2EgdmE_",
        ),
        (quote(b64encode(b"??>John").decode(), safe=""), "Pz8%2B[recipient]%3D%3D"),
        (b"John Smith".hex(), "[recipient]"),
        (b"id=7&n=Smith".hex().upper(), b"id=7&n=".hex().upper() + "[recipient]"),
    ],
)
def test_the_name_is_taken_out_of_what_its_author_encoded(written, kept):
    assert redacted(f"https://x.test/go/{written}?a=1") == f"https://x.test/go/{kept}?a=1"


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode, lambda text: text.hex().encode()])
def test_the_name_is_taken_out_of_encoded_json_that_escapes_its_letters(encode):
    written = encode(json.dumps({"who": "Jörg Vögel", "n": 7}).encode()).decode()

    kept = redacted(f"https://x.test/go/{written}", "Jörg Vögel")

    assert kept.count("[recipient]") == 1
    assert len(kept) < len(f"https://x.test/go/{written}")


def test_a_name_of_many_words_with_umlauts_costs_no_more_than_its_length():
    name = " ".join(["Jörg"] * 200)

    assert redacted("https://x.test/joerg/öa", name) == "https://x.test/[recipient]/öa"


def test_of_somebody_who_was_erased_nothing_but_a_number_is_kept():
    assert without_recipient("https://x.test/john-smith", None) == "[recipient]"
    assert without_recipient("John, choose a time", None) == "[recipient]"
    assert [without_recipient(text, None) for text in ("2", "text-1", "")] == ["2", "text-1", ""]


def test_what_an_email_keeps_of_a_report_does_not_hold_the_name():
    message = EmailMessage(email_id())
    message.register(sent())
    message.record(click(url="https://x.test/?n=John+Smith", link_text="John, apply"), received_at=NOON)
    message.record(bounce(reason="no_such_person_john_smith"), received_at=NOON)
    message.record(drop(reason="john_smith"), received_at=NOON)

    _, clicked, bounced, dropped = (event.fact for event in message.collect_events())

    assert (clicked.url, clicked.link_text) == ("https://x.test/?n=[recipient]", "[recipient], apply")
    assert (bounced.reason, dropped.reason) == ("no_such_person_[recipient]", "[recipient]")


def test_what_an_email_keeps_after_its_recipient_was_erased_holds_no_words():
    message = EmailMessage(email_id())
    message.register(sent())
    message.identify(None)
    message.record(click(url="https://x.test/?n=John+Smith", link_position="2", link_text="Apply"), received_at=NOON)

    clicked = message.collect_events()[-1].fact

    assert (clicked.url, clicked.link_position, clicked.link_text) == ("[recipient]", "2", "[recipient]")


words = st.text("abcdefghijklmnopqrstuvwxyzäöüéłżжф", min_size=3, max_size=8)
encodings = st.sampled_from(
    [
        str,
        str.upper,
        str.title,
        quote,
        quote_plus,
        lambda text: quote(quote(text)),
        lambda text: quote_plus(text).lower(),
        lambda text: text.replace(" ", "-"),
        lambda text: text.replace(" ", ""),
        lambda text: normalize("NFD", text),
        lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    ]
)


@given(words, words, encodings, st.text(max_size=20))
def test_no_text_holds_the_name_afterwards(first, last, encode, after):
    text = redacted(f"https://x.test/?n={encode(f'{first} {last}')}&{after}", f"{first} {last}")

    read = normalize("NFC", unquote_plus(unquote_plus(text)).casefold())
    assert f"{first} {last}" not in read
    assert f"{first}{last}" not in read
    assert f"{first}-{last}" not in read

"""Which email an incoming mail answers, and what becomes of one whose email nobody registered."""

import pytest

from adapters.providers.sendgrid import SendGrid
from adapters.providers.ses import AmazonSes
from application.email_registrations import Recipient, RejectedEmail
from application.match_mail import FROM_ANOTHER_ADDRESS
from application.retry_parked import RetryOutcome
from application.tracking_policies import TrackingPolicies
from domain.email_facts import Bounced, Replied
from tests.support.core import registration
from tests.support.drain_scene import DrainScene
from tests.support.emails import ACME, GLOBEX, NOON, email_id, hours
from tests.support.known import known_of
from tests.support.mails import MESSAGE_ID, mail
from tests.support.signed_deliveries import OneCertificate

JOHNS = "john.smith@gmail.example"
REPLY = "reply_gmail_web"
OWN_ID = "CAJx0aBsynthetic+fEwQ@mail.gmail.example"


@pytest.fixture
def scene():
    scene = DrainScene({"sendgrid": SendGrid(), "ses": AmazonSes(OneCertificate())})
    scene.now = NOON + hours(1)
    return scene


def sent(message_id=MESSAGE_ID, address=JOHNS, **told):
    return registration(message_id, recipient=Recipient(id="c-1", email=address), **told)


def comes(scene, raw, **told):
    kept = scene.provider.without_words({"content-type": "message/rfc822"}, raw, scene.now)
    scene.receive(body=kept, **told)
    return scene.drain.drain_batch()


def answered(scene):
    """Email and fact of everything but registrations."""
    return [(logged.stream_id, logged.fact) for logged in scene.store.log if hasattr(logged.fact, "key")]


# How it is found


def test_a_reply_is_told_by_what_it_quotes(scene):
    scene.register(sent())

    drained = comes(scene, mail(REPLY))

    [(email, fact)] = answered(scene)
    assert (drained.events, email) == (1, email_id(MESSAGE_ID, JOHNS))
    assert isinstance(fact, Replied)
    assert fact.occurred_at.isoformat() == "2026-11-21T11:58:18+00:00"
    assert fact.metadata is None


def test_a_reply_is_told_by_its_address_before_all_else(scene):
    [_, other] = scene.register(sent(), sent("another@mail.northwind.example", reply_domain="Reply.Northwind.example"))

    comes(scene, mail(REPLY, reply_to=other.reply_to))

    assert other.reply_to.endswith("@reply.northwind.example")
    assert answered(scene)[-1][0] == other.email_id


def test_the_second_reply_of_a_thread_is_told_by_its_references(scene):
    scene.register(sent())
    raw = mail(REPLY).replace(b"In-Reply-To: <invite-17@", b"In-Reply-To: <somebody-elses@")

    assert comes(scene, raw).events == 1


@pytest.mark.parametrize(
    "provider, message_id, quoted",
    [
        ("sendgrid", "14c5d75ce93", "14c5d75ce93.dfd.64b469@ismtpd-555"),
        ("sendgrid", "euo2iKxdSayPF4YE4--I7A", "euo2iKxdSayPF4YE4--I7A@geopod-ismtpd-canary-0"),
        ("ses", "0102019a-5d3c-000000", "0102019a-5d3c-000000@eu-west-1.amazonses.com"),
        ("ses", "0102019a-5d3c-000000", "0102019a-5d3c-000000@email.amazonses.com"),
    ],
)
def test_ids_that_a_provider_writes_into_the_header_are_recognised(scene, provider, message_id, quoted):
    scene.register(sent(message_id, provider=provider))

    assert comes(scene, mail(REPLY).replace(MESSAGE_ID.encode(), quoted.encode())).events == 1


def test_a_header_of_the_senders_own_is_recognised_where_it_was_told(scene):
    scene.register(sent("14c5d75ce93", provider="sendgrid", internet_message_id=f" <{MESSAGE_ID}> "))

    assert comes(scene, mail(REPLY)).events == 1


def test_a_reply_from_another_address_counts_and_says_so(scene):
    scene.register(sent(address="john@work.example"))

    comes(scene, mail(REPLY))

    [(_, fact)] = answered(scene)
    assert fact.metadata == {FROM_ANOTHER_ADDRESS: True}


def test_of_several_recipients_of_one_id_it_is_the_one_who_answers(scene):
    scene.register(sent(address="mary@example.com"), sent(), sent(address="jane@example.com"))

    comes(scene, mail(REPLY))

    assert answered(scene)[-1][0] == email_id(MESSAGE_ID, JOHNS)


def test_of_several_recipients_of_one_id_none_is_guessed(scene):
    scene.register(sent(address="mary@example.com"), sent(address="jane@example.com"))

    drained = comes(scene, mail(REPLY))

    assert (drained.events, drained.orphaned) == (0, 1)


def test_another_organisations_email_is_never_answered(scene):
    [registered] = scene.register(sent(reply_domain="reply.northwind.example"))

    drained = comes(scene, mail(REPLY, reply_to=registered.reply_to), organization_id=GLOBEX)

    assert (drained.events, drained.orphaned) == (0, 1)


# Once


def test_a_reply_that_comes_by_two_ways_counts_once(scene):
    scene.register(sent())

    first, second = comes(scene, mail(REPLY)), comes(scene, b"Received: by another way\r\n" + mail(REPLY))

    assert (first.events, second.events, second.repeated) == (1, 0, 1)


# What does not count


def test_machines_are_counted_apart(scene):
    scene.register(sent())

    drained = comes(scene, mail("automatic_gmail_vacation"))

    assert (drained.events, drained.ignored, scene.store.outcomes) == (0, {"auto_reply": 1}, {"ignored_auto_reply": 1})


def test_our_own_mail_that_comes_back_is_ignored(scene):
    scene.register(sent(), sent(OWN_ID))

    assert comes(scene, mail(REPLY)).ignored == {"own_mail": 1}


def test_list_mail_counts_only_as_an_answer(scene):
    raw = b"List-Id: <jobs.example>\r\n" + mail(REPLY)

    stray = comes(scene, raw)
    scene.register(sent())
    reply = comes(scene, raw)

    assert (stray.ignored, stray.orphaned, reply.events) == ({"mailing_list": 1}, 0, 1)


def test_a_mail_that_answers_nothing_is_ignored(scene):
    drained = comes(scene, mail(REPLY, without=["In-Reply-To", "References"]))

    assert drained.ignored == {"unrelated_mail": 1}


def test_an_open_cannot_come_by_mail(scene):
    scene.register(sent())

    drained = comes(scene, mail("receipt_outlook"))

    assert drained.ignored == {"read_receipt": 1}


# Delivery reports


MARYS = "mary.major@gmail.example"


def bounce_of(address, *, named="To", original=True):
    """A delivery report about somebody to whom a copy of John's email went, or John's was passed on."""
    copied = f"Cc: Mary <{MARYS.upper()}>\n" if named == "Cc" else ""
    raw = mail("bounce_postfix", newline=b"\n", without=() if original else ("Original-Recipient",)).decode()
    raw = raw.replace("Reply-To:", f"{copied}Reply-To:")
    for field in ("Final-Recipient: rfc822; ", "Original-Recipient: rfc822;"):
        raw = raw.replace(f"{field}{JOHNS}", f"{field}{address}")
    return raw.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    "raw, outcome",
    [
        (bounce_of(JOHNS), "recorded"),
        (bounce_of(MARYS), "another_recipient"),
        (bounce_of(MARYS, named="Cc", original=False), "another_recipient"),
        (bounce_of(MARYS, original=False), "recorded"),
    ],
    ids=["the recipient's", "by its own words of a copy", "of somebody in Cc", "passed on by the recipient"],
)
@pytest.mark.parametrize("is_late", [False, True], ids=["known", "registered later"])
def test_a_delivery_report_about_somebody_elses_copy_is_no_bounce_of_the_email(scene, raw, outcome, is_late):
    if not is_late:
        scene.register(sent())
    drained = comes(scene, raw)
    if is_late:
        scene.register(sent())

    assert len(answered(scene)) == (outcome == "recorded")
    assert all(fact.metadata is None for _, fact in answered(scene))
    assert scene.store.parked == {}
    if not is_late:
        assert drained.ignored == ({} if outcome == "recorded" else {outcome: 1})


@pytest.mark.parametrize("address, recorded", [(MARYS, []), (JOHNS, [Bounced])], ids=["a copy's", "the recipient's"])
def test_privacy_mode_keeps_in_mind_whose_copy_a_waiting_delivery_report_is_about(scene, address, recorded):
    TrackingPolicies(scene.units, lambda: scene.now).change(ACME, {"privacy_mode": True}, changed_by="u-1")
    comes(scene, bounce_of(address))
    scene.register(sent())

    assert [type(fact) for _, fact in answered(scene)] == recorded
    assert scene.store.parked == {}


def test_a_delivery_report_is_a_bounce_with_its_reason(scene):
    scene.register(sent())

    comes(scene, mail("bounce_postfix"))

    [(_, fact)] = answered(scene)
    assert isinstance(fact, Bounced)
    assert (str(fact.bounce_kind), fact.reason) == ("hard", "mailbox_does_not_exist")


# Too early


def test_a_reply_waits_for_its_email_and_finds_it(scene):
    early = comes(scene, mail(REPLY))
    scene.register(sent())

    assert (early.events, early.orphaned) == (0, 1)
    assert [type(fact) for _, fact in answered(scene)] == [Replied]
    assert scene.store.parked == {}


def test_a_waiting_reply_finds_an_email_that_gets_its_header_told_later(scene):
    scene.register(sent("14c5d75ce93", provider="sendgrid"))
    comes(scene, mail(REPLY))

    [again] = scene.register(sent("14c5d75ce93", provider="sendgrid", internet_message_id=MESSAGE_ID))

    assert again.status == "already_registered"
    assert [type(fact) for _, fact in answered(scene)] == [Replied]


def test_a_waiting_reply_is_told_from_another_address_too(scene):
    comes(scene, mail(REPLY))

    scene.register(sent(address="john@work.example"))

    [(_, fact)] = answered(scene)
    assert fact.metadata == {FROM_ANOTHER_ADDRESS: True}


def test_a_repeated_early_reply_waits_once(scene):
    comes(scene, mail(REPLY))
    comes(scene, mail(REPLY))

    assert scene.parked() == [("orphaned", 2)]


def test_an_early_report_about_two_recipients_waits_for_both(scene):
    second = b"\r\n\r\nFinal-Recipient: rfc822; mary@example.com\r\nAction: failed\r\nStatus: 4.4.7\r\n"
    comes(scene, mail("bounce_postfix").replace(b"\r\n    typos\r\n", b"\r\n    typos" + second))

    scene.register(sent(), sent(address="mary@example.com"))

    assert {email for email, _ in answered(scene)} == {
        email_id(MESSAGE_ID, JOHNS),
        email_id(MESSAGE_ID, "mary@example.com"),
    }


def test_what_passed_its_registration_is_found_by_the_sweep(scene):
    scene.register(sent())
    threads, scene.store.threads = scene.store.threads, set()
    comes(scene, mail(REPLY))
    scene.store.threads = threads

    assert scene.rematch.sweep() == 1
    assert [type(fact) for _, fact in answered(scene)] == [Replied]


def test_a_parked_reply_holds_no_words_and_may_be_tried_again(scene):
    comes(scene, mail(REPLY))

    [(number, parked)] = scene.store.parked.items()
    assert "ynthetic words" not in repr(parked)
    assert scene.retry(parked.report.organization_id, number) is RetryOutcome.STILL_ORPHANED


# Registration


@pytest.mark.parametrize(
    "domain",
    ["", "localhost", "a b.example", "-a.example", "a..example", "x" * 64 + ".example", "a@b.example", "é.example",
     "a.example\n", "a.example>\r\nBcc: x@y.example"],
)  # fmt: skip
def test_a_reply_domain_is_a_domain(scene, domain):
    [answer] = scene.register(sent(reply_domain=domain))

    assert answer == RejectedEmail(field="reply_domain", detail="is no domain name, such as reply.example.com")


@pytest.mark.parametrize("message_id", ["", "<>", "x" * 999, "a\x00b"])
def test_an_internet_message_id_is_one(scene, message_id):
    [answer] = scene.register(sent(internet_message_id=message_id))

    assert (answer.field, answer.detail[:8]) == ("internet_message_id", "is empty")


def test_nobody_gets_an_address_who_did_not_ask(scene):
    [answer] = scene.register(sent())

    assert answer.reply_to is None


def test_a_reply_counts_once_per_mail(scene):
    scene.register(sent())
    comes(scene, mail(REPLY))
    comes(scene, mail(REPLY, without=["Message-ID"]))

    assert known_of(scene.store.history_of(email_id(MESSAGE_ID, JOHNS))).reply_count == 2

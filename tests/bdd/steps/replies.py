"""What people and mail servers send back, by whichever way it comes in."""

import re
from email.utils import format_datetime

import msgspec
from pytest_bdd import given, parsers, then, when

from tests.bdd.inbound_ways import SENDER_ADDRESS, WAYS
from tests.bdd.recruiting_team import address_of
from tests.support.mails import MESSAGE_ID, mail

CLIENTS = {
    "Gmail": "reply_gmail_web",
    "Outlook": "reply_outlook_exchange",
    "Apple Mail": "reply_apple_mail",
    "Thunderbird": "reply_thunderbird",
    "Yahoo": "reply_yahoo",
}
NOTES = {
    "out of office, of Exchange": "automatic_exchange_out_of_office",
    "vacation, of Gmail": "automatic_gmail_vacation",
    "a subject that says so": "automatic_subject_only",
    "a receipt that it was read": "receipt_outlook",
}
SERVERS = {
    "Postfix": "bounce_postfix",
    "Exchange": "bounce_exchange",
    "Gmail": "bounce_gmail",
    "Amazon SES": "bounce_amazon_ses",
}
ANSWERS = r"(?P<to>[A-Z]\w+ [A-Z]\w+) answers from (?P<client>[\w ]+?) (?P<ago>\d+ hours ago)"
REPORTS = "mailpulse_reports_total"


@given(parsers.parse("replies come in by {way}"))
def replies_come_in_by(scene, way):
    scene.way = WAYS[way].opened_for(scene.team)


@when(parsers.re(ANSWERS))
def somebody_answers(scene, to, client, ago):
    comes_in(scene, of_person(scene, to, client, ago))


@when(parsers.re(rf"{ANSWERS}, and the mail quotes nothing"))
def somebody_answers_by_address(scene, to, client, ago):
    comes_in(scene, of_person(scene, to, client, ago, without=["In-Reply-To", "References"]))


@when(parsers.re(rf'{ANSWERS}, from the address "(?P<address>.+)"'))
def somebody_answers_from_elsewhere(scene, to, client, ago, address):
    comes_in(scene, of_person(scene, to, client, ago, address=address))


@when(parsers.parse('somebody answers from {client} an email that nobody registered, with message id "{message_id}"'))
def somebody_answers_too_early(scene, client, message_id):
    comes_in(scene, written(scene, CLIENTS[client], "2 hours ago", message_id, address_of("John Smith")))


@when(parsers.parse("the mailbox of {to} answers by itself: {note}"))
def a_machine_answers(scene, to, note):
    scene.reports_before = dict(ignored(scene))
    email = scene.team.email({"to": to})
    comes_in(scene, written(scene, NOTES[note], "2 hours ago", email.header, email.address))


@when(parsers.re(r"the mail server (?P<server>.+) returns the email to (?P<to>\w+ \w+) (?P<ago>.+)"))
def a_server_returns_the_email(scene, server, to, ago):
    email = scene.team.email({"to": to})
    comes_in(scene, written(scene, SERVERS[server], ago, email.header, email.address))


@when(parsers.parse("the same mail comes in by {way}"))
def the_same_mail_comes_in(scene, way):
    replies_come_in_by(scene, way)
    comes_in(scene, scene.mail)


@when(parsers.parse("somebody who does not know the password posts an answer of {to}"))
def somebody_forges_a_mail(scene, to):
    scene.answers = [scene.way.posted(of_person(scene, to, "Gmail", "2 hours ago"), forged=True)]


@when("Amazon SES tells of a mail that it put elsewhere")
def the_mail_lies_elsewhere(scene):
    receipt = {"recipients": [], "action": {"type": "S3", "bucketName": "mails", "objectKey": "1"}}
    scene.answers = [scene.way.tells({"notificationType": "Received", "mail": {"messageId": "1"}, "receipt": receipt})]
    scene.assert_acknowledged()


@then(parsers.parse('the one failed report says what to do: "{words}"'))
def the_failed_report_says(scene, words):
    scene.settle()
    [failed] = scene.team.all_of("/webhook-deliveries?status=failed")
    assert words in failed["reason"], failed["reason"]


@then(parsers.parse('the operator sees one more mail ignored as "{reason}"'))
def one_more_is_ignored(scene, reason):
    scene.settle()
    before, now = scene.reports_before.get(reason, 0), ignored(scene)[reason]
    assert now == before + 1, f"{reason} went from {before} to {now}"


@then("nothing that was written is kept")
def nothing_written_is_kept(scene):
    scene.settle()
    words = re.search(rb"Synth[a-z]+ [Ww]or\w+", scene.mail)[0].decode()
    assert scene.service.places_that_hold(words) == []
    assert scene.service.places_that_hold("Ruth Recruiter"), "the search does not find what is there"


def ignored(scene):
    return {
        reason: scene.service.counted(REPORTS, outcome=f"ignored_{reason}") for reason in ("auto_reply", "read_receipt")
    }


def comes_in(scene, raw):
    scene.mail = raw
    scene.answers = [scene.way.posted(raw)]
    scene.assert_acknowledged()


def of_person(scene, to, client, ago, *, address=None, without=()):
    email = scene.team.email({"to": to})
    reply_to = email.reply_to or "ruth@northwind.example"
    sender = address or email.address
    return written(scene, CLIENTS[client], ago, email.header, sender, reply_to=reply_to, without=without)


def written(scene, name, ago, header, address, **told):
    """Give a mail of a sample as somebody of the scenario wrote it."""
    text = mail(name, **told).decode()
    date = format_datetime(scene.moments.at(ago))
    text = re.sub(r"^Date: .*$", f"Date: {date}\r", text, count=1, flags=re.MULTILINE)
    text = text.replace(MESSAGE_ID, header)
    # Scenarios share one service: each mail is another one.
    text = re.sub(r"(?im)^(Message-ID:\s*<)", rf"\g<1>{msgspec.json.encode(id(scene)).decode()}.", text, count=1)
    return SENDER_ADDRESS.sub(address, text).encode()

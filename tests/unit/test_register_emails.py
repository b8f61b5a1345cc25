from datetime import datetime, timedelta, timezone

import pytest

from application.email_registrations import LONGEST_ID, LONGEST_TEXT, Job, Recipient, RejectedEmail, Sender, Template
from application.ports.unit_of_work import StoreUnavailableError
from application.transactions import RERUNS_AFTER_CONFLICT
from tests.support.core import registration
from tests.support.drain_scene import DrainScene
from tests.support.emails import CAMPAIGN, GLOBEX, JOHN, NOON, days, hours, seconds


@pytest.fixture
def scene():
    return DrainScene()


def test_a_registered_email_is_found_by_its_ids(scene):
    [answer] = scene.register(registration())

    [logged] = scene.store.log
    assert (answer.status, answer.email_id, answer.email_log_id) == ("registered", logged.stream_id, logged.place)
    assert answer.tracking_id == logged.fact.tracking_id


def test_everything_told_is_kept(scene):
    scene.register(
        registration(
            job=Job(id="j-3", title="Software Engineer", hiring_manager_id="h-2"),
            template=Template(id="invite", name="Invitation"),
            campaign_id=CAMPAIGN,
            sent_at=datetime(2026, 11, 21, 13, tzinfo=timezone(timedelta(hours=1))),
            recipient=Recipient(id="c-1", email="John Smith <John@Example.com>", name="John Smith"),
        )
    )

    [logged] = scene.store.log
    fact = logged.fact
    assert (fact.job.title, fact.job.hiring_manager_id, fact.template.name) == (
        "Software Engineer",
        "h-2",
        "Invitation",
    )
    assert (fact.campaign_id, fact.sent_at, fact.sent_at.tzname()) == (CAMPAIGN, NOON, "UTC")
    assert (fact.personal.address, fact.personal.name, fact.tracking) == (JOHN, "John Smith", True)


def test_what_is_called_after_the_recipient_does_not_name_them(scene):
    scene.register(
        registration(
            sender=Sender(id="r-7", name="Ada for john@example.com"),
            job=Job(id="j-1", title="Role for JOHN%40example.com"),
            template=Template(id="t-1", name="Offer for Smith, John; to John's taste"),
        )
    )

    [fact] = [logged.fact for logged in scene.store.log]
    assert fact.sender.name == "Ada for [recipient]"
    assert fact.job.title == "Role for [recipient]"
    assert fact.template.name == "Offer for [recipient]; to John's taste"


def test_registering_again_gives_the_same_answer_and_changes_nothing(scene):
    [first] = scene.register(registration())
    [again] = scene.register(registration(subject="Another subject"))

    assert again.status == "already_registered"
    assert (again.email_id, again.email_log_id, again.tracking_id) == (
        first.email_id,
        first.email_log_id,
        first.tracking_id,
    )
    assert scene.kinds() == ["Sent"]
    assert scene.store.log[0].fact.subject == "Interview Invitation"


def test_the_same_email_twice_in_one_request_is_one_email(scene):
    first, second = scene.register(registration("<m-1>"), registration(" m-1 "))

    assert first == second
    assert scene.kinds() == ["Sent"]


def test_a_thousand_emails_are_one_transaction_answered_in_the_order_asked(scene):
    answers = scene.register(*(registration(f"m-{n}") for n in range(1_000)))

    assert [answer.email_log_id for answer in answers] == [logged.place for logged in scene.store.log]
    assert len({answer.tracking_id for answer in answers}) == 1_000
    assert scene.units.begun == 2  # the second gives orphans to their emails


def test_no_emails_are_no_work(scene):
    assert scene.register_emails(GLOBEX, []) == []
    assert scene.units.begun == 0


def test_a_bad_email_never_costs_the_others(scene):
    good, bad, also_good = scene.register(registration("m-1"), registration(provider="pigeon"), registration("m-2"))

    assert bad == RejectedEmail(field="provider", detail="is not one of email")
    assert (good.status, also_good.status, len(scene.store.log)) == ("registered", "registered", 2)


@pytest.mark.parametrize(
    "told, field, detail",
    [
        ({"provider": "pigeon"}, "provider", "is not one of email"),
        ({"message_id": ""}, "message_id", "is empty"),
        ({"message_id": "a\nb"}, "message_id", "control characters"),
        ({"recipient": Recipient(id="c-1", email="john")}, "recipient.email", "is not an email address"),
        ({"recipient": Recipient(id=" ", email=JOHN)}, "recipient.id", "is empty"),
        ({"recipient": Recipient(id="c-1", type="", email=JOHN)}, "recipient.type", "is empty"),
        ({"recipient": Recipient(id="c-1", email=JOHN, name="x\x00")}, "recipient.name", "NUL"),
        ({"sender": Sender(id="")}, "sender.id", "is empty"),
        ({"job": Job(id="")}, "job.id", "is empty"),
        ({"template": Template(id="t", name="\x00")}, "template.name", "NUL"),
        ({"subject": "x" * (LONGEST_TEXT + 1)}, "subject", "longer than 2000"),
        ({"recipient": Recipient(id="x" * (LONGEST_ID + 1), email=JOHN)}, "recipient.id", "longer than 255"),
        ({"sender": Sender(id="x" * (LONGEST_ID + 1))}, "sender.id", "longer than 255"),
        (
            {"job": Job(id="j", hiring_manager_id="x" * (LONGEST_ID + 1))},
            "job.hiring_manager_id",
            "longer than 255",
        ),
        ({"message_id": "é" * 500}, "message_id", "longer than 998 bytes"),
        ({"sent_at": NOON.replace(tzinfo=None)}, "sent_at", "has no offset from UTC"),
        ({"sent_at": NOON + hours(24) + seconds(1)}, "sent_at", "24 hours in the future"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_flaw_is_named(scene, told, field, detail):
    [answer] = scene.register(registration(**({"message_id": "m-1"} | told)))

    assert isinstance(answer, RejectedEmail)
    assert answer.field == field
    assert detail in answer.detail
    assert scene.store.log == []


def test_the_longest_texts_fit(scene):
    [answer] = scene.register(registration(subject="x" * LONGEST_TEXT, sent_at=NOON + hours(24)))

    assert answer.status == "registered"


def test_two_organisations_may_send_the_same_message_id(scene):
    [ours] = scene.register(registration())
    [theirs] = scene.register(registration(), organization_id=GLOBEX)

    assert theirs.status == "registered"
    assert ours.email_id != theirs.email_id


def test_a_conflict_with_another_registration_is_run_again(scene):
    scene.units.rivals = RERUNS_AFTER_CONFLICT - 1

    [answer] = scene.register(registration())

    assert answer.status == "registered"
    assert scene.kinds() == ["Sent"]


def test_an_outage_registers_nothing(scene):
    scene.units._units.is_away = True

    with pytest.raises(StoreUnavailableError):
        scene.register(registration())
    assert scene.store.log == []


# BR-558.6: what would be purged at once is not taken


def test_an_email_that_is_past_its_time_is_refused_and_costs_the_others_nothing(scene):
    late, young, oldest = scene.register(
        registration("m-1", sent_at=NOON - days(730) - seconds(1)),
        registration("m-2"),
        registration("m-3", sent_at=NOON - days(730)),
    )

    assert (late.status, late.field) == ("rejected", "sent_at")
    assert late.detail == "is more than 730 days ago, and this organisation keeps no older emails"
    assert (young.status, oldest.status) == ("registered", "registered")


def test_an_email_that_was_registered_in_time_stays_registered_until_it_is_purged(scene):
    scene.register(registration(sent_at=NOON))
    scene.now = NOON + days(731)

    [again] = scene.register(registration(sent_at=NOON))

    assert again.status == "already_registered"

"""What people are told reaches their organisation's webhooks, whatever receivers make of it."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from standardwebhooks import WebhookVerificationError

from adapters.outgoing.courier import HttpCourier
from adapters.postgres import outbox
from application.deliver_notifications import LEASE
from application.ports.outgoing import Attempt, Message, Result
from domain.notification_kinds import NotificationKind
from domain.policies.delivering import (
    FEWEST_FAILURES,
    GIVEN_UP_AFTER,
    LONGEST_PAUSE,
    RETRIES,
    Health,
    Outcome,
    SwitchedOff,
)
from tests.integration.outgoing.conftest import HOME
from tests.support.processes import eventually
from tests.support.receivers import PATIENCE_S, Receiver, endless_body, status

HURRIED_S = 1.0
"""Deadline of couriers for receivers that never answer: a test waits for it, and races nothing."""


def test_a_notification_arrives_signed_and_says_what_the_list_says(team, receiver, start):
    webhook = team.register(f"{receiver.url}/hook")
    (told,) = team.tell(user_id="r-7")

    start()

    assert receiver.gets(1)
    (request,) = receiver.received
    content = request.verified(webhook.secret)
    assert content["type"] == "notification"
    assert content["data"] == {
        "id": str(told.notification.id),
        "user_id": "r-7",
        "kind": "open",
        "email_id": str(told.notification.email_id),
        "candidate_id": "c-1",
        "candidate_name": "John Smith",
        "subject": "Interview Invitation",
        "occurred_at": content["timestamp"],
        "title": "John Smith just opened your email",
        "text": "Interview Invitation",
        "url": "/candidates/c-1",
        "read_at": None,
    }
    assert request.headers["content-type"] == "application/json"
    assert request.id == f"msg_{told.notification.id.hex}_{told.number}"
    assert team.comes_to(webhook, "delivered")
    (attempt,) = team.log(webhook)[0]["attempts"]
    assert (attempt["outcome"], attempt["status"]) == ("delivered", 204)


def test_what_was_told_before_somebody_registered_is_not_sent(team, receiver, start):
    team.tell(3)
    webhook = team.register(receiver.url)
    (told,) = team.tell()

    start()

    assert team.comes_to(webhook, "delivered")
    assert [request.content["data"]["id"] for request in receiver.received] == [str(told.notification.id)]


def test_nobody_gets_what_another_organisation_was_told(make_team, receiver, start):
    ours, theirs = make_team(), make_team()
    webhook = ours.register(f"{receiver.url}/ours")
    theirs.register(f"{receiver.url}/theirs")
    (told,) = theirs.tell()
    ours.tell()

    start()

    assert receiver.gets(2)
    assert [request.content["data"]["id"] for request in receiver.at("/theirs")] == [str(told.notification.id)]
    with pytest.raises(WebhookVerificationError):
        receiver.at("/theirs")[0].verified(webhook.secret)


def test_what_failed_is_sent_again_under_the_same_id_until_it_arrives(team, receiver, start, clock):
    answers = iter([500, 503, 404, 200])
    receiver.answer = lambda *_: next(answers)
    webhook = team.register(receiver.url)
    team.tell()

    start()
    for count in range(1, 4):
        assert receiver.gets(count)
        assert eventually(lambda at=count: len(team.outcomes(webhook)) == at, PATIENCE_S)
        assert team.states(webhook) == ["waiting"]
        clock.added += RETRIES[count - 1]

    assert team.comes_to(webhook, "delivered")
    assert len({request.id for request in receiver.received}) == 1
    statuses = [attempt["status"] for attempt in team.log(webhook)[0]["attempts"]]
    assert statuses == [500, 503, 404, 200]
    assert team.show(webhook).state == "on"


def test_after_ten_attempts_a_delivery_is_given_up_and_may_be_asked_for_again(team, receiver, start, clock):
    receiver.answer = lambda *_: 500
    webhook = team.register(receiver.url)
    team.tell()

    start()
    for count in range(1, len(RETRIES) + 2):
        assert eventually(lambda at=count: len(team.outcomes(webhook)) == at, PATIENCE_S)
        clock.added += RETRIES[min(count, len(RETRIES)) - 1] + LONGEST_PAUSE
    assert team.states(webhook) == ["failed"]

    receiver.answer = lambda *_: 200
    (delivery,) = team.log(webhook)
    team.webhooks.retry(team.id, webhook.webhook.webhook_id, delivery["id"])

    assert team.comes_to(webhook, "delivered")
    assert len({request.id for request in receiver.received}) == 1
    assert len(receiver.received) == len(RETRIES) + 2


def test_a_receiver_that_hangs_holds_up_nobody_else(make_team, receiver, start):
    hanging_team, quick_team = make_team(), make_team()
    with Receiver() as hanging:
        hanging.answer = hanging.hang
        hanging_webhooks = [hanging_team.register(f"{hanging.url}/{number}") for number in range(10)]
        quick = quick_team.register(receiver.url)
        hanging_team.tell(20)
        start(HttpCourier(HOME, deadline_s=PATIENCE_S))
        assert hanging.gets(10)

        quick_team.tell(300)

        assert receiver.gets(300)
        assert all(hanging_team.outcomes(webhook) == [] for webhook in hanging_webhooks), "they hang still"
        assert eventually(lambda: Counter(quick_team.states(quick)) == {"delivered": 300}, PATIENCE_S)
        hanging.is_over.set()


def test_who_hangs_is_given_up_after_a_time_and_then_left_in_peace(team, receiver, start):
    receiver.answer = receiver.hang
    webhook = team.register(receiver.url)
    team.tell(20)

    start(HttpCourier(HOME, deadline_s=HURRIED_S))

    assert eventually(lambda: team.show(webhook).state == "failing", PATIENCE_S)
    assert set(team.outcomes(webhook)) == {"timed_out"}
    assert team.show(webhook).next_attempt_not_before is not None
    assert len(receiver.received) < 20, "one that fails is not sent everything at once"


def test_one_delivery_that_a_receiver_cannot_take_does_not_hold_the_others(team, receiver, start):
    webhook = team.register(receiver.url)
    bad, *good = team.tell(30)
    receiver.answer = lambda request, _: 500 if str(bad.notification.id) in request.body.decode() else 200

    start()

    assert eventually(lambda: Counter(team.states(webhook))["delivered"] == len(good), PATIENCE_S)
    assert team.log(webhook)[0]["state"] == "waiting"
    assert team.show(webhook).switched_off_at is None


def test_a_redirect_is_not_followed(team, receiver, start):
    with Receiver() as inside:
        receiver.answer = status(307, location=f"{inside.url}/latest/meta-data")
        webhook = team.register(receiver.url)
        team.tell()

        start()

        assert eventually(lambda: team.outcomes(webhook)[:1] == ["redirected"], PATIENCE_S)
        assert inside.received == []


def test_who_answers_410_is_switched_off_and_the_admin_sees_why(team, receiver, start):
    receiver.answer = lambda *_: 410
    webhook = team.register(receiver.url)
    team.tell()

    start()

    assert eventually(lambda: team.show(webhook).state == "off", PATIENCE_S)
    assert team.show(webhook).switched_off_because is SwitchedOff.GONE
    assert len(receiver.received) == 1


def test_after_five_days_of_failure_a_webhook_is_switched_off_and_can_be_switched_on(team, receiver, start, clock):
    receiver.answer = lambda *_: 500
    webhook = team.register(receiver.url)
    team.tell()
    process = start()
    assert eventually(lambda: team.show(webhook).failing_since is not None, PATIENCE_S)

    team.execute("UPDATE ops.outgoing_webhooks SET failures = %s", FEWEST_FAILURES)
    clock.added += GIVEN_UP_AFTER
    assert eventually(lambda: team.show(webhook).state == "off", PATIENCE_S)
    assert team.show(webhook).switched_off_because is SwitchedOff.FAILING
    team.tell()
    sent = len(receiver.received)
    process.wake()

    receiver.answer = lambda *_: 200
    team.webhooks.switch_on(team.id, webhook.webhook.webhook_id)
    clock.added += RETRIES[1]

    assert team.comes_to(webhook, "delivered", "delivered")
    assert len(receiver.received) == sent + 2, "while it was off nothing was sent; then all that was missed"


def test_a_batch_that_lost_its_lease_neither_pauses_nor_postpones(team, backend, clock):
    webhook = team.register("http://127.0.0.1:1/").webhook.webhook_id
    team.tell(2)
    outbox, lease = backend.deliver_notifications._outbox, uuid4()
    assert outbox.claim(lease, clock(), until=clock() + LEASE, most=10) == [webhook]
    batch = outbox.take(webhook, lease, clock(), until=clock() + LEASE, most=10)
    team.webhooks.switch_on(team.id, webhook)
    failed, arrived = (message.delivery_id for message in batch.messages)
    later = clock() + LONGEST_PAUSE
    ill = Health(failures=1, failing_since=clock(), paused_until=later, switched_off=SwitchedOff.GONE)
    results = [
        Result(delivery_id=failed, attempt=attempt(Outcome.REFUSED), at=clock(), next_attempt_at=later),
        Result(delivery_id=arrived, attempt=attempt(Outcome.DELIVERED), at=clock(), next_attempt_at=None),
    ]

    assert not outbox.record(webhook, lease, results, ill, clock())

    view = team.webhooks.show(team.id, webhook)
    assert (view.state, view.next_attempt_not_before) == ("on", None)
    rows = team.rows("SELECT id, state, next_attempt_at <= %s AS is_due FROM ops.outgoing_deliveries", clock())
    assert {row["id"]: (row["state"], row["is_due"]) for row in rows} == {
        failed: ("waiting", True),
        arrived: ("delivered", None),
    }
    assert len(team.rows("SELECT FROM ops.outgoing_attempts")) == 2, "the log tells of both"
    assert outbox.claim(uuid4(), clock(), until=clock() + LEASE, most=10) == [webhook]


def test_a_webhook_gets_the_kinds_that_it_chose_and_the_rest_holds_up_nothing(team, receiver, start):
    chosen = team.register(f"{receiver.url}/replies", [NotificationKind.REPLY])
    every = team.register(f"{receiver.url}/every")
    start()

    team.tell(5)
    team.execute(
        "UPDATE notifications SET kind = 'reply', announcement = nextval('ops.announcements')"
        " WHERE id = (SELECT id FROM notifications ORDER BY announcement LIMIT 1)"
    )

    assert receiver.gets(1, "/replies")
    assert receiver.gets(5, "/every")
    assert team.comes_to(chosen, "delivered")
    assert receiver.at("/replies")[0].content["data"]["kind"] == "reply"
    assert eventually(lambda: "waiting" not in team.states(every), PATIENCE_S)


def test_a_receiver_that_asks_for_peace_gets_it(team, receiver, start, clock):
    receiver.answer = status(429, retry_after="600")
    webhook = team.register(receiver.url)
    team.tell()
    start()
    assert eventually(lambda: team.show(webhook).next_attempt_not_before is not None, PATIENCE_S)

    wait = team.show(webhook).next_attempt_not_before - clock()

    assert timedelta(minutes=8) < wait <= timedelta(minutes=10)


def test_what_is_no_longer_true_is_dropped(team, receiver, start, clock):
    receiver.answer = lambda *_: 500
    webhook = team.register(receiver.url)
    (told,) = team.tell()
    start()
    assert eventually(lambda: team.show(webhook).state == "failing", PATIENCE_S)

    team.execute("DELETE FROM notifications WHERE id = %s", told.notification.id)  # its recipient was erased, say
    clock.added += RETRIES[0]

    assert team.comes_to(webhook, "dropped")
    assert team.log(webhook)[0]["reason"] == "gone"
    assert len(receiver.received) == 1


def test_what_rings_once_more_is_sent_anew_and_in_place_of_what_waited(team, receiver, start, clock):
    receiver.answer = lambda *_: 500
    webhook = team.register(receiver.url)
    (told,) = team.tell()
    start()
    assert eventually(lambda: team.show(webhook).state == "failing", PATIENCE_S)

    receiver.answer = lambda *_: 200
    team.execute(
        "UPDATE notifications SET announcement = nextval('ops.announcements'), title = 'opened 3 times' WHERE id = %s",
        told.notification.id,
    )
    clock.added += RETRIES[0]

    assert team.comes_to(webhook, "dropped", "delivered")
    assert team.log(webhook)[0]["reason"] == "told_anew"
    first, second = receiver.received
    assert first.id != second.id
    assert first.content["data"]["id"] == second.content["data"]["id"]
    assert second.content["data"]["title"] == "opened 3 times"


def test_two_processes_share_the_work_and_send_nothing_twice(make_team, receiver, start):
    teams = [make_team() for _ in range(6)]
    webhooks = [(team, team.register(f"{receiver.url}/{number}")) for number, team in enumerate(teams)]
    start()
    start()

    for _ in range(5):
        for team in teams:
            team.tell(20)

    assert eventually(
        lambda: all(Counter(team.states(webhook)) == {"delivered": 100} for team, webhook in webhooks), PATIENCE_S
    )
    assert len(receiver.received) == 600
    assert len({(request.path, request.id) for request in receiver.received}) == 600


def test_a_process_that_dies_with_a_webhook_in_hand_leaves_it_to_another(team, receiver, start, backend, clock):
    webhook = team.register(receiver.url)
    team.tell()
    dead = backend.deliver_notifications._outbox
    lease = webhook.webhook.webhook_id
    assert dead.claim(lease, clock(), until=clock() + LEASE, most=10) == [webhook.webhook.webhook_id]

    start()
    clock.added += LEASE

    assert team.comes_to(webhook, "delivered")


def test_a_backlog_waits_as_notifications_and_all_of_it_arrives(team, receiver, start, monkeypatch):
    monkeypatch.setattr(outbox, "MOST_WAITING", 50)
    webhook = team.register(receiver.url)
    told = team.tell(400)

    start()

    assert eventually(lambda: Counter(team.states(webhook)) == {"delivered": 400}, PATIENCE_S)
    assert {request.content["data"]["id"] for request in receiver.received} == {
        str(one.notification.id) for one in told
    }


def test_a_renewed_secret_signs_beside_the_old_one_and_then_alone(team, receiver, start, clock):
    webhook = team.register(receiver.url)
    renewed = team.webhooks.renew_secret(team.id, webhook.webhook.webhook_id, overlap_hours=24)
    team.tell()
    start()
    assert receiver.gets(1)

    for secret in (webhook.secret, renewed.secret):
        assert receiver.received[0].verified(secret)
    assert webhook.secret != renewed.secret

    assert team.comes_to(webhook, "delivered")  # else its lease ends with the day, and it is posted again
    clock.added += timedelta(hours=24)
    for number in (2, 3):  # whoever looked at the clock a moment before signs the second with both
        team.tell()
        assert receiver.gets(number)
    assert len(receiver.received[2].headers["webhook-signature"].split()) == 1


def test_a_test_arrives_by_the_same_way(team, receiver, start):
    webhook = team.register(receiver.url)
    start()

    team.webhooks.test(team.id, webhook.webhook.webhook_id)

    assert receiver.gets(1)
    assert receiver.received[0].verified(webhook.secret)["type"] == "test"
    assert team.comes_to(webhook, "delivered")


def test_the_log_is_kept_for_ninety_days(team, receiver, start, backend, clock):
    webhook = team.register(receiver.url)
    team.tell(3)
    start()
    assert team.comes_to(webhook, "delivered", "delivered", "delivered")

    backend.deliver_notifications.forget()
    assert len(team.log(webhook)) == 3
    clock.added += timedelta(days=90)
    backend.deliver_notifications.forget()

    assert team.log(webhook) == []
    assert team.rows("SELECT FROM ops.outgoing_attempts") == []


def test_a_webhook_that_is_removed_takes_its_log_along_and_holds_up_nothing(team, receiver, start):
    receiver.answer = receiver.hang
    webhook = team.register(receiver.url)
    team.tell()
    process = start(HttpCourier(HOME, deadline_s=HURRIED_S))
    assert receiver.gets(1)

    team.webhooks.remove(team.id, webhook.webhook.webhook_id)
    with Receiver() as other:
        kept = team.register(other.url)
        team.tell()
        process.wake()
        assert team.comes_to(kept, "delivered")

    assert team.log(webhook) == []


def test_secrets_that_cannot_be_opened_hold_up_nobody(make_team, receiver, start):
    broken_team, team = make_team(), make_team()
    broken, webhook = broken_team.register(f"{receiver.url}/broken"), team.register(f"{receiver.url}/whole")
    broken_team.execute(
        "UPDATE ops.outgoing_webhooks SET secrets = 'nonsense, and more of it' WHERE id = %s",
        broken.webhook.webhook_id,
    )
    broken_team.tell()
    team.tell()

    start()

    assert team.comes_to(webhook, "delivered")
    assert eventually(lambda: broken_team.outcomes(broken)[:1] == ["unreadable_secret"], PATIENCE_S)
    assert receiver.at("/broken") == []


def attempt(outcome):
    return Attempt(outcome=outcome, status=None, duration_ms=1)


# --- one message, and what a receiver may make of it ---


def send(url, clock, **settings):
    message = Message(delivery_id=1, id="msg_1", attempts=0, body=b"{}")

    async def sent():
        courier = HttpCourier(settings.pop("networks", HOME), **settings)
        try:
            return await courier.send(url, ["whsec_" + "A" * 32], message, clock())
        finally:
            await courier.close()

    return asyncio.run(sent())


def test_an_answer_without_end_is_cut_off_and_holds(receiver, clock):
    receiver.answer = endless_body(receiver)

    assert send(receiver.url, clock).outcome == "delivered"


def test_headers_without_end_are_cut_off(receiver, clock):
    receiver.answer = endless_body(receiver, b"HTTP/1.1 200 OK\r\n", b"x-more: " + b"x" * 1000 + b"\r\n")

    assert send(receiver.url, clock, deadline_s=HURRIED_S).outcome in {"timed_out", "broken_answer"}


@pytest.mark.parametrize("nonsense", [b"SSH-2.0-OpenSSH_9\r\n\r\n", b"HTTP/1.1 two hundred\r\n\r\n", b""])
def test_an_answer_that_is_none_is_broken(receiver, clock, nonsense):
    def answer(_request, handler):
        handler.close_connection = True
        handler.wfile.write(nonsense)

    receiver.answer = answer

    assert send(receiver.url, clock).outcome == "broken_answer"


def test_a_port_that_nobody_listens_on_is_unreachable(clock):
    with Receiver() as gone:
        url = gone.url

    assert send(url, clock).outcome == "unreachable"


def test_a_name_that_leads_nowhere_is_unresolvable(clock):
    def resolve(*_):
        raise OSError("no such host")

    assert send("http://nowhere.example/", clock, resolve=resolve).outcome == "unresolvable"


# --- where nothing may be sent to ---

PRIVATE = (
    "127.0.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "64:ff9b::7f00:1",
    "0.0.0.0",  # noqa: S104  an address like the others
    "::",
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "169.254.169.254",
    "100.100.100.200",
    "fd00:ec2::254",
    "fe80::1%1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_inside_is_not_called(address, receiver, clock):
    attempt = send(f"https://innocent.example:{receiver.port}/", clock, networks=(), resolve=lambda *_: [address])

    assert attempt.outcome == "forbidden_address"
    assert receiver.received == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]"])
def test_spellings_of_home_are_home(host, receiver, clock):
    attempt = send(f"https://{host}:{receiver.port}/", clock, networks=())

    assert attempt.outcome in {"forbidden_address", "unresolvable"}
    assert receiver.received == []


def test_a_name_that_is_bound_anew_between_look_and_connection_gains_nothing(clock):
    looks = []

    def resolve(*_):
        looks.append(True)
        return ["127.0.0.2"] if len(looks) == 1 else ["127.0.0.1"]

    with Receiver("127.0.0.2") as outside, Receiver("127.0.0.1", outside.port) as inside:
        allowed = [type(HOME[0])("127.0.0.2/32")]
        first = send(f"http://rebound.example:{outside.port}/", clock, networks=allowed, resolve=resolve)
        second = send(f"http://rebound.example:{outside.port}/", clock, networks=allowed, resolve=resolve)

    assert (first.outcome, second.outcome) == ("delivered", "not_encrypted")
    assert (len(outside.received), len(inside.received), len(looks)) == (1, 0, 2)


def test_of_several_addresses_only_permitted_ones_are_tried(clock):
    with Receiver("127.0.0.2") as outside, Receiver("127.0.0.1", outside.port) as inside:
        attempt = send(
            f"http://both.example:{outside.port}/",
            clock,
            networks=[type(HOME[0])("127.0.0.2/32")],
            resolve=lambda *_: ["127.0.0.1", "127.0.0.2"],
        )

    assert attempt.outcome == "delivered"
    assert (len(outside.received), len(inside.received)) == (1, 0)


def test_without_encryption_nothing_goes_where_the_operator_did_not_open_it(receiver, clock):
    attempt = send(f"http://public.example:{receiver.port}/", clock, networks=(), resolve=lambda *_: ["8.8.8.8"])

    assert attempt.outcome == "not_encrypted"


def test_a_resolver_that_hangs_is_given_up_like_anything_else(receiver, clock):
    def resolve(*_):
        receiver.is_over.wait(PATIENCE_S)
        return ["127.0.0.1"]

    attempt = send("https://slow.example/", clock, resolve=resolve, deadline_s=HURRIED_S)
    receiver.is_over.set()

    assert attempt.outcome == "timed_out"

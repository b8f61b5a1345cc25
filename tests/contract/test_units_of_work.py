from uuid import UUID

import pytest

from application.ports.parked_reports import FailedReport, Orphan
from application.ports.provider import ConfirmSubscription
from application.ports.unit_of_work import ConcurrentAppendError
from domain.email_message import EmailMessage
from domain.tracking_terms import IpHandling, TrackingPolicy, TrackingTerms
from tests.support.core import ENDPOINT
from tests.support.emails import ACME, GLOBEX, JOHN, NOON, an_open, click, delivery, email_id, hours, sent
from tests.support.known import known_of
from tests.support.storages import STORAGES


class PulledPlugError(Exception):
    """Stands for whatever ends a transaction in its middle."""


@pytest.fixture(params=STORAGES, ids=str)
def storage(request):
    return STORAGES[request.param](request)


def orphan(message_id="m-1", report=None, **told):
    return Orphan(
        **(
            {
                "organization_id": ACME,
                "endpoint_id": ENDPOINT,
                "provider": "email",
                "email_id": email_id(message_id),
                "report": report or an_open(message_id=message_id),
                "delivery_id": 7,
                "received_at": NOON,
            }
            | told
        )
    )


def failure(body=b'[{"event_type": "?"}]', **told):
    return FailedReport(
        **(
            {
                "organization_id": ACME,
                "endpoint_id": ENDPOINT,
                "provider": "email",
                "reason": "event_type: expected one of open, click",
                "message_id": "m-1",
                "headers": {"webhook-id": "w-1"},
                "body": body,
                "delivery_id": 7,
                "received_at": NOON,
            }
            | told
        )
    )


def keys_of(*reports):
    return {report.key_for(email_id(report.message_id)) for report in reports}


# The inbox


def test_a_claimed_delivery_is_as_it_was_received(storage):
    id_ = storage.receive(b"\xff raw \x00")

    with storage.units.begin() as unit:
        [claimed] = unit.claim_deliveries(most=10, most_bytes=1_000)

    assert (claimed.id, claimed.endpoint_id, claimed.organization_id) == (id_, ENDPOINT, ACME)
    assert (claimed.provider, claimed.attempts, claimed.received_at) == ("email", 0, NOON)
    assert (dict(claimed.headers), claimed.body) == ({"webhook-id": "w-1"}, b"\xff raw \x00")


def test_the_oldest_deliveries_are_claimed_first(storage):
    ids = [storage.receive() for _ in range(5)]

    with storage.units.begin() as unit:
        claimed = unit.claim_deliveries(most=3, most_bytes=1_000)

    assert [delivery.id for delivery in claimed] == ids[:3]


@pytest.mark.parametrize("most_bytes, expected", [(1, 1), (100, 1), (101, 2), (250, 3), (1_000, 4)])
def test_deliveries_are_claimed_until_they_are_many_bytes_and_one_in_any_case(storage, most_bytes, expected):
    for _ in range(4):
        storage.receive(b"x" * 100)

    with storage.units.begin() as unit:
        assert len(unit.claim_deliveries(most=10, most_bytes=most_bytes)) == expected


def test_what_one_worker_claimed_no_other_gets(storage):
    first, second = storage.receive(), storage.receive()

    with storage.units.begin() as one, storage.units.begin() as other:
        mine = one.claim_deliveries(most=1, most_bytes=1_000)
        theirs = other.claim_deliveries(most=10, most_bytes=1_000)

    assert ([d.id for d in mine], [d.id for d in theirs]) == ([first], [second])


def test_a_delivery_that_was_not_closed_is_claimed_again(storage):
    storage.receive()
    with storage.units.begin() as unit:
        unit.claim_deliveries(most=1, most_bytes=1_000)

    with storage.units.begin() as unit:
        assert len(unit.claim_deliveries(most=1, most_bytes=1_000)) == 1


def test_a_closed_delivery_is_gone(storage):
    id_ = storage.receive()
    with storage.units.begin() as unit:
        unit.close_deliveries([id_])

    assert storage.inbox() == {}


def test_a_postponed_delivery_waits_and_counts_its_attempts(storage):
    id_ = storage.receive()
    with storage.units.begin() as unit:
        unit.postpone_delivery(id_, error="internal error", until=NOON.replace(year=9000))

    with storage.units.begin() as unit:
        assert unit.claim_deliveries(most=1, most_bytes=1_000) == []
    assert storage.inbox() == {id_: (1, "internal error")}


def test_a_postponed_delivery_comes_back_with_its_attempts(storage):
    id_ = storage.receive()
    with storage.units.begin() as unit:
        unit.postpone_delivery(id_, error="internal error", until=NOON - hours(24_000))

    with storage.units.begin() as unit:
        [claimed] = unit.claim_deliveries(most=1, most_bytes=1_000)
    assert claimed.attempts == 1


# Streams


def test_an_email_comes_back_with_its_history(storage):
    storage.register()
    reports = [delivery(), an_open(), click(NOON + hours(1))]
    appended = storage.record(*reports)

    message, known = storage.history(), known_of(storage.facts())

    assert appended == 3
    assert (message.version, message.is_known, message.delivered_at) == (4, True, NOON)
    assert (message.seen, message.was_engaged) == (keys_of(*reports), True)
    assert (known.delivered_at, known.open_count, known.clicked_at) == (NOON, 1, NOON + hours(1))


def test_an_email_that_nobody_registered_has_no_history(storage):
    assert (storage.history().version, storage.history().is_known) == (0, False)


def test_histories_of_many_emails_do_not_mix(storage):
    told = {f"m-{n}": [an_open(NOON + hours(hour), message_id=f"m-{n}") for hour in range(n)] for n in (1, 2, 3)}
    for message_id, reports in told.items():
        storage.register(message_id)
        storage.record(*reports, message_id=message_id)

    with storage.units.begin() as unit:
        messages = unit.messages([email_id(f"m-{n}") for n in (3, 1, 2, 4)])

    assert {message.id: message.seen for message in messages.values()} == {
        email_id("m-1"): keys_of(*told["m-1"]),
        email_id("m-2"): keys_of(*told["m-2"]),
        email_id("m-3"): keys_of(*told["m-3"]),
        email_id("m-4"): set(),
    }


def test_appending_nothing_appends_nothing(storage):
    with storage.units.begin() as unit:
        assert unit.append([]) == 0
        assert unit.append([EmailMessage(email_id())]) == 0


def test_who_appends_second_to_the_same_stream_is_told(storage):
    storage.register()

    def append_too_late():
        with storage.units.begin() as slow:
            [message] = slow.messages([email_id()]).values()
            storage.record(an_open())
            message.record(click(), received_at=NOON)
            slow.append([message])

    with pytest.raises(ConcurrentAppendError):
        append_too_late()

    assert storage.history().seen == keys_of(an_open())


def test_two_streams_are_appended_to_side_by_side(storage):
    storage.register("m-1")
    storage.register("m-2")

    with storage.units.begin() as slow:
        [message] = slow.messages([email_id("m-1")]).values()
        storage.record(an_open(message_id="m-2"), message_id="m-2")
        message.record(click(), received_at=NOON)
        slow.append([message])

    assert (known_of(storage.facts("m-1")).click_count, known_of(storage.facts("m-2")).open_count) == (1, 1)


def test_a_registration_has_its_place_within_its_own_transaction(storage):
    message = EmailMessage(email_id())
    message.register(sent())
    with storage.units.begin() as unit:
        unit.append([message])
        within = unit.registrations([email_id(), email_id("m-2")])

    with storage.units.begin() as unit:
        afterwards = unit.registrations([email_id(), email_id("m-2")])

    assert within == afterwards
    assert list(within) == [email_id()]
    assert within[email_id()].sent.tracking_id == sent().tracking_id
    assert within[email_id()].email_log_id > 0


def test_addresses_that_are_kept_hidden_are_given_by_the_place_of_their_event(storage):
    storage.register()
    encrypting = TrackingTerms(TrackingPolicy(ip_handling=IpHandling.ENCRYPT))
    with storage.units.begin() as unit:
        [message] = unit.messages([email_id()]).values()
        message.record(an_open(ip_address="198.51.100.7"), received_at=NOON, terms=encrypting)
        message.record(click(ip_address="2001:db8::7"), received_at=NOON, terms=encrypting)
        message.record(an_open(NOON + hours(1), ip_address="198.51.100.8"), received_at=NOON)
        message.record(delivery(), received_at=NOON)
        unit.append([message])
        place = unit.registrations([email_id()])[email_id()].email_log_id

    with storage.units.begin() as unit:
        everything = unit.hidden_addresses(range(place, place + 10))
        some = unit.hidden_addresses([place + 2, place + 3])

    assert list(everything.values()) == ["198.51.100.7", "2001:db8::7"]
    assert some == {place + 2: "2001:db8::7"}


# Parked reports


def test_an_orphan_comes_back_as_it_was_parked(storage):
    with storage.units.begin() as unit:
        unit.parked.park_orphans(
            [orphan(report=click(link_position="2", metadata={"wave": 2}, ip_address="198.51.100.7"))]
        )

    with storage.units.begin() as unit:
        [kept] = unit.parked.orphans_of([email_id()])

    [id_] = storage.parked_ids()
    assert kept == orphan(id=id_, report=click(link_position="2", metadata={"wave": 2}, ip_address="198.51.100.7"))


def test_a_repeated_orphan_is_kept_once_and_counted(storage):
    for _ in range(3):
        with storage.units.begin() as unit:
            unit.parked.park_orphans([orphan(), orphan()])

    assert storage.parked() == [("orphaned", "", 6)]


def test_a_repeated_failure_is_kept_once_with_its_latest_reason(storage):
    for reason in ("first", "second"):
        with storage.units.begin() as unit:
            unit.parked.park_failures([failure(reason=reason)])

    assert storage.parked() == [("failed", "second", 2)]


def test_a_large_body_that_fails_for_each_of_its_reports_is_kept_once(storage):
    """Sent to the database once for each, these would be a hundred gigabytes."""
    body = b"[" + b" " * 2**20 + b"]"
    with storage.units.begin() as unit:
        unit.parked.park_failures([failure(body, reason=f"report {number}") for number in range(100_000)])

    assert storage.parked() == [("failed", "report 99999", 100_000)]


def test_the_same_body_in_two_organisations_fails_twice(storage):
    with storage.units.begin() as unit:
        unit.parked.park_failures([failure(), failure(organization_id=GLOBEX)])

    assert len(storage.parked()) == 2


def test_only_the_asked_emails_orphans_are_taken(storage):
    with storage.units.begin() as unit:
        unit.parked.park_orphans([orphan("m-1"), orphan("m-2")])

    with storage.units.begin() as unit:
        taken = unit.parked.orphans_of([email_id("m-2"), email_id("m-3")])

    assert [one.email_id for one in taken] == [email_id("m-2")]


def test_orphans_whose_email_was_registered_since_are_found(storage):
    with storage.units.begin() as unit:
        unit.parked.park_orphans(
            [orphan("m-1"), orphan("m-2"), orphan("m-2", an_open(NOON + hours(1), message_id="m-2"))]
        )
    storage.register("m-2")

    with storage.units.begin() as unit:
        one = unit.parked.orphans_whose_email_is_known([ACME], most=1)
    with storage.units.begin() as unit:
        all_ = unit.parked.orphans_whose_email_is_known([ACME, GLOBEX], most=10)
    with storage.units.begin() as unit:
        assert unit.parked.organizations_of_known_orphans(most=10) == {ACME}
        assert unit.parked.organizations_of_orphans([email_id("m-1"), email_id("m-9")]) == {ACME}
        assert (
            unit.parked.organizations_of_orphans([email_id("m-9")]) == unit.parked.organizations_of_orphans([]) == set()
        )
        assert unit.parked.orphans_whose_email_is_known([GLOBEX], most=10) == []
        assert unit.parked.orphans_whose_email_is_known([], most=10) == []

    assert len(one) == 1
    assert [found.email_id for found in all_] == [email_id("m-2")] * 2


def test_orphans_that_another_worker_holds_are_left_to_it(storage):
    storage.register()
    with storage.units.begin() as unit:
        unit.parked.park_orphans([orphan()])

    with storage.units.begin() as one, storage.units.begin() as other:
        mine = one.parked.orphans_whose_email_is_known([ACME], most=10)
        theirs = other.parked.orphans_of([email_id()])

    assert (len(mine), len(theirs)) == (1, 0)


def test_a_parked_report_is_its_organisations_alone(storage):
    with storage.units.begin() as unit:
        unit.parked.park_failures([failure()])
        unit.parked.park_orphans([orphan()])
    failed, orphaned = storage.parked_ids()

    with storage.units.begin() as unit:
        assert unit.parked.report(ACME, failed) == failure(id=failed)
        assert unit.parked.report(ACME, orphaned) == orphan(id=orphaned)
        assert unit.parked.report(GLOBEX, failed) is None
        assert unit.parked.report(ACME, 999_999) is None


def test_of_a_failure_that_may_not_be_kept_its_reason_is(storage):
    for _ in range(2):
        with storage.units.begin() as unit:
            unit.parked.park_failures([failure(b"[1]", is_kept=False), failure(b"[2]", is_kept=False)])
    first, _ = storage.parked_ids()

    with storage.units.begin() as unit:
        kept = unit.parked.report(ACME, first)

    assert kept == failure(b"", id=first, headers={}, is_kept=False)
    assert [seen for _, _, seen in storage.parked()] == [2, 2], "two bodies that differ are two, though none is kept"


def test_an_unparked_report_is_gone(storage):
    with storage.units.begin() as unit:
        unit.parked.park_failures([failure(), failure(b"[2]")])
    [first, second] = storage.parked_ids()

    with storage.units.begin() as unit:
        unit.parked.forget([first])

    assert storage.parked_ids() == [second]


# Counts and confirmations


def test_outcomes_add_up(storage):
    for counts in ({"recorded": 2, "repeated": 1}, {"recorded": 3}, {}):
        with storage.units.begin() as unit:
            unit.count_outcomes(counts)

    assert storage.outcomes() == {"recorded": 5, "repeated": 1}


def test_requested_confirmations_are_kept(storage):
    with storage.units.begin() as unit:
        unit.request_confirmations([(ENDPOINT, ConfirmSubscription("https://sns.eu-west-1.amazonaws.com/?Action=x"))])

    assert storage.confirmations() == [(ENDPOINT, "https://sns.eu-west-1.amazonaws.com/?Action=x")]


# All or nothing


def test_a_transaction_that_fails_in_its_middle_changes_nothing(storage):
    id_ = storage.receive()
    storage.register()
    with storage.units.begin() as unit:
        unit.parked.park_failures([failure()])
    kept = storage.parked_ids()

    def do_everything_and_fail():
        with storage.units.begin() as unit:
            unit.claim_deliveries(most=1, most_bytes=1_000)
            [message] = unit.messages([email_id()]).values()
            message.record(an_open(), received_at=NOON)
            unit.append([message])
            unit.parked.park_orphans([orphan("m-9")])
            unit.parked.park_failures([failure(b"[9]")])
            unit.parked.forget(kept)
            unit.request_confirmations([(UUID(int=1), ConfirmSubscription("https://example.com"))])
            unit.close_deliveries([id_])
            unit.count_outcomes({"recorded": 1})
            raise PulledPlugError

    with pytest.raises(PulledPlugError):
        do_everything_and_fail()

    assert storage.inbox() == {id_: (0, "")}
    assert storage.history().version == 1
    assert storage.parked_ids() == kept
    assert storage.outcomes() == {}
    assert storage.confirmations() == []


def test_after_a_failed_transaction_the_next_one_goes_on(storage):
    storage.receive()
    storage.register()

    def append_and_fail():
        with storage.units.begin() as unit:
            unit.claim_deliveries(most=1, most_bytes=1_000)
            [message] = unit.messages([email_id()]).values()
            message.record(an_open(), received_at=NOON)
            unit.append([message])
            raise PulledPlugError

    with pytest.raises(PulledPlugError):
        append_and_fail()

    with storage.units.begin() as unit:
        assert len(unit.claim_deliveries(most=1, most_bytes=1_000)) == 1
    assert storage.record(an_open()) == 1


def test_nothing_is_seen_before_its_transaction_ends(storage):
    id_ = storage.receive()
    storage.register()

    with storage.units.begin() as unit:
        unit.claim_deliveries(most=1, most_bytes=1_000)
        [message] = unit.messages([email_id()]).values()
        message.record(an_open(recipient=JOHN), received_at=NOON)
        unit.append([message])
        unit.close_deliveries([id_])
        seen = storage.history().version
        waiting = storage.inbox()

    assert (seen, waiting) == (1, {id_: (0, "")})
    assert (storage.history().version, storage.inbox()) == (2, {})

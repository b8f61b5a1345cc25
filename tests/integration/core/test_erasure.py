"""Somebody is erased on the real database: keys, facts, parked reports, and who may come in between (SEC-6)."""

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from application.email_registrations import Recipient
from domain.email_facts import NOBODY, Sent
from domain.errors import InvalidAddressError
from domain.recipient_facts import Erased
from domain.values import addressee_id_for
from tests.support.core import item, registration
from tests.support.emails import ACME, GLOBEX, JOHN, NOON, seconds

MARY = "mary@example.com"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)


@pytest.fixture
def erase(core):
    return core.backend.erase_recipient


def to_mary(message_id, **told):
    return registration(message_id, recipient=Recipient(id="c-2", email=MARY, name="Mary Major"), **told)


def an_open(second=0, message_id="m-1", **told):
    return item("open", NOON + seconds(second), message_id, ip_address="192.0.2.7", user_agent=CHROME, **told)


def everything_stored(core):
    return b"\n".join(state for (state,) in core.query("SELECT state FROM events.stored_events"))


def test_stored_events_do_not_tell_who_somebody_is(core):
    core.register(registration())
    core.receive(an_open(metadata={"to": "someone"}))
    core.drain()

    stored = everything_stored(core)

    for text in (b"john", b"John", b"Interview", b"192.0.2.7", b"Mozilla", b"someone"):
        assert text not in stored
    sent, opened = core.facts()
    assert (sent.personal.address, sent.personal.name, sent.subject) == (JOHN, "John Smith", "Interview Invitation")
    assert (opened.personal.ip_address, opened.personal.user_agent) == ("192.0.2.7", CHROME)
    assert opened.metadata == {"to": "someone"}


def test_somebody_has_one_key_in_an_organisation_however_many_emails_they_get(core):
    core.register_numbered(3)
    core.register(registration("m-9", recipient=Recipient(id="c-1", email=" John@Example.COM ", name="J.")))
    core.register(to_mary("m-4"))
    core.register(registration(), organization_id=GLOBEX)

    keys = core.query("SELECT addressee_id, organization_id FROM ops.recipient_keys")

    assert sorted(keys) == sorted(
        [
            (addressee_id_for(ACME, JOHN), ACME),
            (addressee_id_for(ACME, MARY), ACME),
            (addressee_id_for(GLOBEX, JOHN), GLOBEX),
        ]
    )


def test_registrations_of_the_same_people_at_once_share_their_keys(core):
    people = [Recipient(id=f"c-{n}", email=f"p{n}@example.com", name=f"Person {n}") for n in range(20)]

    def register(worker):
        turn = people if worker % 2 else people[::-1]
        return core.register(*(registration(f"m-{worker}-{n}", recipient=person) for n, person in enumerate(turn)))

    with ThreadPoolExecutor(8) as pool:
        answers = [answer for answered in pool.map(register, range(8)) for answer in answered]

    assert {answer.status for answer in answers} == {"registered"}
    assert core.value("SELECT count(*) FROM ops.recipient_keys") == 20
    assert {fact.personal.address for fact in core.facts()} == {person.email for person in people}


def test_after_erasure_facts_count_and_tell_nothing(core, erase):
    core.register(registration(), to_mary("m-2"))
    core.receive(an_open(), an_open(1, "m-2", recipient=MARY))
    core.drain()

    place = erase(ACME, " John <JOHN@example.com>", erased_by="key-7").place

    assert core.query("SELECT addressee_id FROM ops.recipient_keys") == [(addressee_id_for(ACME, MARY),)]
    erased = core.facts()[-1]
    assert (type(erased), erased.organization_id, erased.erased_by) == (Erased, ACME, "key-7")
    assert place == core.value("SELECT max(notification_id) FROM events.stored_events")
    johns_sent, marys_sent, johns_open, marys_open = core.facts()[:-1]
    assert (johns_sent.personal, johns_sent.subject, johns_sent.recipient_id) == (NOBODY, "", "c-1")
    assert johns_open.personal == NOBODY
    assert (marys_sent.personal.address, marys_open.personal.ip_address) == (MARY, "192.0.2.7")


def test_what_is_reported_after_erasure_counts_without_details(core, erase):
    core.register(registration())
    erase(ACME, JOHN)

    core.receive(an_open(), item("bounce", bounce_type="hard", reason="john@example.com unknown"))
    core.drain()

    assert b"192.0.2.7" not in everything_stored(core)
    assert [type(fact).__name__ for fact in core.facts()] == ["Sent", "Erased", "Opened", "Bounced"]
    assert all(fact.personal == NOBODY for fact in core.facts()[2:])


def test_whoever_is_written_to_again_begins_anew_and_old_emails_stay_erased(core, erase):
    core.register(registration())
    erase(ACME, JOHN)

    core.register(registration("m-2"))
    core.receive(an_open(), an_open(1, "m-2"))
    core.drain()

    sent = [fact.personal.address for fact in core.facts() if isinstance(fact, Sent)]
    assert sent == ["", JOHN]
    assert sorted(fact.personal.ip_address for fact in core.facts()[-2:]) == ["", "192.0.2.7"]
    assert core.value("SELECT count(*) FROM ops.recipient_keys") == 1

    erase(ACME, JOHN)

    assert core.value("SELECT count(*) FROM ops.recipient_keys") == 0
    assert [type(fact).__name__ for fact in core.facts()].count("Erased") == 2


def test_erasing_again_or_somebody_unknown_changes_nothing(core, erase):
    core.register(registration())
    first = erase(ACME, JOHN)

    assert erase(ACME, JOHN) == first
    assert erase(ACME, MARY).place == 0
    assert erase(GLOBEX, JOHN).place == 0
    assert core.value("SELECT count(*) FROM events.stored_events") == 2
    with pytest.raises(InvalidAddressError):
        erase(ACME, "john")


def test_parked_reports_are_sealed_and_go_with_the_person(core, erase):
    core.register(to_mary("m-2"))
    core.receive(an_open(message_id="unknown"), an_open(1, "unknown", recipient=MARY))
    core.receive({"event_type": "?", "recipient": "JOHN@example.com"}, {"event_type": "?", "recipient": MARY})
    core.drain()
    assert core.value("SELECT count(*) FROM ops.parked_reports") == 4
    [parked] = core.query("SELECT string_agg(coalesce(report, '') || coalesce(body, ''), '') FROM ops.parked_reports")
    assert b"example.com" not in parked[0]

    erase(ACME, JOHN)

    left = core.query("SELECT status FROM ops.parked_reports ORDER BY status")
    assert left == [("failed",), ("orphaned",)]
    erase(ACME, MARY)
    assert core.value("SELECT count(*) FROM ops.parked_reports") == 0


def test_reports_parked_about_somebody_never_registered_go_as_well(core, erase):
    core.receive(an_open(message_id="unknown"))
    core.drain()

    assert erase(ACME, JOHN).place == 0
    assert core.value("SELECT count(*) FROM ops.parked_reports") == 0


def test_the_rows_are_waited_for(core, erase):
    core.register(registration())
    core.project()

    erasure = erase(ACME, JOHN)

    assert not erase.is_finished(erasure)
    core.project()
    assert erase.is_finished(erasure)
    assert erase.is_finished(erase(GLOBEX, JOHN))


def test_what_was_acknowledged_before_is_waited_for_and_leaves_nothing_parked(core, erase):
    core.receive(an_open(message_id="unknown"), {"event_type": "?", "recipient": JOHN}, item("open", recipient=MARY))
    erasure = erase(ACME, JOHN)
    assert not erase.is_finished(erasure)

    core.drain()
    core.receive({"event_type": "?", "recipient": MARY})
    assert core.value("SELECT count(*) FROM ops.parked_reports") == 3

    assert erase.is_finished(erasure), "what came in afterwards is not waited for"
    assert core.query("SELECT status FROM ops.parked_reports") == [("orphaned",)], "Mary's"
    assert core.value("SELECT count(*) FROM ops.webhook_inbox") == 1


def test_other_organisations_deliveries_are_not_waited_for(core, erase):
    core.receive(an_open(), organization_id=GLOBEX)

    assert erase.is_finished(erase(ACME, JOHN))


def test_a_failed_report_that_names_somebody_by_their_email_only_goes(core, erase):
    core.register(registration(), to_mary("m-2"))
    for message_id in ("m-1", "m-2"):
        core.receive(an_open(message_id=message_id) | {"recipient": None})
    core.drain()
    assert core.value("SELECT count(*) FROM ops.parked_reports WHERE status = 'failed'") == 2

    erasure = erase(ACME, JOHN)
    core.project()  # only now do the read models know the email

    assert erase.is_finished(erasure)
    assert core.query("SELECT message_id FROM ops.parked_reports") == [("m-2",)]


def test_a_projector_that_knows_the_key_already_forgets_it_in_its_turn(core, erase):
    core.register(registration())
    core.project()
    assert core.value("SELECT recipient_email FROM email_logs") == JOHN

    erase(ACME, JOHN)
    core.receive(an_open(7_200))
    core.drain()
    core.project()

    assert core.backend._recipient_keys._kept_of == {}
    assert core.query("SELECT ip_address FROM engagement_tracking") == [(None,)]


def test_nothing_readable_appears_when_somebody_is_erased_in_a_burst(core, erase):
    core.register_numbered(5)
    core.receive_many([[an_open(n, f"m-{n % 5 + 1}")] for n in range(600)])
    drained = threading.Thread(target=core.drain)
    drained.start()

    erasure = erase(ACME, JOHN)
    drained.join()
    core.receive_many([[an_open(700 + n, f"m-{n % 5 + 1}")] for n in range(50)])
    core.drain()
    core.project()

    assert core.value("SELECT count(*) FROM events.stored_events WHERE topic = 'EmailMessage.Opened'") == 650
    sealed_later = core.query(
        "SELECT state FROM events.stored_events WHERE notification_id > %s AND position('sealed'::bytea IN state) > 0",
        erasure.place,
    )
    assert sealed_later == []
    assert not any(fact.personal != NOBODY for fact in core.facts() if not isinstance(fact, Erased))


def test_erasure_waits_for_whoever_records_and_is_not_overtaken(core, erase):
    core.register(registration())
    core.receive(an_open())
    done = threading.Event()

    def erase_now():
        erase(ACME, JOHN)
        done.set()

    with core.units.begin() as unit:
        unit.tracking.policies([ACME])
        eraser = threading.Thread(target=erase_now)
        eraser.start()
        assert not done.wait(0.3)
    eraser.join()

    assert done.is_set()
    assert core.value("SELECT count(*) FROM ops.recipient_keys") == 0


def test_an_outage_in_the_middle_leaves_the_key(core, erase):
    core.register(registration())
    with psycopg.connect(core.database_url) as locker:
        locker.execute("ALTER TABLE ops.parked_reports RENAME TO elsewhere")
        locker.commit()
        try:
            with pytest.raises(Exception, match="parked_reports"):
                erase(ACME, JOHN)
        finally:
            locker.execute("ALTER TABLE ops.elsewhere RENAME TO parked_reports")

    assert core.value("SELECT count(*) FROM ops.recipient_keys") == 1
    assert core.value("SELECT count(*) FROM events.stored_events") == 1


def test_an_open_is_compared_with_sealed_ones_of_earlier_deliveries(core):
    core.register(registration())
    core.receive(
        item("click", NOON + seconds(60), url="https://x.test/", ip_address="81.2.69.160", user_agent="Barracuda/1")
    )
    core.drain()
    core.receive(item("open", NOON + seconds(90), ip_address="81.2.69.160", user_agent="Mozilla/5.0 Chrome/130"))
    core.drain()

    assert core.facts()[-1].reasons == ("after_certain_hit",)


def test_an_open_of_an_erased_person_is_compared_with_nothing(core, erase):
    core.register(registration())
    core.receive(
        item("click", NOON + seconds(60), url="https://x.test/", ip_address="81.2.69.160", user_agent="Barracuda/1")
    )
    core.drain()
    erase(ACME, JOHN)
    core.receive(item("open", NOON + seconds(90), ip_address="81.2.69.160", user_agent="Mozilla/5.0 Chrome/130"))
    core.drain()

    assert "after_certain_hit" not in core.facts()[-1].reasons

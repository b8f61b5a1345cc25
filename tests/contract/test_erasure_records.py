"""What there is to destroy when somebody is erased: the same in PostgreSQL and in memory."""

import pytest

from application.erase_recipient import EraseRecipient
from application.ports.parked_reports import FailedReport, Orphan
from application.ports.unit_of_work import ConcurrentAppendError, StoreUnavailableError
from domain.email_message import EmailMessage
from domain.values import addressee_id_for, email_id_for
from tests.support.core import ENDPOINT
from tests.support.emails import ACME, GLOBEX, JOHN, NOON, an_open, click, email_id, hours, sent
from tests.support.known import known_of
from tests.support.storages import STORAGES

MARY = "mary@example.com"


class NothingRead:
    """Read models that stand still."""

    def __init__(self):
        self.place = 0

    def read_until(self):
        return self.place


@pytest.fixture(params=STORAGES, ids=str)
def storage(request):
    return STORAGES[request.param](request)


@pytest.fixture
def read_models():
    return NothingRead()


@pytest.fixture
def erase(storage, read_models):
    return EraseRecipient(storage.units, read_models, lambda: NOON)


def register(storage):
    message = EmailMessage(email_id())
    message.register(sent())
    with storage.units.begin() as unit:
        unit.append([message])


def click_naming(storage, who, at=NOON):
    """Record a click on a link that names somebody, as workers do, and give the link that was kept."""
    with storage.units.begin() as unit:
        messages = unit.messages([email_id()])
        [message] = messages.values()
        unit.identify([message])
        message.record(click(at, url=f"https://acme.example/?n={who}"), received_at=at)
        unit.append([message])
    [(link, _)] = known_of(storage.facts()).links_clicked
    return link


def orphan(recipient=JOHN, organization_id=ACME):
    report = an_open(message_id="unknown", recipient=recipient)
    return Orphan(
        organization_id=organization_id,
        endpoint_id=ENDPOINT,
        provider="email",
        email_id=email_id_for(organization_id, "email", "unknown", recipient),
        report=report,
        delivery_id=7,
        received_at=NOON,
    )


def failure(body, organization_id=ACME):
    return FailedReport(
        organization_id=organization_id,
        endpoint_id=ENDPOINT,
        provider="email",
        reason="event_type: expected one of open, click",
        message_id="",
        headers={},
        body=body,
        delivery_id=7,
        received_at=NOON,
    )


def test_somebody_is_erased_once_and_begins_anew_when_written_to_again(storage, erase, read_models):
    register(storage)

    first = erase(ACME, JOHN)

    assert first.place > 0
    assert erase(ACME, f" {JOHN.upper()}") == first
    assert not erase.is_finished(first)
    read_models.place = first.place
    assert erase.is_finished(first)
    again = EmailMessage(email_id("m-2"))
    again.register(sent("m-2"))
    with storage.units.begin() as unit:
        unit.append([again])
    assert erase(ACME, JOHN).place > first.place


def test_whom_nobody_wrote_to_needs_no_fact(storage, erase):
    register(storage)

    assert erase(ACME, MARY).place == 0
    assert erase(GLOBEX, JOHN).place == 0
    with storage.units.begin() as unit:
        assert unit.tracking.recipients([addressee_id_for(ACME, MARY)])[addressee_id_for(ACME, MARY)].version == 0


def test_reports_about_somebody_go_and_those_about_others_stay(storage, erase):
    with storage.units.begin() as unit:
        unit.parked.park_orphans([orphan(), orphan(MARY), orphan(organization_id=GLOBEX)])
        unit.parked.park_failures(
            [
                failure(b'[{"who": "JOHN@example.com"}]'),
                failure(b'[{"who": "john\\u0040example.com"}]'),
                failure(b"u=john%40example.com"),
                failure(b"\xff\xfe"),
                failure(b'[{"who": "mary@example.com"}]'),
                failure(b'[{"who": "john@example.com"}]', GLOBEX),
            ]
        )

    erase(ACME, JOHN)

    assert [status for status, *_ in storage.parked()] == ["failed"] * 3 + ["orphaned"] * 2


def test_many_failed_reports_are_looked_at_a_few_at_a_time(storage, erase, monkeypatch):
    monkeypatch.setattr("application.erase_recipient.FAILURES_AT_ONCE", 2)
    bodies = [b'{"who": "%s", "n": %d}' % (who, n) for n in range(5) for who in (b"john@example.com", b"mary")]
    with storage.units.begin() as unit:
        unit.parked.park_failures([failure(body) for body in bodies])

    erase(ACME, JOHN)

    assert len(storage.parked()) == 5


class Rivalled:
    """Transactions in which another worker is quicker, so many times."""

    def __init__(self, units, times):
        self._units, self.times = units, times

    def begin(self):
        if self.times:
            self.times -= 1
            raise ConcurrentAppendError("another worker was quicker")
        return self._units.begin()


def test_erasure_is_run_again_when_somebody_else_was_quicker(storage, read_models):
    register(storage)

    assert EraseRecipient(Rivalled(storage.units, 3), read_models, lambda: NOON)(ACME, JOHN).place > 0
    with pytest.raises(StoreUnavailableError):
        EraseRecipient(Rivalled(storage.units, 1_000), read_models, lambda: NOON)(ACME, JOHN)


def test_the_log_says_that_somebody_was_erased_and_not_who(storage, erase, caplog):
    register(storage)

    with caplog.at_level("DEBUG"):
        erase(ACME, JOHN)

    assert "recipient_erased" in [getattr(record, "event", "") for record in caplog.records]
    assert "john" not in str([vars(record) for record in caplog.records]).lower()


def test_no_link_keeps_the_name_of_its_reader_and_after_erasure_nothing(storage, erase):
    register(storage)
    kept = click_naming(storage, "John+Smith")

    erase(ACME, JOHN)

    assert kept == "https://acme.example/?n=[recipient]"
    with storage.units.begin() as unit:
        [message] = unit.messages([email_id()]).values()
        unit.identify([message])
        message.record(click(NOON + hours(1), url="https://acme.example/?n=John+Smith"), received_at=NOON)
        unit.append([message])
    assert {url for url, _ in known_of(storage.facts()).links_clicked} == {kept, "[recipient]"}

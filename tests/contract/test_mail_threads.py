"""One suite for every storage of threads: what quotes an email, and which parked mails wait for one."""

import pytest

from application.ports.mail_threads import WaitingMail
from domain.mail_threads import Thread, answered_email, thread_id_for
from domain.values import addressee_id_for
from tests.contract.test_units_of_work import PulledPlugError, orphan
from tests.support.emails import ACME, GLOBEX, JOHN, email_id, reply
from tests.support.storages import STORAGES

MARY = "mary@example.com"
ONE, TWO, THREE = (thread_id_for(ACME, name) for name in ("one", "two", "three"))


@pytest.fixture(params=STORAGES, ids=str)
def storage(request):
    return STORAGES[request.param](request)


def thread(thread_id=ONE, message_id="m-1", address=JOHN):
    return Thread(thread_id, email_id(message_id, address), addressee_id_for(ACME, address))


def remember(storage, *threads):
    with storage.units.begin() as unit:
        unit.threads.remember(threads)


def park(storage, name, *quoted):
    """Park a mail that quotes these threads."""
    mail = WaitingMail(thread_id_for(ACME, f"waiting {name}"), quoted)
    report = reply(event_id=name)
    with storage.units.begin() as unit:
        unit.parked.park_orphans([orphan(report=report, email_id=mail.waiting_id)])
        unit.threads.wait([mail])
    return mail


def ask(storage, question):
    with storage.units.begin() as unit:
        return question(unit)


def test_an_email_is_found_under_each_of_its_ids(storage):
    remember(storage, thread(ONE), thread(TWO), thread(THREE, "m-2"))

    assert set(ask(storage, lambda unit: unit.threads.of([ONE, THREE]))) == {thread(ONE), thread(THREE, "m-2")}
    assert ask(storage, lambda unit: unit.threads.of([])) == []


def test_remembering_again_changes_nothing(storage):
    remember(storage, thread(), thread())
    remember(storage, thread())

    assert ask(storage, lambda unit: unit.threads.of([ONE])) == [thread()]


def test_several_emails_may_share_an_id(storage):
    remember(storage, thread(), thread(address=MARY))

    assert set(ask(storage, lambda unit: unit.threads.of([ONE]))) == {thread(), thread(address=MARY)}


def test_a_parked_mail_is_found_by_any_email_that_it_quotes(storage):
    mail = park(storage, "r-1", TWO, ONE)
    park(storage, "r-2", THREE)
    remember(storage, thread(ONE))

    assert ask(storage, lambda unit: unit.threads.waiting_for([email_id()])) == [mail]
    assert ask(storage, lambda unit: unit.threads.waiting_for_known(most=9)) == [mail]
    assert ask(storage, lambda unit: unit.threads.waiting_for([email_id("m-2")])) == []


def test_what_a_parked_mail_quotes_keeps_its_order(storage):
    mail = park(storage, "r-1", THREE, ONE, TWO)
    remember(storage, thread(TWO))

    [found] = ask(storage, lambda unit: unit.threads.waiting_for([email_id()]))

    assert found.quoted == mail.quoted == (THREE, ONE, TWO)


def test_a_mail_that_is_parked_no_more_waits_for_nothing(storage):
    mail = park(storage, "r-1", ONE)
    remember(storage, thread())

    ask(storage, lambda unit: unit.parked.forget([one.id for one in unit.parked.orphans_of([mail.waiting_id])]))

    assert ask(storage, lambda unit: unit.threads.waiting_for([email_id()])) == []
    assert ask(storage, lambda unit: unit.threads.waiting_for_known(most=9)) == []


def test_a_mail_that_is_parked_again_waits_once(storage):
    mail = park(storage, "r-1", ONE, TWO)
    park(storage, "r-1", ONE, TWO)
    remember(storage, thread(ONE), thread(TWO))

    assert ask(storage, lambda unit: unit.threads.waiting_for_known(most=9)) == [mail]


def test_nothing_is_remembered_of_a_transaction_that_failed(storage):
    def remember_and_fail(unit):
        unit.threads.remember([thread()])
        raise PulledPlugError

    with pytest.raises(PulledPlugError):
        ask(storage, remember_and_fail)

    assert ask(storage, lambda unit: unit.threads.of([ONE])) == []


# Which one is answered


def test_the_first_quoted_email_counts():
    known = [thread(TWO, "m-2"), thread(ONE)]

    assert answered_email([THREE, ONE, TWO], known, addressee_id_for(ACME, JOHN)) == email_id()


def test_an_id_of_several_emails_is_passed_over_for_one_that_can_be_told():
    known = [thread(ONE, address=MARY), thread(ONE), thread(TWO, "m-2")]

    assert answered_email([ONE, TWO], known, addressee_id_for(ACME, "stranger@example.com")) == email_id("m-2")


@pytest.mark.parametrize("others", [[], [thread(address=MARY)]])
def test_of_several_emails_of_an_id_to_whoever_answers_it_cannot_be_told_which(others):
    known = [thread(), thread(message_id="m-2"), *others]

    assert answered_email([ONE], known, addressee_id_for(ACME, JOHN)) is None


def test_of_several_emails_of_an_id_the_only_one_to_whoever_answers_counts():
    known = [thread(address=MARY), thread()]

    assert answered_email([ONE], known, addressee_id_for(ACME, JOHN)) == email_id()


def test_ids_of_two_organisations_never_meet():
    assert thread_id_for(ACME, "one") != thread_id_for(GLOBEX, "one")

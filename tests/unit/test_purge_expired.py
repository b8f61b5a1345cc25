"""A purge gives way: it rests after each step, waits for who is behind, and stops when it is told to."""

import threading
from contextlib import contextmanager
from uuid import UUID

import pytest

from application.ports.endpoints import UnknownOrganizationError
from application.ports.expired_records import PurgedEmails, PurgeWaitsError, RetentionBusyError
from application.purge_expired import PATIENCE_S, REST_PER_WORK, SHORTEST_REST_S, PurgeExpired
from entrypoints.worker import purge
from tests.support.emails import ACME, GLOBEX, NOON


class Records:
    """Emails to purge by organisation, on a clock that only work and rest move."""

    def __init__(self, emails, *, step_s=0.0):
        self.emails = dict(emails)
        self.now = 0.0
        self.rests = []
        self.waits = 0
        self.tidied = 0
        self.reports = self.looks = 0
        self.busy = False
        self._step_s = step_s

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.rests.append(seconds)
        self.now += seconds

    @contextmanager
    def alone(self):
        if self.busy:
            raise RetentionBusyError
        yield

    def organizations(self):
        return list(self.emails)

    def purge_emails(self, organization_id, _, *, most):
        if self.waits:
            self.waits -= 1
            raise PurgeWaitsError("the read models are behind")
        self.now += self._step_s
        gone = min(most, self.emails[organization_id])
        self.emails[organization_id] -= gone
        return PurgedEmails(emails=gone, events=3 * gone)

    def purge_reports(self, *_, most):
        self.looks += 1
        gone = min(most, self.reports)
        self.reports -= gone
        return gone

    def tidy(self):
        self.tidied += 1


def purger(records):
    return PurgeExpired(records, lambda: NOON, monotonic=records.monotonic, sleep=records.sleep)


def test_every_organisation_is_purged_to_the_end():
    records = Records({ACME: 1_200, GLOBEX: 3})
    told = []

    purged = purger(records)(progress=lambda one: told.append(one.emails))

    assert [(one.organization_id, one.emails, one.events, one.unfinished) for one in purged] == [
        (ACME, 1_200, 3_600, ""),
        (GLOBEX, 3, 9, ""),
    ]
    assert told == [500, 1_000, 1_200, 3]
    assert records.tidied == 1


@pytest.mark.parametrize("emails", [0, 5_000], ids=["reports alone", "beside emails"])
def test_reports_are_looked_for_until_there_are_no_more_and_not_again_with_every_chunk_of_emails(emails):
    records = Records({ACME: emails})
    records.reports = 2_500

    [purged] = purger(records)()

    assert (purged.emails, purged.reports, records.looks) == (emails, 2_500, 3)


def test_it_rests_longer_the_longer_it_works():
    slow, quick = Records({ACME: 1_000}, step_s=0.4), Records({ACME: 1_000})

    purger(slow)()
    purger(quick)()

    assert slow.rests == pytest.approx([REST_PER_WORK * 0.4] * 2)
    assert quick.rests == [SHORTEST_REST_S] * 2


def test_read_models_that_are_behind_are_waited_for():
    records = Records({ACME: 1})
    records.waits = 5

    [purged] = purger(records)()

    assert (purged.emails, purged.unfinished) == (1, "")


def test_nobody_is_waited_for_for_ever():
    records = Records({ACME: 1, GLOBEX: 0})
    records.waits = 1_000_000

    purged = purger(records)()

    assert [(one.emails, one.unfinished) for one in purged] == [(0, "the read models are behind")] * 2
    assert records.now == pytest.approx(2 * PATIENCE_S, rel=0.01)


def test_a_stop_is_heeded_before_the_next_step():
    records = Records({ACME: 5_000})

    [purged] = purger(records)(keep_on=lambda: records.emails[ACME] > 4_000)

    assert (purged.emails, purged.unfinished) == (1_000, "it was ended")


def test_an_organisation_that_nobody_knows_is_named():
    with pytest.raises(UnknownOrganizationError, match=str(UUID(int=7))):
        purger(Records({ACME: 1}))(UUID(int=7))


def test_a_worker_leaves_it_to_another_that_purges():
    records = Records({ACME: 1})
    records.busy = True

    purge(purger(records), threading.Event())

    assert records.emails == {ACME: 1}


def test_a_worker_that_is_to_stop_purges_nothing():
    records, stop = Records({ACME: 1}), threading.Event()
    stop.set()

    purge(purger(records), stop)

    assert records.emails == {ACME: 1}

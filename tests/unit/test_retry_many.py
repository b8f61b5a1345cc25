import pytest

from application.ports.unit_of_work import StoreUnavailableError
from application.retry_many import retry_many
from application.retry_parked import ReportNotKeptError, RetryOutcome, UnknownParkedReportError
from tests.support.emails import ACME

OUTCOMES = {
    9: RetryOutcome.PROCESSED,
    8: RetryOutcome.STILL_FAILED,
    7: RetryOutcome.STILL_ORPHANED,
    6: UnknownParkedReportError("gone"),
    5: ReportNotKeptError("privacy mode"),
    4: RetryOutcome.PROCESSED,
}


@pytest.fixture
def tried():
    return []


@pytest.fixture
def retry(tried):
    def retry(organization_id, report_id):
        assert organization_id == ACME
        tried.append(report_id)
        outcome = OUTCOMES[report_id]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return retry


def test_whatever_one_report_does_the_others_are_tried(retry, tried):
    retries = retry_many(retry, ACME, list(OUTCOMES))

    assert tried == list(OUTCOMES)
    assert (retries.processed, retries.failed, retries.orphaned, retries.gone, retries.not_kept) == (2, 1, 1, 1, 1)
    assert (retries.tried, retries.last_id) == (6, 4)


def test_it_stops_when_it_is_told_to_and_says_where(retry, tried):
    answers = iter([True, False])

    retries = retry_many(retry, ACME, list(OUTCOMES), keep_on=lambda: next(answers))

    assert (tried, retries.last_id) == ([9, 8], 8)


def test_one_report_at_least_is_tried_so_that_going_on_comes_to_an_end(retry):
    assert retry_many(retry, ACME, list(OUTCOMES), keep_on=lambda: False).tried == 1


def test_nothing_to_retry_is_nothing_tried(retry):
    assert (retry_many(retry, ACME, []).tried, retry_many(retry, ACME, []).last_id) == (0, None)


def test_a_database_that_is_away_is_no_report_that_failed():
    def away(organization_id, report_id):
        raise StoreUnavailableError("away")

    with pytest.raises(StoreUnavailableError):
        retry_many(away, ACME, [1])

from uuid import UUID

import pytest

from adapters.postgres.emails_in_work import EmailsInWork
from read_models.engagement.view import EmailLog
from tests.support.emails import ACME, NOON


def row(number, **told):
    return EmailLog(
        **(
            {
                "id": number,
                "email_id": UUID(int=number),
                "organization_id": ACME,
                "tracking_id": "",
                "tracking": True,
                "job_id": None,
                "template_id": None,
                "campaign_id": None,
                "campaign_contact_id": UUID(int=number),
                "sent_at": NOON,
                "updated_at": NOON,
            }
            | told
        )
    )


def kept_of(kept, numbers):
    return {email.id for email in kept.among([UUID(int=number) for number in numbers]).values()}


@pytest.mark.parametrize("size", [1, 3, 10, 11, 25])
def test_what_was_folded_last_is_kept_however_much_it_is_and_no_more_than_that_beside_the_most(size):
    kept = EmailsInWork(most=10)

    for first in range(0, 100, size):
        kept.keep(row(number) for number in range(first, first + size))

        assert kept_of(kept, range(first, first + size)) == set(range(first, first + size))
        assert len(kept_of(kept, range(100 + size))) <= max(10, 2 * size) + size


def test_the_latest_row_of_an_email_is_kept():
    kept = EmailsInWork(most=4)
    kept.keep([row(1), row(2), row(3)])
    latest = row(1, open_count=2)

    kept.keep([latest])

    assert kept.among([UUID(int=1)]) == {UUID(int=1): latest}


def test_a_row_that_was_just_made_is_read_before_it_is_kept_and_takes_the_old_one_with_it():
    kept = EmailsInWork()
    kept.keep([row(1), row(2)])

    kept.keep([row(1, created_at=NOON), row(3, created_at=NOON)])

    assert kept_of(kept, [1, 2, 3]) == {2}


def test_what_is_purged_is_let_go_of():
    kept = EmailsInWork(most=4)
    kept.keep([row(1), row(2), row(3)])
    kept.keep([row(4)])

    kept.forget([1, 4])

    assert kept_of(kept, [1, 2, 3, 4]) == {2, 3}

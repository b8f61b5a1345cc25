import logging

import pytest

from adapters.postgres.confirmations import PostgresConfirmations
from application.confirm_subscriptions import BACKOFF_S, GIVEN_UP_AFTER, ConfirmSubscriptions
from application.ports.provider import ConfirmSubscription
from application.ports.subscriptions import SubscriptionNotConfirmedError
from tests.support.core import ENDPOINT
from tests.support.emails import seconds

URL = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=secret"


class Amazon:
    """Confirms, unless it is away."""

    def __init__(self):
        self.is_away = False
        self.asked = 0
        self.confirmed = []

    def confirm(self, url):
        self.asked += 1
        if self.is_away:
            raise SubscriptionNotConfirmedError("no answer")
        self.confirmed.append(url)


def requested(core, count=1):
    with core.units.begin() as unit:
        unit.request_confirmations([(ENDPOINT, ConfirmSubscription(URL))] * count)
    core.now = core.value("SELECT max(requested_at) FROM ops.subscription_confirmations")  # by the database's clock
    amazon = Amazon()
    return amazon, ConfirmSubscriptions(PostgresConfirmations(core.backend._datastore), amazon, lambda: core.now)


def test_a_requested_confirmation_is_carried_out_once(core):
    amazon, confirm = requested(core)

    assert (confirm(), confirm()) == (1, 0)
    assert amazon.confirmed == [URL]


def test_a_confirmation_that_fails_is_tried_again_later_and_later(core):
    amazon, confirm = requested(core)
    amazon.is_away = True
    for wait in BACKOFF_S:
        assert confirm() == 0
        core.now += seconds(wait - 1)
        assert confirm() == 0
        core.now += seconds(1)
    amazon.is_away = False

    assert confirm() == 1
    assert amazon.confirmed == [URL]
    attempts = core.query("SELECT count(*) FROM ops.subscription_confirmations")
    assert attempts == [(0,)]


@pytest.mark.parametrize("is_away", [False, True])
def test_no_confirmation_is_begun_once_the_process_is_to_stop(core, is_away):
    amazon, confirm = requested(core, count=3)
    amazon.is_away = is_away
    answers = iter([True, False])

    confirm(keep_on=lambda: next(answers))

    assert amazon.asked == 1
    amazon.is_away = False
    core.now += seconds(BACKOFF_S[0])
    assert confirm() == (3 if is_away else 2), "the others wait for the next time"


def test_a_confirmation_is_given_up_when_its_token_is_no_longer_good(core, caplog):
    amazon, confirm = requested(core)
    amazon.is_away = True
    core.now += GIVEN_UP_AFTER - seconds(1)
    confirm()
    assert core.value("SELECT count(*) FROM ops.subscription_confirmations") == 1

    core.now += seconds(BACKOFF_S[0])
    with caplog.at_level(logging.WARNING):
        confirm()

    assert core.value("SELECT count(*) FROM ops.subscription_confirmations") == 0
    given_up = caplog.records[-1]
    assert (given_up.event, given_up.endpoint_id, given_up.attempts) == ("subscription_given_up", str(ENDPOINT), 2)
    assert "Token" not in str(vars(given_up))


def test_what_waited_longer_than_its_token_is_good_for_is_tried_once(core):
    amazon, confirm = requested(core)
    core.now += GIVEN_UP_AFTER

    assert confirm() == 1
    assert amazon.confirmed == [URL]

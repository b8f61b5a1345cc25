from adapters.postgres.confirmations import PostgresConfirmations
from application.confirm_subscriptions import BACKOFF_S, ConfirmSubscriptions
from application.ports.provider import ConfirmSubscription
from application.ports.subscriptions import SubscriptionNotConfirmedError
from tests.support.core import ENDPOINT
from tests.support.emails import NOON, seconds

URL = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"


class Amazon:
    """Confirms, unless it is away."""

    def __init__(self):
        self.is_away = False
        self.confirmed = []

    def confirm(self, url):
        if self.is_away:
            raise SubscriptionNotConfirmedError("no answer")
        self.confirmed.append(url)


def requested(core):
    core.now = NOON.replace(year=2126)  # the database stamps requests by its own clock
    with core.units.begin() as unit:
        unit.request_confirmations([(ENDPOINT, ConfirmSubscription(URL))])
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

"""Tell providers that an endpoint wants their reports, after the request for it was proven to be theirs."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from application.ports.clock import Clock
from application.ports.confirmations import Confirmations, DueConfirmation
from application.ports.subscriptions import SubscriptionConfirmer, SubscriptionNotConfirmedError

logger = logging.getLogger(__name__)

BACKOFF_S: Final = (5, 30, 120, 600, 3600)
GIVEN_UP_AFTER: Final = timedelta(days=3)
"""SNS's token is good for so long."""


class ConfirmSubscriptions:
    """Carries out requested confirmations, with backoff, until the provider's token is no longer good.

    Args:
        confirmations: The requested ones.
        confirmer: Asks the provider.
        clock: Gives aware UTC.
    """

    def __init__(self, confirmations: Confirmations, confirmer: SubscriptionConfirmer, clock: Clock) -> None:
        self._confirmations = confirmations
        self._confirmer = confirmer
        self._clock = clock

    def __call__(self, *, keep_on: Callable[[], bool] = lambda: True) -> int:
        """Confirm what is due.

        Args:
            keep_on: Asked before each confirmation whether to go on: a provider that is silent takes its time.

        Returns:
            Number of confirmed subscriptions.
        """
        confirmed = 0
        for due in self._confirmations.due(self._clock()):
            if not keep_on():
                break
            try:
                self._confirmer.confirm(due.url)
            except SubscriptionNotConfirmedError as error:
                self._put_off(due, error)
            else:
                logger.info(
                    "A subscription was confirmed",
                    extra={"event": "subscription_confirmed", "endpoint_id": str(due.endpoint_id)},
                )
                self._confirmations.done(due.id)
                confirmed += 1
        return confirmed

    def _put_off(self, due: DueConfirmation, error: SubscriptionNotConfirmedError) -> None:
        now = self._clock()
        told = {"endpoint_id": str(due.endpoint_id), "attempts": due.attempts + 1, "error": str(error)}
        if now - due.requested_at >= GIVEN_UP_AFTER:
            logger.warning(
                "The confirmation of a subscription was given up", extra={"event": "subscription_given_up", **told}
            )
            self._confirmations.done(due.id)
            return
        logger.warning("A subscription could not be confirmed", extra={"event": "subscription_not_confirmed", **told})
        wait = BACKOFF_S[min(due.attempts, len(BACKOFF_S) - 1)]
        self._confirmations.postpone(due.id, str(error), now + timedelta(seconds=wait))

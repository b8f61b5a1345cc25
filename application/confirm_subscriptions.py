"""Tell providers that an endpoint wants their reports, after the request for it was proven to be theirs."""

import logging
from datetime import timedelta
from typing import Final

from application.ports.clock import Clock
from application.ports.confirmations import Confirmations
from application.ports.subscriptions import SubscriptionConfirmer, SubscriptionNotConfirmedError

logger = logging.getLogger(__name__)

BACKOFF_S: Final = (5, 30, 120, 600, 3600)


class ConfirmSubscriptions:
    """Carries out requested confirmations, with backoff; the provider's token is good for days.

    Args:
        confirmations: The requested ones.
        confirmer: Asks the provider.
        clock: Gives aware UTC.
    """

    def __init__(self, confirmations: Confirmations, confirmer: SubscriptionConfirmer, clock: Clock) -> None:
        self._confirmations = confirmations
        self._confirmer = confirmer
        self._clock = clock

    def __call__(self) -> int:
        """Confirm what is due.

        Returns:
            Number of confirmed subscriptions.
        """
        confirmed = 0
        for due in self._confirmations.due(self._clock()):
            try:
                self._confirmer.confirm(due.url)
            except SubscriptionNotConfirmedError as error:
                logger.warning(
                    "A subscription could not be confirmed",
                    extra={
                        "event": "subscription_not_confirmed",
                        "endpoint_id": str(due.endpoint_id),
                        "attempts": due.attempts + 1,
                        "error": str(error),
                    },
                )
                wait = BACKOFF_S[min(due.attempts, len(BACKOFF_S) - 1)]
                self._confirmations.postpone(due.id, str(error), self._clock() + timedelta(seconds=wait))
            else:
                logger.info(
                    "A subscription was confirmed",
                    extra={"event": "subscription_confirmed", "endpoint_id": str(due.endpoint_id)},
                )
                self._confirmations.done(due.id)
                confirmed += 1
        return confirmed

"""How a provider is told that an endpoint wants its reports."""

from typing import Protocol

from domain.errors import PortError


class SubscriptionNotConfirmedError(PortError):
    """The provider did not take the confirmation; the message says what it answered. Worth a retry."""

    code = "subscription_not_confirmed"


class SubscriptionConfirmer(Protocol):
    """Confirms subscriptions, so that reports start to arrive."""

    def confirm(self, url: str) -> None:
        """Tell the provider that the endpoint wants its reports; doing it twice does no harm.

        Args:
            url: From `ConfirmSubscription`; any other address is refused, so it cannot be made to fetch anything else.

        Raises:
            SubscriptionNotConfirmedError: The provider refused, or could not be reached.
        """
        ...

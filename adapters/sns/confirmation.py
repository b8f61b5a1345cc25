"""Confirms that an endpoint wants a topic's messages."""

import re
from collections.abc import Callable
from http import HTTPStatus

from adapters.sns.https import HttpsAnswer, HttpsUnavailableError, get
from application.ports.subscriptions import SubscriptionNotConfirmedError

_CONFIRMATION = re.compile(
    r"https://sns\.[a-z]{2}(-[a-z]+)+-[0-9]\.amazonaws\.com(\.cn)?/"
    r"\?Action=ConfirmSubscription&TopicArn=[A-Za-z0-9%._-]+&Token=[A-Za-z0-9%._~-]+"
)


class SnsSubscriptionConfirmer:
    """Confirms by SNS's API, at SNS hosts only."""

    def __init__(self, fetch: Callable[[str], HttpsAnswer] = get) -> None:
        self._fetch = fetch

    def confirm(self, url: str) -> None:
        if _CONFIRMATION.fullmatch(url) is None:
            raise SubscriptionNotConfirmedError("the address is not a ConfirmSubscription call at an SNS host")
        try:
            answer = self._fetch(url)
        except HttpsUnavailableError as error:
            raise SubscriptionNotConfirmedError(str(error)) from error
        if answer.status != HTTPStatus.OK:
            raise SubscriptionNotConfirmedError(f"SNS answered with status {answer.status}")

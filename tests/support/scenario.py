"""Given what is known about an email, when reports come in, then this is what is decided and known."""

from domain.email_message import EmailMessage
from tests.support.emails import NOON, email_id
from tests.support.known import known_of, news_of


class Scenario:
    """One email's life; every step gives the scenario back.

    Args:
        sent: The email's registration; ``None``: nobody registered it.
    """

    def __init__(self, sent=None):
        self.message = EmailMessage(email_id())
        if sent is not None:
            self.message.register(sent)
        self._stream = news_of(self.message)
        self._news = []
        self._decided = []

    def given(self, *reports):
        for report in reports:
            self.message.record(report, received_at=NOON)
        self._stream += news_of(self.message)
        return self

    def when(self, *reports):
        self._news = [self.message.record(report, received_at=NOON, delivery_id=7) for report in reports]
        self._decided = news_of(self.message)
        self._stream += self._decided
        return self

    def then(self, *kinds):
        assert [type(fact) for fact in self._decided] == list(kinds)
        assert self._news.count(True) == len(kinds)
        return self

    def then_nothing(self):
        return self.then()

    def then_fact(self, **expected):
        [fact] = self._decided
        assert {name: getattr(fact, name) for name in expected} == expected
        return self

    def then_state(self, **expected):
        """What the facts until now tell is this."""
        known = known_of(self._stream)
        assert {name: getattr(known, name) for name in expected} == expected
        assert self.message.delivered_at == known.delivered_at
        return self

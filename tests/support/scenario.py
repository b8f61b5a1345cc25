"""Given what is known about an email, when reports come in, then this is what is decided and known."""

from domain.email_message import EmailMessage
from domain.engagements import Tally
from tests.support.emails import NOON, email_id


class Scenario:
    """One email's life; every step gives the scenario back.

    Args:
        sent: The email's registration; ``None``: nobody registered it.
    """

    def __init__(self, sent=None):
        self.message = EmailMessage(email_id())
        if sent is not None:
            self.message.register(sent)
        self.message.collect_events()
        self._news = []
        self._decided = []

    def given(self, *reports):
        for report in reports:
            self.message.record(report, received_at=NOON)
        self.message.collect_events()
        return self

    def when(self, *reports):
        self._news = [self.message.record(report, received_at=NOON, delivery_id=7) for report in reports]
        self._decided = [recorded.fact for recorded in self.message.collect_events()]
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
        assert {name: self.known(name) for name in expected} == expected
        return self

    def known(self, name):
        if name == "unique_click_count":
            return len(self.message.tally.links_clicked)
        return getattr(self.message.tally if name in Tally.__struct_fields__ else self.message, name)

"""What people are told when emails are recorded, in memory, with a clock that the test sets."""

from adapters.memory.notifications_view import MemoryNotificationsView
from adapters.memory.read_model_store import MemoryReadModelStore
from adapters.memory.store import MemoryStore
from adapters.memory.unit_of_work import MemoryUnitsOfWork
from domain.email_facts import Recorded
from domain.email_message import EmailMessage
from domain.notification_preferences import NotificationPreferences
from domain.recipient_facts import Erased
from domain.tracking_terms import OPEN_TERMS
from domain.values import addressee_id_for
from read_models.events import LoggedFact
from read_models.notifications.model import NotificationsReadModel
from read_models.notifications.projection import NAME
from tests.support.batches import catch_up
from tests.support.emails import ACME, JOHN, NOON, email_id, sent
from tests.support.storages import judged_anew

ADA = "r-7"
MANAGER = "h-2"


class HeardFeed:
    """Remembers what rang."""

    def __init__(self):
        self.rung = []

    def publish(self, announcements):
        self.rung.extend(announcements)


class Notified:
    """Emails, what is reported about them, and what people are told."""

    def __init__(self):
        self.now = NOON
        self.store = MemoryStore(lambda: self.now)
        self.units = MemoryUnitsOfWork(self.store)
        self.view = MemoryNotificationsView()
        self.feed = HeardFeed()
        self.model = NotificationsReadModel(
            MemoryReadModelStore(NAME, self.store, self.view, tables=MemoryNotificationsView.TABLES),
            self.feed,
            lambda: self.now,
        )

    def prefers(self, user_id=ADA, **preferences):
        self.view.decided[ACME, user_id] = NotificationPreferences(**preferences)

    def register(self, message_id="m-1", **told):
        message = EmailMessage(email_id(message_id))
        message.register(sent(message_id, **told))
        with self.units.begin() as unit:
            unit.append([message])

    def record(self, *reports, message_id="m-1", terms=OPEN_TERMS, received_at=None):
        with self.units.begin() as unit:
            [message] = unit.messages([email_id(message_id)]).values()
            for report in reports:
                message.record(report, received_at=received_at or self.now, terms=terms)
            unit.append([message])

    def judge_anew(self, verdict, *reports, message_id="m-1"):
        with self.units.begin() as unit:
            [message] = unit.messages([email_id(message_id)]).values()
            message._record(judged_anew(verdict, *(report.key_for(message.id) for report in reports)))
            unit.append([message])

    def erase(self, address=JOHN):
        who = addressee_id_for(ACME, address)
        fact = Erased(organization_id=ACME, erased_at=self.now)
        with self.store.appending:
            self.store.keep([LoggedFact(next(self.store.places), who, Recorded(who, 1, fact).fact)])

    def tell(self):
        catch_up([self.model])

    def list(self, user_id=ADA):
        self.tell()
        shown = [told for told in self.view.told.values() if told.user_id == user_id and told.held_until is None]
        return sorted(shown, key=lambda told: told.occurred_at)

    def titles(self, user_id=ADA):
        return [told.title for told in self.list(user_id)]

    def rung(self, user_id=ADA):
        self.tell()
        return [one.notification.title for one in self.feed.rung if one.user_id == user_id]

    def read_all(self):
        for told in self.view.told.values():
            told.read_at = told.read_at or self.now

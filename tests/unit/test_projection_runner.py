import pytest

from domain.errors import PortError
from read_models.events import UnreadableEvent
from read_models.runner import FoldingReadModel, StandingByError
from tests.support.batches import catch_up
from tests.support.emails import NOON, an_open, seconds
from tests.support.storages import MemoryStorage


class Remembering:
    """A projection that remembers places, and stumbles over one of them."""

    def __init__(self, poison=None):
        self.poison = poison
        self.batches = []

    def __call__(self, view, log, batch):
        places = [logged.place for logged in batch]
        self.batches.append(places)
        view.totals[len(view.totals)] = places  # written before it stumbles: must be undone
        if self.poison in places:
            raise ZeroDivisionError("john@example.com")
        return len(batch)


@pytest.fixture
def storage():
    storage = MemoryStorage()
    storage.register()
    storage.record(*(an_open(NOON + seconds(n)) for n in range(4)))
    return storage


def taken_in(storage):
    return [place for places in storage.view.totals.values() for place in places]


def test_every_event_is_taken_in_once_and_in_order(storage):
    project = Remembering()
    model = FoldingReadModel("any", storage.engagement, project)

    assert catch_up([model]) == 5
    assert project.batches == [[1, 2, 3, 4, 5]]
    assert (storage.engagement.position, model.advance()) == (5, 0)


def test_a_poison_event_is_set_aside_and_its_neighbours_are_taken_in(storage):
    model = FoldingReadModel("any", storage.engagement, Remembering(poison=3))

    catch_up([model])

    assert taken_in(storage) == [1, 2, 4, 5]
    assert storage.engagement.poison == {3: "ZeroDivisionError"}


def test_an_unreadable_event_is_set_aside_without_a_second_look(storage):
    storage.store.log[2] = UnreadableEvent(3, "EmailMessage.Opened.v9: unknown")
    project = Remembering()

    catch_up([FoldingReadModel("any", storage.engagement, project)])

    assert project.batches == [[1, 2, 4, 5]]
    assert storage.engagement.poison == {3: "EmailMessage.Opened.v9: unknown"}


def test_an_outage_sets_nothing_aside(storage):
    def away(*_):
        raise PortError

    model = FoldingReadModel("any", storage.engagement, away)

    with pytest.raises(PortError):
        model.advance()
    assert (storage.engagement.position, storage.engagement.poison) == (0, {})


def test_a_second_projector_stands_by(storage):
    model = FoldingReadModel("any", storage.engagement, Remembering())

    with storage.engagement.begin(), pytest.raises(StandingByError):
        model.advance()
    assert model.advance() == 5

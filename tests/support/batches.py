"""Read models that take in events batch by batch, as a test says."""

from read_models.runner import FoldingReadModel


def take_in_batches_of(most, monkeypatch):
    """A few at a time, so that a short history makes many batches."""
    monkeypatch.setattr(FoldingReadModel, "most_events", most)


def catch_up(read_models, keep_on=lambda: True):
    """Let them take turns, at no pace, until there is nothing to take in; give the number of events of all together."""
    total = 0
    while keep_on() and (taken := sum(model.advance() for model in read_models)):
        total += taken
    return total

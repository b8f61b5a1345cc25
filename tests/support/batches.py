"""Read models that take in a few events at a time, so that a short history makes many batches."""

from adapters.postgres import write_behind
from read_models.runner import FoldingReadModel


def take_in_batches_of(most, monkeypatch):
    monkeypatch.setattr(FoldingReadModel, "most_events", most)
    monkeypatch.setattr(write_behind, "EVENTS_PER_TRANSACTION", most)

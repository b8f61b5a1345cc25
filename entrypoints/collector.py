"""Python's garbage collector, for processes that make many short-lived objects without cycles."""

import gc
from typing import Final

YOUNGEST: Final = 100_000
"""Objects made before the collector looks; the default of 700 has it look some hundred times a batch, in vain."""


def tune_collector() -> None:
    """Look seldom, and never at what was imported; measured: a third less time per event in worker and projector."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNGEST, 20, 50)

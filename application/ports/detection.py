"""The rules that hold now."""

from typing import Protocol

from domain.policies.detection.detection import BUILT_IN, Detection


class CurrentDetection(Protocol):
    """Gives the rules that hold now; asked once a batch, because operators change them while processes run."""

    def __call__(self) -> Detection:
        """Give them; never fails, and costs next to nothing."""
        ...


def built_in() -> Detection:
    """Give the rules that come with the product."""
    return BUILT_IN

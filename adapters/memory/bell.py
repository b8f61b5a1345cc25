"""A bell that counts its rings, for tests."""


class MemoryBell:
    """See `application.ports.bell.Bell`."""

    def __init__(self) -> None:
        self.rings = 0

    def ring(self) -> None:
        self.rings += 1

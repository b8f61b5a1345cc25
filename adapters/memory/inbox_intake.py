"""An inbox's door that keeps deliveries in memory, for tests."""

from application.ports.inbox_intake import DeliveryNotKeptError, ProvenDelivery


class MemoryInboxIntake:
    """Keeps deliveries in `kept`; refuses them while `is_away`."""

    def __init__(self) -> None:
        self.kept: list[ProvenDelivery] = []
        self.is_away = False

    async def keep(self, delivery: ProvenDelivery) -> None:
        if self.is_away:
            raise DeliveryNotKeptError("the memory is away")
        self.kept.append(delivery)

"""Open the IP addresses that an organisation keeps sealed, for those who may see them."""

from collections.abc import Collection

from application.ports.unit_of_work import UnitsOfWork


class HiddenAddresses:
    """Opens addresses of opens and clicks, any number at once.

    Args:
        units: Begins transactions.

    Source:
        SEC-5 Encryption of IP addresses: kept sealed, in no table; shown to administrators alone.
    """

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    def __call__(self, engagement_event_ids: Collection[int]) -> dict[int, str]:
        """Give the addresses of those events that have a sealed one.

        Args:
            engagement_event_ids: Of events that the caller was shown.

        Raises:
            StoreUnavailableError: It cannot be told now.
        """
        if not engagement_event_ids:
            return {}
        with self._units.begin() as unit:
            return unit.hidden_addresses(engagement_event_ids)

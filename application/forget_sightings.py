"""Forget where addresses showed up minutes ago."""

from application.ports.unit_of_work import UnitsOfWork


class ForgetSightings:
    """Keeps the sightings of addresses down to the last minutes."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    def __call__(self) -> int:
        """Forget.

        Returns:
            Number of sightings forgotten.

        Raises:
            StoreUnavailableError: Another time, then.
        """
        with self._units.begin() as unit:
            return unit.sightings.forget_old()

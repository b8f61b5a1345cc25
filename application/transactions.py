"""Work in one transaction, and do it again where another process was quicker."""

from collections.abc import Callable
from typing import Final, TypeVar

from application.ports.unit_of_work import ConcurrentAppendError, StoreUnavailableError, UnitOfWork, UnitsOfWork

RERUNS_AFTER_CONFLICT: Final = 20

R = TypeVar("R")


def in_transaction(units: UnitsOfWork, work: Callable[[UnitOfWork], R]) -> R:
    """Do work in one transaction; after a conflict all of it again, so that it sees what the other process did.

    Args:
        units: Begins transactions.
        work: Reads what it decides by from the transaction that it is given, and leaves nothing behind outside of it.

    Returns:
        What the work returned, once it is committed.

    Raises:
        StoreUnavailableError: The database went away, or there were `RERUNS_AFTER_CONFLICT` conflicts in a row; nothing
            of it happened.
    """
    for _ in range(RERUNS_AFTER_CONFLICT):
        try:
            with units.begin() as unit:
                return work(unit)
        except ConcurrentAppendError:
            continue
    raise StoreUnavailableError(f"{RERUNS_AFTER_CONFLICT} conflicts in a row with other processes")

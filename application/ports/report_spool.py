"""Where reports of our own pixel and links wait for the inbox, so that a reader waits for no database."""

from typing import Protocol

from application.ports.inbox_intake import ProvenDelivery
from domain.errors import PortError


class ReportLostError(PortError):
    """The report could not be kept: the disk refuses it, or as much waits as there is room for."""

    code = "report_lost"


class ReportSpool(Protocol):
    """Keeps reports on this machine and hands them to the inbox, in order, as soon as that takes them."""

    def keep(self, report: ProvenDelivery) -> int:
        """Write a report down; from here on no end of this process loses it.

        Returns:
            Its number, for `durable`.

        Raises:
            ReportLostError: It is not written down.
        """
        ...

    async def durable(self, number: int) -> None:
        """Return once a report is in the inbox, or on the disk: from then on no power cut loses it.

        Raises:
            ReportLostError: It may not be.
        """
        ...

"""What operations see of our own pixel and links."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

KINDS: Final = ("open", "click", "unsubscribe")
OUTCOMES: Final = ("kept", "broken", "limited", "lost")


class TrackingMetrics:
    """Counts requests of readers.

    Args:
        registry: Where the metrics are collected.
        waiting: Gives the number of reports that are not in the inbox yet.
        bytes_on_disk: Gives the size of the spool.
    """

    def __init__(
        self, registry: CollectorRegistry, *, waiting: Callable[[], int], bytes_on_disk: Callable[[], int]
    ) -> None:
        requests = Counter(
            "mailpulse_tracking_requests",
            "Requests for pixels, links and unsubscriptions, by what became of them.",
            ["kind", "outcome"],
            registry=registry,
        )
        # Looked up once: finding a labelled child costs more than counting.
        self._children = {(kind, outcome): requests.labels(kind, outcome) for kind in KINDS for outcome in OUTCOMES}
        Gauge(
            "mailpulse_spool_waiting_reports",
            "Reports of readers that this process holds and the inbox does not.",
            registry=registry,
        ).set_function(waiting)
        Gauge(
            "mailpulse_spool_bytes", "Size of this machine's files of readers' reports.", registry=registry
        ).set_function(bytes_on_disk)

    def count(self, kind: str, outcome: str) -> None:
        """Count a request."""
        self._children[kind, outcome].inc()

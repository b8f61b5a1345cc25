"""What operations see of reception; every label has few values, whatever strangers send."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

OTHER: Final = "other"
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)


class WebhookMetrics:
    """Counts deliveries and refusals.

    Args:
        registry: Where the metrics are collected.
        providers: Names that may become labels; any other is "other".
    """

    def __init__(self, registry: CollectorRegistry, providers: Iterable[str]) -> None:
        deliveries = Counter(
            "mailpulse_webhook_deliveries",
            "Webhooks acknowledged, empty ones included.",
            ["provider"],
            registry=registry,
        )
        stored_bytes = Counter(
            "mailpulse_webhook_stored_bytes", "Bytes of bodies made durable.", ["provider"], registry=registry
        )
        acknowledgement = Histogram(
            "mailpulse_webhook_acknowledgement_seconds",
            "From the request's head to the acknowledgement of a durable delivery.",
            ["provider"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._refusals = Counter(
            "mailpulse_webhook_refusals",
            "Webhooks refused, by reason.",
            ["provider", "reason"],
            registry=registry,
        )
        self._lost_rings = Counter(
            "mailpulse_bell_lost_rings",
            "Rings that did not reach Redis; the sweeper finds the work.",
            registry=registry,
        )
        # Looked up once: finding a labelled child costs more than counting.
        self._accepted = {
            name: (deliveries.labels(name), stored_bytes.labels(name), acknowledgement.labels(name))
            for name in providers
        }

    def accepted(self, provider: str, *, size: int, took_s: float) -> None:
        """Count an acknowledged delivery of a registered provider."""
        deliveries, stored_bytes, acknowledgement = self._accepted[provider]
        deliveries.inc()
        stored_bytes.inc(size)
        acknowledgement.observe(took_s)

    def refused(self, provider: str, reason: str) -> None:
        """Count a refusal; `reason` is one of our own error codes, never a stranger's text."""
        self._refusals.labels(provider if provider in self._accepted else OTHER, reason).inc()

    def ring_lost(self) -> None:
        """Count a ring that reached nobody."""
        self._lost_rings.inc()

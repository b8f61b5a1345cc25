"""The state of the work as Prometheus metrics, asked of the database when somebody looks."""

import logging
from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from adapters.postgres.operations import PostgresOperations
from domain.errors import PortError

logger = logging.getLogger(__name__)


class OperationsCollector(Collector):
    """Counts that all processes share; every label has few values.

    Args:
        operations: Asks the database.
        registry: Where the metrics are collected.
    """

    def __init__(self, operations: PostgresOperations, registry: CollectorRegistry) -> None:
        self._operations = operations
        registry.register(self)

    def describe(self) -> Iterable[Metric]:
        """Say nothing in advance: registering must not connect."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Ask; while the database is away, only say so."""
        answers = GaugeMetricFamily("mailpulse_database_answers", "1 if the database told the rest, else 0.")
        try:
            yield from self._inbox()
            yield from self._reports()
            yield from self._read_models()
            yield from self._outgoing()
        except PortError as error:
            logger.warning("The database tells no metrics", extra={"event": "metrics_missing", "reason": error.code})
            answers.add_metric([], 0)
        else:
            answers.add_metric([], 1)
        yield answers

    def _inbox(self) -> Iterable[Metric]:
        inbox = self._operations.inbox()
        size = GaugeMetricFamily("mailpulse_inbox_deliveries", "Deliveries in the inbox.", labels=["state"])
        size.add_metric(["due"], inbox.due)
        size.add_metric(["postponed"], inbox.postponed)
        yield size
        age = GaugeMetricFamily("mailpulse_inbox_oldest_due_seconds", "Age of the oldest due delivery.")
        age.add_metric([], inbox.oldest_due_s)
        yield age

    def _reports(self) -> Iterable[Metric]:
        outcomes = CounterMetricFamily(
            "mailpulse_reports", "What became of drained reports, since the database was made.", labels=["outcome"]
        )
        for outcome, count in self._operations.outcomes().items():
            outcomes.add_metric([outcome], count)
        yield outcomes
        parked = GaugeMetricFamily("mailpulse_parked_reports", "Reports that wait.", labels=["status"])
        for status, count in self._operations.parked_counts().items():
            parked.add_metric([status], count)
        yield parked

    def _outgoing(self) -> Iterable[Metric]:
        outgoing = self._operations.outgoing()
        webhooks = GaugeMetricFamily("mailpulse_outgoing_webhooks", "Outgoing webhooks.", labels=["state"])
        for state, count in outgoing.webhooks.items():
            webhooks.add_metric([state], count)
        yield webhooks
        waiting = GaugeMetricFamily("mailpulse_outgoing_waiting_deliveries", "Deliveries that wait for an attempt.")
        waiting.add_metric([], outgoing.waiting)
        yield waiting
        age = GaugeMetricFamily(
            "mailpulse_outgoing_oldest_due_seconds", "How long ago the delivery that is due longest became due."
        )
        age.add_metric([], outgoing.oldest_due_s)
        yield age

    def _read_models(self) -> Iterable[Metric]:
        lag = GaugeMetricFamily("mailpulse_projection_lag_events", "Events not yet taken in.", labels=["read_model"])
        seconds = GaugeMetricFamily(
            "mailpulse_projection_lag_seconds",
            "Age of the oldest event not yet taken in, since what it tells was received; 0 if there is none.",
            labels=["read_model"],
        )
        poison = GaugeMetricFamily("mailpulse_poison_events", "Events that were set aside.", labels=["read_model"])
        for state in self._operations.read_models():
            if state.rebuild_of:
                continue  # it serves nobody: that it is behind is no alarm
            lag.add_metric([state.name], state.lag_events)
            seconds.add_metric([state.name], state.lag_s)
            poison.add_metric([state.name], state.poison_events)
        yield lag
        yield seconds
        yield poison

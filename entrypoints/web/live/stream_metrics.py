"""What operations see of open streams."""

from prometheus_client import CollectorRegistry, Gauge

from entrypoints.web.live.streams import OpenStreams


def count_open_streams(registry: CollectorRegistry, streams: OpenStreams) -> None:
    """Show how many streams this process holds, counted when somebody looks."""
    gauge = Gauge("mailpulse_open_streams", "Streams of notifications that this process holds.", registry=registry)
    gauge.set_function(lambda: streams.count)

"""How large the benchmarks are and what they run on."""

from pathlib import Path

import msgspec


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the suite.

    Attributes:
        directory: For request files and data directories; gone afterwards.
        server_url: Of the PostgreSQL on which everything but the whole service is measured.
        service_settings: More environment for ``mailpulse up``.
        seconds: Of each timed load; the sustained one takes three times as long.
        drain_events: In the inbox before the drain begins.
        catch_up_events: In the store before the projector begins.
        rebuild_events: In the store before the rebuild begins.
        purge_events: Of emails whose time is up, before the purge begins.
        dashboard_events: Behind the pages that are looked at.
    """

    directory: Path
    server_url: str
    service_settings: dict[str, str]
    seconds: float = 10.0
    runs: int = 3
    drain_events: int = 50_000
    catch_up_events: int = 100_000
    rebuild_events: int = 1_000_000
    purge_events: int = 1_000_000
    dashboard_events: int = 10_000_000

"""Benchmarks measure nothing when they fail: each that needs no service runs here on a handful of events."""

import pytest

from tests.benchmarks import drain, projection
from tests.benchmarks.figures import Figures
from tests.benchmarks.plan import Plan
from tests.support.servers import started_servers


@pytest.mark.parametrize("run", [drain.run, projection.run, projection.run_rebuild])
def test_it_does_its_work(run, tmp_path, tmp_path_factory):
    server_url, _ = started_servers(tmp_path_factory.mktemp("servers"))
    plan = Plan(
        directory=tmp_path,
        server_url=server_url,
        service_settings={},
        runs=1,
        drain_events=500,
        catch_up_events=500,
        rebuild_events=500,
    )
    figures = Figures()

    run(plan, figures)

    assert "events/s" in figures.table()

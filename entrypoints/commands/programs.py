"""Run Mailpulse: everything at once, or one process of it."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress

import click

from application.ports.unit_of_work import StoreUnavailableError
from entrypoints.bootstrap import Backend
from entrypoints.commands.frame import opened_backend, refuse_unmigrated
from entrypoints.embedded_servers import embedded_server_context
from entrypoints.logging import configure_logging
from entrypoints.process_lifetime import exit_when_parent_dies
from entrypoints.settings import Settings


@click.command()
@click.option("--demo", is_flag=True, help="Also play a simulated provider that reports on a believable team's emails.")
def up(demo: bool) -> None:
    """Run everything on this machine: embedded servers, web, worker and projector, supervised."""
    from entrypoints.up import run_up  # noqa: PLC0415 - the supervisor is needed here only

    settings = Settings.from_env(os.environ).with_secret_keys()
    configure_logging(settings.log_level)
    Backend(settings).check_detection_rules()
    sys.exit(run_up(settings, demo=demo))


def _process(run: Callable[[Backend], None]) -> None:
    settings = Settings.from_env(os.environ).with_secret_keys()
    configure_logging(settings.log_level)
    if settings.supervisor_pid:
        exit_when_parent_dies(settings.supervisor_pid)
    else:  # one that is started again by its supervisor goes on with the built-in rules, and says so
        Backend(settings).check_detection_rules()
    with embedded_server_context(settings) as connected:
        backend = Backend(connected)
        with suppress(StoreUnavailableError):  # it may come later; until then the web says so with 503
            refuse_unmigrated(backend)
        run(backend)


@click.command()
def web() -> None:
    """Run one web process: webhooks, API and pages."""
    from entrypoints.web.server import run  # noqa: PLC0415 - the web framework is needed here only

    _process(run)


@click.command()
def worker() -> None:
    """Run one worker process: turns acknowledged webhooks into events."""
    from entrypoints.worker import run  # noqa: PLC0415 - dramatiq is needed here only

    _process(run)


@click.command()
def projector() -> None:
    """Run one projector process: keeps the read models up; a second one stands by."""
    from entrypoints.projector import run  # noqa: PLC0415 - as the others

    _process(run)


@click.command()
def migrate() -> None:
    """Create or upgrade the database."""
    configure_logging("warning")
    with opened_backend() as backend:
        applied = backend.migrate()
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo("the database is up to date")

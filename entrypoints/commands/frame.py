"""What every command does alike: open the backend, answer a program or a person, end with one line that says why."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final, NoReturn, ParamSpec, TypeVar
from uuid import UUID

import click
import msgspec

from entrypoints.bootstrap import Backend
from entrypoints.embedded_servers import embedded_server_context
from entrypoints.logging import configure_logging
from entrypoints.settings import Settings

EXIT_FAILED: Final = 1

P = ParamSpec("P")
R = TypeVar("R")

as_json = click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object.")
organization_option = click.option(
    "--org", "organization", type=click.UUID, required=True, help="The organisation's id."
)


def fail(message: str) -> NoReturn:
    """End with one line that says what is wrong."""
    click.echo(f"mailpulse: {message}", err=True)
    sys.exit(EXIT_FAILED)


def show(answer: object, *, json_wanted: bool, lines: Sequence[str]) -> None:
    """Print an answer for a program or for a person."""
    if json_wanted:
        click.echo(msgspec.json.encode(answer).decode())
    else:
        for line in lines:
            click.echo(line)


def show_progress(line: str) -> None:
    """Say on stderr how far a command is; at a terminal each line takes the place of the one before."""
    if sys.stderr.isatty():
        click.echo(f"{line}\r", err=True, nl=False)
    else:
        click.echo(line, err=True)


@contextmanager
def opened_backend(settings: Settings | None = None) -> Iterator[Backend]:
    """Give the backend, with the embedded servers of a running ``mailpulse up``, or started for this command."""
    settings = settings or Settings.from_env(os.environ).with_secret_keys()
    with embedded_server_context(settings) as connected:
        backend = Backend(connected)
        try:
            yield backend
        finally:
            backend.close()


def refuse_unmigrated(backend: Backend) -> None:
    """End with one line if the database lacks something that this version needs."""
    if missing := backend.missing_migrations():
        fail(f"the database lacks {', '.join(missing)}: run `mailpulse migrate`")


def refuse_outdated(backend: Backend) -> None:
    """End with one line if a read model's tables are of another version: what is counted from them would be wrong."""
    if outdated := backend.outdated_read_models():
        those = ", ".join(outdated)
        fail(f"the tables of another version wait to be rebuilt ({those}): run `mailpulse projections rebuild` first")


def refuse_unknown_organization(backend: Backend, organization_id: UUID) -> None:
    """Keep a mistyped id from reading like an organisation that has nothing.

    Raises:
        UnknownOrganizationError: There is no such organisation.
    """
    asyncio.run(backend.with_access(lambda access: access.check_organization(organization_id)))


def with_database(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the backend of a migrated database as its first argument.

    An embedded database is migrated in passing. A real one is not: when it is upgraded is its operator's decision.
    """

    @wraps(command)
    def run(*args: Any, **options: Any) -> R:
        configure_logging("warning")
        settings = Settings.from_env(os.environ).with_secret_keys()
        with opened_backend(settings) as backend:
            if settings.embeds_database:
                backend.migrate()
            else:
                refuse_unmigrated(backend)
            return command(backend, *args, **options)

    return run

"""Reports that could not be processed, or found no email."""

import sys

import click

from entrypoints.bootstrap import Backend
from entrypoints.commands.frame import EXIT_FAILED, as_json, show, with_database


@click.group()
def deliveries() -> None:
    """Reports that could not be processed, or found no email."""


@deliveries.command("list")
@click.option("--status", type=click.Choice(["failed", "orphaned"]), default=None)
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@as_json
@with_database
def deliveries_list(backend: Backend, status: str | None, limit: int, json_wanted: bool) -> None:
    """List parked reports of all organisations, newest first, with their reasons."""
    parked = backend.operations.parked(status=status, most=limit)
    show(
        {"items": parked},
        json_wanted=json_wanted,
        lines=[
            f"{report.id:>8}  {report.status:8}  {report.provider:9} {report.received_at:%Y-%m-%d %H:%M}Z"
            f"  seen {report.times_seen}x  {report.reason}"
            for report in parked
        ]
        or ["nothing is parked"],
    )


@deliveries.command("retry")
@click.argument("ids", nargs=-1, type=int, metavar="[ID]...")
@as_json
@with_database
def deliveries_retry(backend: Backend, ids: tuple[int, ...], json_wanted: bool) -> None:
    """Process parked reports again: those with the named IDs (see list), or all failed ones."""
    outcomes: dict[str, int] = {}
    for organization_id, report_id in backend.operations.parked_ids(ids or None):
        outcome = backend.retry_parked(organization_id, report_id).value
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    unknown = len(set(ids)) - sum(outcomes.values()) if ids else 0
    if unknown:
        outcomes["unknown"] = unknown
    show(
        outcomes,
        json_wanted=json_wanted,
        lines=[f"{outcome}: {count}" for outcome, count in sorted(outcomes.items())] or ["nothing to retry"],
    )
    if unknown:
        sys.exit(EXIT_FAILED)

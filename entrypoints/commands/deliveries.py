"""Reports that could not be processed, or found no email."""

import sys
from collections import Counter
from itertools import groupby
from operator import itemgetter
from typing import Final

import click

from application.retry_many import retry_many
from entrypoints.bootstrap import Backend
from entrypoints.commands.frame import EXIT_FAILED, as_json, show, with_database

OUTCOMES: Final = ("processed", "failed", "orphaned", "gone", "not_kept")


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
    tried = Counter[str]()
    for organization_id, parked in groupby(sorted(backend.operations.parked_ids(ids or None)), itemgetter(0)):
        retries = retry_many(backend.retry_parked, organization_id, [report_id for _, report_id in parked])
        tried.update({what: getattr(retries, what) for what in OUTCOMES})
    outcomes = {what: count for what, count in tried.items() if count}
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

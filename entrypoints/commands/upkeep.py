"""What operators do to a running system now and then: retention, judging anew, rotation of keys, a check-up."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import click

from application.rejudge import Rejudgements
from domain.counted import counted
from entrypoints.bootstrap import Backend
from entrypoints.commands.frame import (
    EXIT_FAILED,
    as_json,
    fail,
    opened_backend,
    refuse_outdated,
    show,
    show_progress,
    with_database,
)
from entrypoints.logging import configure_logging

if TYPE_CHECKING:
    from entrypoints.doctor import Finding


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--org", "organization", type=click.UUID, default=None, help="Only this organisation.")
@as_json
@with_database
def retention(backend: Backend, *, dry_run: bool, organization: UUID | None, json_wanted: bool) -> None:
    """Delete now what is kept beyond each organisation's time; workers do so every hour."""
    refuse_outdated(backend)
    if dry_run:
        expired = backend.purge_expired.survey(organization)
        lines = [
            f"{one.organization_id}  kept {counted(one.retention_days, 'day')}, until {one.before:%Y-%m-%d %H:%M}Z"
            f"  emails {one.emails:,}  events {one.events:,}  parked {one.parked_reports:,}"
            f"  waiting {one.waiting_deliveries:,}"
            f"  oldest {f'{one.oldest_sent_at:%Y-%m-%d}' if one.oldest_sent_at else 'none'}"
            for one in expired
        ]
        show({"dry_run": True, "items": expired}, json_wanted=json_wanted, lines=lines)
        return
    purged = backend.purge_expired(
        organization,
        progress=lambda one: click.echo(
            f"{one.organization_id}: {counted(one.emails, 'email')}, {counted(one.events, 'event')}", err=True
        ),
    )
    show(
        {"dry_run": False, "items": purged},
        json_wanted=json_wanted,
        lines=[
            f"{one.organization_id}  emails {one.emails:,}  events {one.events:,}  reports {one.reports:,}"
            f"{f'  unfinished: {one.unfinished}' if one.unfinished else ''}"
            for one in purged
        ],
    )
    if any(one.unfinished for one in purged):
        sys.exit(EXIT_FAILED)


@click.command()
@click.option("--since", required=True, type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]), help="In UTC.")
@click.option("--org", "organization", type=click.UUID, default=None, help="Of this organisation only.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@as_json
@with_database
def rejudge(backend: Backend, *, since: datetime, organization: UUID | None, dry_run: bool, json_wanted: bool) -> None:
    """Tell people from machines anew, by the present rules, in emails about which something was recorded SINCE then.

    May be repeated, and runs beside a running system; read models follow by themselves.
    """

    def progress(so_far: Rejudgements) -> None:
        show_progress(f"{so_far.emails:,} of {counted(so_far.of, 'email')}, {so_far.changed:,} changed")

    found = backend.rejudge(since.replace(tzinfo=UTC), organization, dry_run=dry_run, progress=progress)
    would = f"{'would be' if dry_run else 'is' if found.judgements == 1 else 'are'} judged differently"
    show(
        {"emails": found.emails, "changed": found.changed, "judgements": found.judgements, "dry_run": dry_run},
        json_wanted=json_wanted,
        lines=[
            f"{counted(found.emails, 'email')} looked at",
            f"{counted(found.judgements, 'open or click', 'opens and clicks')} of {found.changed:,} of them {would}",
        ],
    )


@click.command()
@as_json
def doctor(json_wanted: bool) -> None:
    """Check configuration, database, Redis and lag; exit status 1 and why if something is wrong."""
    from entrypoints.doctor import examine  # noqa: PLC0415 - needed here only

    configure_logging("error")
    with opened_backend() as backend:
        findings = examine(backend)
    wrong = [finding for finding in findings if not finding.ok]
    show(
        {"ok": not wrong, "findings": findings},
        json_wanted=json_wanted,
        lines=[f"{_mark(finding)}  {finding.subject}: {finding.text}" for finding in findings],
    )
    if wrong:
        sys.exit(EXIT_FAILED)


def _mark(finding: "Finding") -> str:
    if not finding.ok:
        return "WRONG"
    return "care " if finding.warning else "ok   "


@click.group("secrets")
def secret_keys() -> None:
    """What MAILPULSE_SECRET_KEYS seals."""


@secret_keys.command("rewrap")
@with_database
def secrets_rewrap(backend: Backend) -> None:
    """Seal everything with the newest key, while the service runs; afterwards the older ones are of no use."""
    done = backend.secret_keys_in_use.rewrap(lambda what, rows: click.echo(f"{what}: {rows:,}", err=True))
    for place in done:
        click.echo(f"{place.what}: {place.rows:,} sealed with the newest key")
    if unopened := [f"{place.unopened:,} of the {place.what}" for place in done if place.unopened]:
        fail(
            f"no key in MAILPULSE_SECRET_KEYS opens {', '.join(unopened)}: add the key they were sealed with behind the"
            " newest one, then run this again"
        )

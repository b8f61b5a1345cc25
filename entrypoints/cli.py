"""The ``mailpulse`` command."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Final, NoReturn, ParamSpec, TypeVar
from uuid import UUID

import click
import msgspec

from application.access import Role
from application.ports.unit_of_work import StoreUnavailableError
from application.rejudge import Rejudgements
from domain.errors import MailpulseError
from entrypoints.bootstrap import Backend, embedded_server_context, read_model_names
from entrypoints.collector import tune_collector
from entrypoints.logging import configure_logging
from entrypoints.process_lifetime import exit_when_parent_dies
from entrypoints.settings import Settings

EXIT_FAILED: Final = 1

P = ParamSpec("P")
R = TypeVar("R")

as_json = click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object.")


def main() -> None:
    """Run the command line; an error is one line on stderr and exit status 1."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except MailpulseError as error:
        fail(str(error))


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


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="mailpulse")
def cli() -> None:
    """Mailpulse tells recruiting teams which candidates are interested in their emails.

    Settings come from MAILPULSE_… environment variables; without MAILPULSE_DATABASE_URL and MAILPULSE_REDIS_URL it
    brings its own PostgreSQL and Redis, with their data in MAILPULSE_DATA_DIR (./var).
    """


@cli.command()
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


@cli.command()
def web() -> None:
    """Run one web process: webhooks, API and pages."""
    from entrypoints.web.server import run  # noqa: PLC0415 - the web framework is needed here only

    _process(run)


@cli.command()
def worker() -> None:
    """Run one worker process: turns acknowledged webhooks into events."""
    from entrypoints.worker import run  # noqa: PLC0415 - dramatiq is needed here only

    _process(run)


@cli.command()
def projector() -> None:
    """Run one projector process: keeps the read models up; a second one stands by."""
    from entrypoints.projector import run  # noqa: PLC0415 - as the others

    _process(run)


@cli.command()
def migrate() -> None:
    """Create or upgrade the database."""
    configure_logging("warning")
    with opened_backend() as backend:
        applied = backend.migrate()
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo("the database is up to date")


@cli.group()
def org() -> None:
    """Organisations."""


@org.command("create")
@click.argument("name")
@as_json
@with_database
def org_create(backend: Backend, name: str, json_wanted: bool) -> None:
    """Create an organisation and its first API key, which is shown this once."""
    created = asyncio.run(backend.with_access(lambda access: access.create_organization(name)))
    show(
        {"organization_id": created.organization_id, "api_key": created.api_key},
        json_wanted=json_wanted,
        lines=[
            f"organisation {created.organization_id}",
            f"api key      {created.api_key}",
            "Keep the key: it is not shown again.",
        ],
    )


@cli.group()
def webhook() -> None:
    """Webhook endpoints, where providers report."""


organization_option = click.option(
    "--org", "organization", type=click.UUID, required=True, help="The organisation's id."
)


@webhook.command("add")
@click.argument("provider")
@organization_option
@click.option("--key", "keys", multiple=True, help="Verification key as the provider shows it; may be repeated.")
@click.option("--allow", "networks", multiple=True, metavar="CIDR", help="Network that may post; may be repeated.")
@click.option(
    "--rate-limit",
    type=int,
    default=None,
    metavar="N",
    help="Requests per minute that are taken; the rest get 429. [default: 600000]",
)
@click.option(
    "--tolerance",
    type=int,
    default=None,
    metavar="SECONDS",
    help="Oldest accepted signature time. [default: the provider's; email 300, others off]",
)
@as_json
@with_database
def webhook_add(
    backend: Backend,
    provider: str,
    *,
    organization: UUID,
    keys: tuple[str, ...],
    networks: tuple[str, ...],
    rate_limit: int | None,
    tolerance: int | None,
    json_wanted: bool,
) -> None:
    """Open an endpoint for PROVIDER: sendgrid, ses, or email (Standard Webhooks).

    \b
    The key is what the provider shows:
      sendgrid  verification key   --key MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE…
      ses       SNS topic's ARN    --key arn:aws:sns:eu-central-1:123456789012:mailpulse
      email     shared secret      --key whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
    """  # noqa: D301 - click wants the character: what follows keeps its lines
    limit = {} if rate_limit is None else {"requests_per_minute": rate_limit}
    endpoint = backend.webhook_endpoints.add(
        organization, provider, keys=keys, allowed_networks=networks, tolerance_s=tolerance, **limit
    )
    public_url = backend.settings.public_url
    show(
        {"endpoint_id": endpoint.endpoint_id, "path": endpoint.path},
        json_wanted=json_wanted,
        lines=[
            f"endpoint {endpoint.endpoint_id}",
            f"Have the provider post to {public_url}{endpoint.path}",
            *([] if keys else ["It refuses everything until it has a key: mailpulse webhook add-key"]),
        ],
    )


@webhook.command("list")
@organization_option
@as_json
@with_database
def webhook_list(backend: Backend, organization: UUID, json_wanted: bool) -> None:
    """List an organisation's endpoints; of keys only fingerprints."""
    endpoints = backend.webhook_endpoints.of_organization(organization)
    show(
        {"items": endpoints},
        json_wanted=json_wanted,
        lines=[
            f"{endpoint.path}  {len(endpoint.key_fingerprints)} keys ({', '.join(endpoint.key_fingerprints)})"
            f"{'  disabled' if endpoint.disabled_at else ''}"
            for endpoint in endpoints
        ],
    )


@webhook.command("add-key")
@click.argument("endpoint", type=click.UUID)
@click.argument("key")
@organization_option
@with_database
def webhook_add_key(backend: Backend, endpoint: UUID, key: str, organization: UUID) -> None:
    """Accept KEY as well; the old ones stay good until they are removed."""
    view = backend.webhook_endpoints.add_key(organization, endpoint, key)
    click.echo(f"{len(view.key_fingerprints)} keys are accepted")


@webhook.command("remove-key")
@click.argument("endpoint", type=click.UUID)
@click.argument("fingerprint")
@organization_option
@with_database
def webhook_remove_key(backend: Backend, endpoint: UUID, fingerprint: str, organization: UUID) -> None:
    """Stop accepting the key with FINGERPRINT (see mailpulse webhook list)."""
    view = backend.webhook_endpoints.remove_key(organization, endpoint, fingerprint)
    click.echo(f"{len(view.key_fingerprints)} keys are accepted")


@webhook.command("disable")
@click.argument("endpoint", type=click.UUID)
@organization_option
@with_database
def webhook_disable(backend: Backend, endpoint: UUID, organization: UUID) -> None:
    """Close an endpoint for good."""
    backend.webhook_endpoints.disable(organization, endpoint)
    click.echo("disabled")


@cli.group()
def user() -> None:
    """People of an organisation."""


@user.command("link")
@organization_option
@click.option("--user", "user_id", required=True, help="Your own id of the person.")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--name", default="", help="What the pages call the person.")
@as_json
@with_database
def user_link(backend: Backend, *, organization: UUID, user_id: str, role: str, name: str, json_wanted: bool) -> None:
    """Let a person in: a link for the browser and the same token for the API."""
    session = asyncio.run(backend.with_access(lambda access: access.link_user(organization, user_id, Role(role), name)))
    show(
        {"url": session.url, "token": session.token},
        json_wanted=json_wanted,
        lines=[session.url, f"API token, good until {session.expires_at:%Y-%m-%d}: {session.token}"],
    )


@cli.group()
def key() -> None:
    """API keys."""


@key.command("create")
@organization_option
@click.option("--name", required=True, help="Who will use it.")
@as_json
@with_database
def key_create(backend: Backend, organization: UUID, name: str, json_wanted: bool) -> None:
    """Create another API key, which is shown this once."""
    created = asyncio.run(backend.with_access(lambda access: access.create_api_key(organization, name)))
    show(
        {"api_key_id": created.api_key_id, "api_key": created.api_key},
        json_wanted=json_wanted,
        lines=[f"id  {created.api_key_id}", f"key {created.api_key}"],
    )


@key.command("list")
@organization_option
@as_json
@with_database
def key_list(backend: Backend, organization: UUID, json_wanted: bool) -> None:
    """List API keys, never the keys themselves."""
    keys = asyncio.run(backend.with_access(lambda access: access.api_keys(organization)))
    show(
        {"items": keys},
        json_wanted=json_wanted,
        lines=[f"{k.id}  {k.created_at:%Y-%m-%d}  {k.name}{'  revoked' if k.revoked_at else ''}" for k in keys],
    )


@key.command("revoke")
@click.argument("api_key_id", type=click.UUID)
@organization_option
@with_database
def key_revoke(backend: Backend, api_key_id: UUID, organization: UUID) -> None:
    """Make an API key open nothing, within seconds."""
    asyncio.run(backend.with_access(lambda access: access.revoke_api_key(organization, api_key_id)))
    click.echo("revoked")


@cli.group("secrets")
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


@cli.group()
def projections() -> None:
    """Read models."""


@projections.command("status")
@as_json
@with_database
def projections_status(backend: Backend, json_wanted: bool) -> None:
    """Show how far each read model is behind the newest event, and how many events it set aside."""
    states = backend.operations.read_models()
    show(
        {"items": states},
        json_wanted=json_wanted,
        lines=[
            f"{state.name:24} position {state.position:>12,}  behind {state.lag_events:>10,}"
            f"  poison {state.poison_events:>4}  updated {state.updated_at:%Y-%m-%d %H:%M:%S}Z"
            for state in states
        ],
    )


@projections.command("rebuild")
@click.argument("names", nargs=-1, metavar="[NAME]...", type=click.Choice(read_model_names()))
@with_database
def projections_rebuild(backend: Backend, names: tuple[str, ...]) -> None:
    """Fold all events anew beside the tables that serve, then swap; all read models if none is named."""
    tune_collector()
    for name in names or read_model_names():
        tty = sys.stderr.isatty()

        def progress(position: int, last: int, name: str = name, *, tty: bool = tty) -> None:
            share = 100 * position / last if last else 100
            click.echo(f"{name}: {position:,} of {last:,} ({share:.0f} %)", err=True, nl=not tty)
            if tty:
                click.echo("\r", err=True, nl=False)

        folded = backend.rebuild(name, progress)
        click.echo(f"{name}: rebuilt from {folded:,} events")


@cli.group()
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


@cli.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--org", "organization", type=click.UUID, default=None, help="Only this organisation.")
@as_json
@with_database
def retention(backend: Backend, *, dry_run: bool, organization: UUID | None, json_wanted: bool) -> None:
    """Delete now what is kept beyond each organisation's time; workers do so every hour."""
    if dry_run:
        expired = backend.purge_expired.survey(organization)
        lines = [
            f"{one.organization_id}  kept {one.retention_days} days, until {one.before:%Y-%m-%d %H:%M}Z"
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
            f"{one.organization_id}: {one.emails:,} emails, {one.events:,} events", err=True
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


@cli.command()
@click.option("--since", required=True, type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]), help="In UTC.")
@click.option("--org", "organization", type=click.UUID, default=None, help="Of this organisation only.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@as_json
@with_database
def rejudge(backend: Backend, *, since: datetime, organization: UUID | None, dry_run: bool, json_wanted: bool) -> None:
    """Tell people from machines anew, by the present rules, in emails about which something was recorded SINCE then.

    May be repeated, and runs beside a running system; read models follow by themselves.
    """
    tty = sys.stderr.isatty()

    def progress(so_far: Rejudgements) -> None:
        click.echo(f"{so_far.emails:,} of {so_far.of:,} emails, {so_far.changed:,} changed", err=True, nl=not tty)
        if tty:
            click.echo("\r", err=True, nl=False)

    found = backend.rejudge(since.replace(tzinfo=UTC), organization, dry_run=dry_run, progress=progress)
    would = "would be" if dry_run else "are"
    show(
        {"emails": found.emails, "changed": found.changed, "judgements": found.judgements, "dry_run": dry_run},
        json_wanted=json_wanted,
        lines=[
            f"{found.emails:,} emails looked at",
            f"{found.judgements:,} opens and clicks of {found.changed:,} of them {would} judged differently",
        ],
    )


@cli.command()
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
        lines=[f"{'ok   ' if finding.ok else 'WRONG'}  {finding.subject}: {finding.text}" for finding in findings],
    )
    if wrong:
        sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    main()

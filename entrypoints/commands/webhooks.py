"""Webhook endpoints, where providers report."""

from uuid import UUID

import click

from domain.counted import counted
from entrypoints.bootstrap import Backend
from entrypoints.commands.frame import (
    as_json,
    organization_option,
    refuse_unknown_organization,
    show,
    with_database,
)


@click.group()
def webhook() -> None:
    """Webhook endpoints, where providers report."""


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
    """Open an endpoint for PROVIDER: sendgrid, sendgrid-inbound, ses, or email (Standard Webhooks).

    \b
    The key is what the provider shows:
      sendgrid          verification key        --key MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE…
      sendgrid-inbound  security policy's key   --key MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE…
                        or a password           --key basic:NAME:PASSWORD
      ses               SNS topic's ARN         --key arn:aws:sns:eu-central-1:123456789012:mailpulse
      email             shared secret           --key whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
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
    refuse_unknown_organization(backend, organization)
    endpoints = backend.webhook_endpoints.of_organization(organization)
    show(
        {"items": endpoints},
        json_wanted=json_wanted,
        lines=[
            f"{endpoint.path}  {counted(len(endpoint.key_fingerprints), 'key')}"
            f" ({', '.join(endpoint.key_fingerprints)})"
            f"{'  disabled' if endpoint.disabled_at else ''}"
            for endpoint in endpoints
        ]
        or ["none"],
    )


@webhook.command("add-key")
@click.argument("endpoint", type=click.UUID)
@click.argument("key")
@organization_option
@with_database
def webhook_add_key(backend: Backend, endpoint: UUID, key: str, organization: UUID) -> None:
    """Accept KEY as well; the old ones stay good until they are removed. A disabled endpoint takes none."""
    view = backend.webhook_endpoints.add_key(organization, endpoint, key)
    click.echo(f"{counted(len(view.key_fingerprints), 'key is', 'keys are')} accepted")


@webhook.command("remove-key")
@click.argument("endpoint", type=click.UUID)
@click.argument("fingerprint")
@organization_option
@with_database
def webhook_remove_key(backend: Backend, endpoint: UUID, fingerprint: str, organization: UUID) -> None:
    """Stop accepting the key with FINGERPRINT (see mailpulse webhook list)."""
    view = backend.webhook_endpoints.remove_key(organization, endpoint, fingerprint)
    click.echo(f"{counted(len(view.key_fingerprints), 'key is', 'keys are')} accepted")


@webhook.command("disable")
@click.argument("endpoint", type=click.UUID)
@organization_option
@with_database
def webhook_disable(backend: Backend, endpoint: UUID, organization: UUID) -> None:
    """Close an endpoint for good."""
    backend.webhook_endpoints.disable(organization, endpoint)
    click.echo("disabled")

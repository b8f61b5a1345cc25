"""Outgoing webhooks, where notifications are sent to."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import click

from application.outgoing_webhooks import USUAL_OVERLAP_HOURS, NewSecret, OutgoingWebhookView
from domain.notification_kinds import EVERY_KIND, NotificationKind
from entrypoints.bootstrap import Backend
from entrypoints.commands.frame import (
    as_json,
    organization_option,
    refuse_unknown_organization,
    show,
    with_database,
)

REASONS: Final = {
    "by_admin": "it was switched off",
    "gone": "the receiver answered 410",
    "failing": "nothing arrived for five days",
}
kinds_option = click.option(
    "--kind",
    "kinds",
    type=click.Choice([kind.value for kind in EVERY_KIND]),
    multiple=True,
    help="Send only these kinds of notifications; may be repeated. [default: all]",
)


def webhook_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the webhook and the organisation that it speaks of."""
    return click.argument("webhook", type=click.UUID)(organization_option(command))


@click.group("outgoing-webhooks")
def outgoing_webhooks() -> None:
    """Outgoing webhooks, where notifications are sent to."""


@outgoing_webhooks.command("list")
@organization_option
@as_json
@with_database
def outgoing_list(backend: Backend, organization: UUID, json_wanted: bool) -> None:
    """List an organisation's webhooks and how each does."""
    refuse_unknown_organization(backend, organization)
    webhooks = backend.outgoing_webhooks.of_organization(organization)
    show({"items": webhooks}, json_wanted=json_wanted, lines=[_line(webhook) for webhook in webhooks] or ["none"])


@outgoing_webhooks.command("add")
@click.argument("url")
@organization_option
@kinds_option
@as_json
@with_database
def outgoing_add(backend: Backend, url: str, *, organization: UUID, kinds: tuple[str, ...], json_wanted: bool) -> None:
    """Have notifications sent to URL; its secret is shown this once."""
    _show_secret(backend.outgoing_webhooks.add(organization, url, _kinds(kinds) or EVERY_KIND), json_wanted=json_wanted)


@outgoing_webhooks.command("change")
@webhook_argument
@click.option("--url", default=None, help="Send to this address from now on.")
@kinds_option
@as_json
@with_database
def outgoing_change(
    backend: Backend, *, webhook: UUID, organization: UUID, url: str | None, kinds: tuple[str, ...], json_wanted: bool
) -> None:
    """Send to another address, or other kinds; id, secrets and log stay."""
    view = backend.outgoing_webhooks.change(organization, webhook, url=url, kinds=_kinds(kinds) or None)
    show(view, json_wanted=json_wanted, lines=[_line(view)])


@outgoing_webhooks.command("test")
@webhook_argument
@as_json
@with_database
def outgoing_test(backend: Backend, webhook: UUID, organization: UUID, json_wanted: bool) -> None:
    """Send a test by the same way as everything else; a running worker delivers it."""
    delivery_id = backend.outgoing_webhooks.test(organization, webhook)
    show({"delivery_id": delivery_id}, json_wanted=json_wanted, lines=[f"delivery {delivery_id} is on its way"])


@outgoing_webhooks.command("pause")
@webhook_argument
@as_json
@with_database
def outgoing_pause(backend: Backend, webhook: UUID, organization: UUID, json_wanted: bool) -> None:
    """Send nothing until it is resumed."""
    view = backend.outgoing_webhooks.switch_off(organization, webhook)
    show(view, json_wanted=json_wanted, lines=[_line(view)])


@outgoing_webhooks.command("resume")
@webhook_argument
@as_json
@with_database
def outgoing_resume(backend: Backend, webhook: UUID, organization: UUID, json_wanted: bool) -> None:
    """Send again, beginning with what was not sent meanwhile."""
    view = backend.outgoing_webhooks.switch_on(organization, webhook)
    show(view, json_wanted=json_wanted, lines=[_line(view)])


@outgoing_webhooks.command("rotate")
@webhook_argument
@click.option(
    "--overlap",
    "overlap_hours",
    type=int,
    default=USUAL_OVERLAP_HOURS,
    show_default=True,
    metavar="HOURS",
    help="How long older secrets sign beside the new one; 0: not at all.",
)
@as_json
@with_database
def outgoing_rotate(
    backend: Backend, *, webhook: UUID, organization: UUID, overlap_hours: int, json_wanted: bool
) -> None:
    """Make a new secret, which is shown this once."""
    made = backend.outgoing_webhooks.renew_secret(organization, webhook, overlap_hours=overlap_hours)
    _show_secret(made, json_wanted=json_wanted)


@outgoing_webhooks.command("remove")
@webhook_argument
@with_database
def outgoing_remove(backend: Backend, webhook: UUID, organization: UUID) -> None:
    """Delete a webhook, with what waits for it and its log."""
    backend.outgoing_webhooks.remove(organization, webhook)
    click.echo("removed")


def _kinds(values: tuple[str, ...]) -> tuple[NotificationKind, ...]:
    return tuple(NotificationKind(value) for value in values)


def _show_secret(made: NewSecret, *, json_wanted: bool) -> None:
    lines = [_line(made.webhook), f"secret {made.secret}", "Keep the secret: it is not shown again."]
    show({"webhook": made.webhook, "secret": made.secret}, json_wanted=json_wanted, lines=lines)


def _line(webhook: OutgoingWebhookView) -> str:
    parts = [str(webhook.webhook_id), webhook.state, webhook.url, f"{webhook.waiting} waiting"]
    if webhook.switched_off_because:
        parts.append(REASONS[webhook.switched_off_because.value])
    elif webhook.failing_since:
        parts.append(f"since {webhook.failing_since:%Y-%m-%d %H:%M}Z")
    if len(webhook.kinds) < len(EVERY_KIND):
        parts.append(f"only {', '.join(webhook.kinds)}")
    return "  ".join(parts)

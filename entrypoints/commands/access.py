"""Who may ask: organisations, their people, their API keys."""

import asyncio
from uuid import UUID

import click

from application.ports.access_tokens import Role
from entrypoints.bootstrap import Backend
from entrypoints.commands.frame import (
    as_json,
    organization_option,
    refuse_unknown_organization,
    show,
    with_database,
)


@click.group()
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


@org.command("list")
@as_json
@with_database
def org_list(backend: Backend, json_wanted: bool) -> None:
    """List organisations, the oldest first."""
    organizations = asyncio.run(backend.with_access(lambda access: access.organizations()))
    show(
        {"items": organizations},
        json_wanted=json_wanted,
        lines=[f"{one.id}  {one.created_at:%Y-%m-%d}  {one.name}" for one in organizations] or ["none"],
    )


@click.group()
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
    """Let a person in: a link that opens once in a browser, and a token for the API."""
    session = asyncio.run(backend.with_access(lambda access: access.link_user(organization, user_id, Role(role), name)))
    show(
        {"url": session.url, "token": session.token},
        json_wanted=json_wanted,
        lines=[session.url, f"API token, good until {session.expires_at:%Y-%m-%d}: {session.token}"],
    )


@click.group()
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
    refuse_unknown_organization(backend, organization)
    keys = asyncio.run(backend.with_access(lambda access: access.api_keys(organization)))
    show(
        {"items": keys},
        json_wanted=json_wanted,
        lines=[f"{k.id}  {k.created_at:%Y-%m-%d}  {k.name}{'  revoked' if k.revoked_at else ''}" for k in keys]
        or ["none"],
    )


@key.command("revoke")
@click.argument("api_key_id", type=click.UUID)
@organization_option
@with_database
def key_revoke(backend: Backend, api_key_id: UUID, organization: UUID) -> None:
    """Make an API key open nothing, within seconds."""
    asyncio.run(backend.with_access(lambda access: access.revoke_api_key(organization, api_key_id)))
    click.echo("revoked")

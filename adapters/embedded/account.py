"""As whom an embedded server runs: as ourselves, or, because PostgreSQL refuses root, as an account without rights."""

import logging
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from adapters.embedded.errors import EmbeddedServerError

logger = logging.getLogger(__name__)

ACCOUNTS = ("postgres", "nobody")  # the first that exists; no account is ever created
STATUS_FILE = Path("/proc/self/status")
# Linux capabilities that let a process read below directories closed to it, the weakest first; (name, bit).
# A container's root often has only the second.
READING_CAPABILITIES = (("dac_read_search", 2), ("dac_override", 1))


class Account(NamedTuple):
    """A user of this machine that owns a server's files."""

    name: str
    uid: int
    gid: int


def account_for(directory: Path) -> Account | None:
    """Choose the account for PostgreSQL's data.

    Args:
        directory: Holds the data; exists. Unless root owns it, its owner is the answer.

    Returns:
        None when no change of user is needed, because we are an ordinary user.

    Raises:
        EmbeddedServerError: Root finds no account to use.
    """
    if os.geteuid() != 0:
        return None
    if owner := directory.stat().st_uid:
        return _account(_entry_of(owner))
    for name in ACCOUNTS:
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise EmbeddedServerError(f"PostgreSQL refuses to run as root, and no user of {ACCOUNTS} exists: start as a user")


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _entry_of(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise EmbeddedServerError(
            f"the data belongs to user id {uid}, which this machine does not know: chown it, or set MAILPULSE_DATA_DIR"
        ) from None


def launch_prefix(account: Account | None, *, death_signal: str, directory: Path, program: Path) -> list[str]:
    """Give the words before a command so that it runs as the account and does not outlive its parent.

    Args:
        account: Whom to run as; None for no change.
        death_signal: What the kernel sends when the parent dies, as in ``"INT"``.
        directory: Must be reachable by the account; exists.
        program: Must be executable by the account; understands ``--version``.

    Raises:
        EmbeddedServerError: The account cannot reach directory or program, and we cannot help it.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    if account is None:
        return [setpriv, "--pdeathsig", death_signal] if setpriv else []
    if setpriv is None:
        raise EmbeddedServerError(
            "PostgreSQL refuses to run as root, and setpriv (util-linux) is missing: install it, "
            "or start as an ordinary user"
        )
    drop = [setpriv, f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups", "--no-new-privs"]
    for rights in _rights_to_try():
        prefix = [*drop, *rights, "--pdeathsig", death_signal]
        if _reaches(prefix, directory, program):
            if rights:
                logger.warning(
                    "The embedded PostgreSQL may pass directories that only root may enter; run as an ordinary user,"
                    " or let others traverse them, and it needs no such right",
                    extra={"event": "embedded_postgres_rights", "directory": str(directory)},
                )
            return prefix
    raise EmbeddedServerError(
        f"started as root, PostgreSQL runs as {account.name!r}, who cannot reach {directory} or {program}: "
        "start as an ordinary user, or let others traverse the directories above (chmod o+x)"
    )


def _rights_to_try() -> Sequence[Sequence[str]]:
    """None at first; then the right to pass directories that only root may enter, such as /root or a temporary one.

    ``no_setuid_fixup`` keeps that right effective for access(2), by which PostgreSQL looks for its own files.
    """
    permitted = _permitted_capabilities()
    return [
        [],
        *(
            [
                "--securebits=+no_setuid_fixup",
                *(f"--{kind}=-all,+{name}" for kind in ("inh-caps", "ambient-caps", "bounding-set")),
            ]
            for name, bit in READING_CAPABILITIES
            if permitted >> bit & 1
        ),
    ]


def _permitted_capabilities() -> int:
    for line in STATUS_FILE.read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("CapPrm:"):
            return int(line.split()[1], 16)
    return 0


def _reaches(prefix: Sequence[str], directory: Path, program: Path) -> bool:
    probe = [
        *prefix,
        "/bin/sh",
        "-c",
        'cd "$1" && [ -r "$2" ] && exec "$2" --version',
        "sh",
        str(directory),
        str(program),
    ]
    return subprocess.run(probe, cwd="/", env={}, capture_output=True, check=False).returncode == 0

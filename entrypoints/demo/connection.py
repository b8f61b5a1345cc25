"""What the demo needs to know of a running service; kept in a file in its data dir."""

from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from entrypoints.demo.keys import write_private

CONNECTION_FILE: Final = "demo.json"
KEYS_FILE: Final = "demo-keys.json"
HISTORY_FILE: Final = "demo-history.json"


class DemoError(Exception):
    """The demo cannot go on; its text is one line."""


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """Where the service is and how to get in.

    Attributes:
        base_url: Without a last slash; where the demo posts to and asks.
        api_key: Of the demo's organisation.
        endpoints: Paths of its webhook endpoints by provider: ``sendgrid``, ``ses`` and ``email``.
        keys_file: Private keys of the simulated providers, as `kept_keys` reads them.
        history_file: Where the demo notes what it has played.
        psql: How to look into the database, as in ``psql 'postgresql://…'``; "" if no psql is there.
    """

    base_url: str
    organization_id: UUID
    api_key: str
    endpoints: dict[str, str]
    keys_file: str
    history_file: str
    psql: str = ""


class PlayedHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Which story an organisation has been told, so that the next start goes on where this one ended."""

    organization_id: UUID
    seed: int
    emails: int
    now: str
    complete: bool


def read_connection(path: Path) -> Connection:
    """Read the file that set-up wrote.

    Raises:
        DemoError: It is not there, or is something else.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Connection)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DemoError(f"{path} cannot be used ({error}); `mailpulse up --demo` writes it") from error


def read_history(path: Path) -> PlayedHistory | None:
    """Give what was played; ``None`` if nothing readable says so, then it is played again, which does no harm."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=PlayedHistory)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def write_history(path: Path, played: PlayedHistory) -> None:
    """Note what was played.

    Raises:
        OSError: It cannot be written.
    """
    write_private(path, msgspec.json.encode(played))

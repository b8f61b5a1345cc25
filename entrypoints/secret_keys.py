"""The keys that sign tokens and encrypt fields: set by the operator, or made once and kept in the data dir."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from domain.counted import counted

SECRET_KEYS_FILE = "secret_keys"  # noqa: S105  a file name
SECRET_KEY_MIN_CHARACTERS = 16


class Secret:
    """A text that never shows itself: not in logs, tracebacks or ``repr``."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the secret itself, for the one place that signs or encrypts with it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and secrets.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))


def parse_secret_keys(text: str) -> tuple[Secret, ...]:
    """Read comma-separated keys, newest first; no message ever shows one.

    Raises:
        ValueError: A key is blank, short or there twice.
    """
    if not text:
        return ()
    keys = [key.strip() for key in text.split(",")]
    for place, key in enumerate(keys, start=1):
        if len(key) < SECRET_KEY_MIN_CHARACTERS:
            raise ValueError(
                f"has {counted(len(key), 'character')} in key {place}: "
                f"give comma-separated keys of at least {SECRET_KEY_MIN_CHARACTERS} characters, newest first"
            )
    if len(set(keys)) < len(keys):
        raise ValueError("has the same key twice: give each key once, newest first")
    return tuple(Secret(key) for key in keys)


def parse_operator_token(text: str) -> Secret | None:
    """Read the operator's bearer token; no message ever shows it.

    Raises:
        ValueError: It is short.
    """
    if not text:
        return None
    if len(text) < SECRET_KEY_MIN_CHARACTERS:
        raise ValueError(f"has {counted(len(text), 'character')}: give a token of at least {SECRET_KEY_MIN_CHARACTERS}")
    return Secret(text)


def kept_secret_keys(data_dir: Path) -> tuple[Secret, ...]:
    """Give the keys of this data dir, made on first use; every process gets the same ones.

    Raises:
        OSError: The file cannot be read or written.
        ValueError: It holds no key, or others than its owner may read it.
    """
    path = data_dir / SECRET_KEYS_FILE
    if not path.exists():
        _create_secret_keys(path)
    if stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise ValueError(f"others may read {path}; allow only its owner: chmod 600")
    try:
        keys = parse_secret_keys(path.read_text(encoding="utf-8").strip())
    except ValueError as error:
        raise ValueError(f"{path} {error}") from error
    if not keys:
        raise ValueError(
            f"{path} is empty; restore it, or remove it to have a new key made (old links then stop working)"
        )
    return keys


def _create_secret_keys(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        with suppress(FileExistsError):  # another process was first: its keys are everyone's
            os.link(draft, path)
    finally:
        draft.unlink()

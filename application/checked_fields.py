"""Check what somebody wants to change, field by field, so that every mistake is named and not only the first."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from domain.errors import ApplicationError

LONGEST_NAME: Final = 100
"""Characters shown of a field that we do not know."""


class Flaw(msgspec.Struct, frozen=True):
    """What is wrong with one field."""

    field: str
    detail: str


class InvalidFieldsError(ApplicationError):
    """Fields that cannot be as asked for; nothing was changed.

    Attributes:
        flaws: Every one of them.
    """

    code = "invalid_fields"

    def __init__(self, flaws: list[Flaw]) -> None:
        super().__init__("; ".join(f"{flaw.field}: {flaw.detail}" for flaw in flaws))
        self.flaws = flaws


def checked_fields(fields: Mapping[str, object], whole: type[Any], *, of: str) -> tuple[dict[str, Any], list[Flaw]]:
    """Read new values of some fields of a struct.

    Args:
        fields: As JSON gave them.
        whole: The struct.
        of: What it is, for people: "a tracking policy".

    Returns:
        What could be read, and what is wrong with the rest.
    """
    types = {field.name: field.type for field in msgspec.structs.fields(whole)}
    checked: dict[str, Any] = {}
    flaws: list[Flaw] = []
    for name, value in fields.items():
        if name not in types:
            flaws.append(Flaw(name[:LONGEST_NAME], f"is no field of {of}; there are {', '.join(types)}"))
            continue
        try:
            checked[name] = msgspec.convert(value, types[name])
        except msgspec.ValidationError as error:
            flaws.append(_flaw(name, types[name], error))
    return checked, flaws


def _flaw(name: str, expected: object, error: msgspec.ValidationError) -> Flaw:
    if isinstance(expected, type) and issubclass(expected, StrEnum):
        return Flaw(name, f"is not one of {', '.join(expected)}")
    detail, _, path = str(error).partition(" - at `$")
    return Flaw(f"{name}{path.rstrip('`')}", detail)

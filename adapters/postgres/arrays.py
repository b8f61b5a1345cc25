"""Arrays as parameters, where there are thousands of them a second."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID


def uuid_array(ids: Iterable[UUID | None]) -> str:
    """Write a ``uuid[]`` as PostgreSQL reads it; the statement casts it: ``%s::uuid[]``.

    psycopg adapts lists element by element in Python, which was a tenth of the projector's time.
    """
    return "{" + ",".join(["NULL" if id_ is None else id_.hex for id_ in ids]) + "}"


def number_array(numbers: Iterable[int | None]) -> str:
    """Write an ``integer[]`` or ``bigint[]`` as PostgreSQL reads it, for the same reason."""
    return "{" + ",".join(map(str, numbers)).replace("None", "NULL") + "}"


def instant_array(instants: Iterable[datetime | None]) -> str:
    """Write a ``timestamptz[]`` as PostgreSQL reads it, for the same reason."""
    return "{" + ",".join(["NULL" if at is None else f'"{at.isoformat()}"' for at in instants]) + "}"


def text_array(texts: Iterable[str | None]) -> str:
    """Write a ``text[]`` as PostgreSQL reads it, for the same reason."""
    return (
        "{"
        + ",".join(
            ["NULL" if text is None else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts]
        )
        + "}"
    )


def bytes_array(values: Iterable[bytes]) -> str:
    """Write a ``bytea[]`` as PostgreSQL reads it, for the same reason."""
    return "{" + ",".join(['"\\\\x' + value.hex() + '"' for value in values]) + "}"

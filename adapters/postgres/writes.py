"""Statements of a transaction: carried out at once, or written down for another connection to carry out."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from psycopg import Cursor

Parameters = Sequence[object] | Mapping[str, object]


class Writes(Protocol):
    """Takes the statements that change a read model's rows, in their order."""

    def execute(self, statement: str, parameters: Parameters = ()) -> None:
        """Take one statement."""
        ...

    def copy(self, statement: str, lines: str) -> None:
        """Take a ``COPY … FROM STDIN`` in text format and its lines; see `adapters.postgres.copied_rows`."""
        ...


class ImmediateWrites:
    """Carries statements out.

    Args:
        cursor: Of the transaction.
    """

    def __init__(self, cursor: Cursor[Any]) -> None:
        self._cursor = cursor

    def execute(self, statement: str, parameters: Parameters = ()) -> None:
        self._cursor.execute(statement.encode(), parameters)

    def copy(self, statement: str, lines: str) -> None:
        with self._cursor.copy(statement.encode()) as copy:
            copy.write(lines)


class DeferredWrites:
    """Writes statements down."""

    def __init__(self) -> None:
        self._statements: list[tuple[str, Parameters, str | None]] = []

    def execute(self, statement: str, parameters: Parameters = ()) -> None:
        self._statements.append((statement, parameters, None))

    def copy(self, statement: str, lines: str) -> None:
        self._statements.append((statement, (), lines))

    def carry_out(self, cursor: Cursor[Any]) -> None:
        """Do what was written down."""
        writes = ImmediateWrites(cursor)
        for statement, parameters, lines in self._statements:
            if lines is None:
                writes.execute(statement, parameters)
            else:
                writes.copy(statement, lines)

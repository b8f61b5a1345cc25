"""Statements of a transaction: carried out at once, or written down for another connection to carry out."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from psycopg import Cursor

Row = Sequence[object]
Parameters = Sequence[object] | Mapping[str, object]


class Writes(Protocol):
    """Takes the statements that change a read model's rows, in their order."""

    def execute(self, statement: str, parameters: Parameters = ()) -> None:
        """Take one statement."""
        ...

    def copy(self, statement: str, rows: Sequence[Row]) -> None:
        """Take a ``COPY … FROM STDIN`` in text format and its rows, of text, whole numbers and None.

        Other types would be adapted by psycopg in Python, several times as slowly.
        """
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

    def copy(self, statement: str, rows: Sequence[Row]) -> None:
        with self._cursor.copy(statement.encode()) as copy:
            for row in rows:
                copy.write_row(row)


class DeferredWrites:
    """Writes statements down."""

    def __init__(self) -> None:
        self._statements: list[tuple[str, Parameters, Sequence[Row] | None]] = []

    def execute(self, statement: str, parameters: Parameters = ()) -> None:
        self._statements.append((statement, parameters, None))

    def copy(self, statement: str, rows: Sequence[Row]) -> None:
        self._statements.append((statement, (), rows))

    def carry_out(self, cursor: Cursor[Any]) -> None:
        """Do what was written down."""
        writes = ImmediateWrites(cursor)
        for statement, parameters, rows in self._statements:
            if rows is None:
                writes.execute(statement, parameters)
            else:
                writes.copy(statement, rows)

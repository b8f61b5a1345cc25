"""Tell what went wrong with PostgreSQL: an outage passes, a wrong database needs an operator, bad input stays bad."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from eventsourcing.persistence import InterfaceError, OperationalError, PersistenceError

from application.ports.unit_of_work import StoreUnavailableError
from domain.errors import PortError

_REFUSALS: Final = (
    psycopg.errors.DataError,
    psycopg.errors.ProgrammingError,
    # Class 54, such as text too long for an index: psycopg counts it among the operational errors.
    psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.StatementTooComplex,
    psycopg.errors.TooManyColumns,
    psycopg.errors.TooManyArguments,
)
_OUTAGES: Final = (psycopg.OperationalError, psycopg.InterfaceError, OperationalError, InterfaceError)
_WRONG_DATABASE: Final = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.ReadOnlySqlTransaction,
    # A migration's own words.
    psycopg.errors.RaiseException,
)


class WrongDatabaseError(PortError):
    """The database lacks a table, or a right for us, or is too old: all of it fails until somebody mends that."""

    code = "wrong_database"


def is_outage(error: Exception) -> bool:
    """Whether trying the same again later may go well.

    Args:
        error: An operational error of the event sourcing library, raised from psycopg's.
    """
    return not isinstance(error.__cause__, _REFUSALS)


@contextmanager
def named_database_errors() -> Iterator[None]:
    """Give the errors that no input causes a name of ours and one line; all others pass as they are.

    Raises:
        StoreUnavailableError: The database is away; try again later.
        WrongDatabaseError: It is not migrated, or we may not do what we must.
    """
    try:
        yield
    except (psycopg.Error, PersistenceError) as error:
        cause = error if isinstance(error, psycopg.Error) else error.__cause__ or error
        if isinstance(cause, _WRONG_DATABASE):
            raise WrongDatabaseError(f"the database refuses: {_words(cause)}") from error
        if isinstance(error, _OUTAGES) and not isinstance(cause, _REFUSALS):
            raise StoreUnavailableError(f"the database does not answer: {_words(cause)}") from error
        raise


def _words(error: BaseException) -> str:
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return primary or next(iter(str(error).splitlines()), type(error).__name__)

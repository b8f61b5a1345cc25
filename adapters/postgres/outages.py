"""Tell an outage, which passes, from input that PostgreSQL will never take."""

from typing import Final

import psycopg

_REFUSALS: Final = (
    psycopg.errors.DataError,
    psycopg.errors.ProgrammingError,
    # Class 54, such as text too long for an index: psycopg counts it among the operational errors.
    psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.StatementTooComplex,
    psycopg.errors.TooManyColumns,
    psycopg.errors.TooManyArguments,
)


def is_outage(error: Exception) -> bool:
    """Whether trying the same again later may go well.

    Args:
        error: An operational error of the event sourcing library, raised from psycopg's.
    """
    return not isinstance(error.__cause__, _REFUSALS)

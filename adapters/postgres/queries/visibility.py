"""The one place that says which emails an audience sees."""

from typing import Any

from psycopg.sql import SQL, Composed, Identifier

from read_models.audience import Audience

NAMED_JOBS = SQL(
    "SELECT id FROM jobs WHERE organization_id = %(organization_id)s"
    " AND hiring_manager_id = %(hiring_manager_id)s AND hiring_manager_id <> ''"
)


def audience_parameters(audience: Audience) -> dict[str, Any]:
    """Give the parameters that the conditions of this module ask for."""
    return {"organization_id": audience.organization_id, "hiring_manager_id": audience.hiring_manager_id}


def sees_job(audience: Audience, *column: str) -> Composed:
    """Give the condition that a row's job is one the audience sees.

    Args:
        audience: For whom.
        column: The row's job id, such as ``"e", "job_id"``.

    Source:
        ROLE: a hiring manager sees the jobs that name them, nothing else.
    """
    if audience.hiring_manager_id is None:
        return Composed([SQL("true")])
    return SQL("{} IN ({})").format(Identifier(*column), NAMED_JOBS)


def sees_totals(audience: Audience, table: str) -> Composed:
    """Give the condition that sums, a row of ``email_totals``, are of a job the audience sees.

    That no sums without a job are meant follows from the rest; it is said because their index by job leaves those out.

    Args:
        audience: For whom.
        table: What the query calls the sums.
    """
    if audience.hiring_manager_id is None:
        return sees_job(audience, table, "job_id")
    return SQL("{} <> '' AND {}").format(Identifier(table, "job_id"), sees_job(audience, table, "job_id"))

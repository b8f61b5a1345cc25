"""How a batch is added to the sums: to those by everything that an email is about, and to the two smaller ones."""

from collections.abc import Sequence
from functools import cache
from typing import Final

from adapters.postgres.arrays import as_instant

KEY: Final = ("organization_id", "sent_quarter", "job_id", "campaign_id", "template_id")
MAILING_FIELDS: Final = ("sent", "opened", "clicked", "raw_opened", "raw_clicked")
_SMALLER: Final = {
    "organization_totals": {"organization_id": "organization_id", "sent_quarter": "sent_quarter"},
    "mailing_totals": {
        "organization_id": "organization_id",
        "sent_day": "(sent_quarter AT TIME ZONE 'UTC')::date",
        "campaign_id": "campaign_id",
        "template_id": "template_id",
    },
}
"""Table by table the columns of its key, and what they are made of."""


@cache
def add_totals(grown: tuple[str, ...]) -> str:
    """Give the statement that adds to the sums that a batch changes; a row that is not there yet begins at zero.

    Rows are there for all emails but new ones, and only one projector writes: changing first and adding what was not
    found spares every row the look-up and the lock of ``ON CONFLICT``. The smaller sums are added up from the same
    arrays, here and not by the projector: few rows are left of them.

    Args:
        grown: Fields of `read_models.engagement.view.Totals` that the batch changes.

    Returns:
        A statement that takes an array for each column of the key, instants as microseconds, and for each field.
    """
    key = ", ".join(KEY)
    names = "".join(f", {name}" for name in grown)
    staged = ", ".join(as_instant(column) if column == "sent_quarter" else column for column in KEY)
    changed = ", ".join(f"{name} = t.{name} + s.{name}" for name in grown) or "sent = t.sent"
    same = " AND ".join(f"t.{name} = s.{name}" for name in KEY)
    of_mailings = [name for name in MAILING_FIELDS if name in grown]
    return (
        f"WITH s ({key}{names}, place) AS MATERIALIZED (SELECT {staged}{names}, place"  # noqa: S608 - constants
        " FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::uuid[], %s::text[]"
        f"{', %s::bigint[]' * len(grown)}) WITH ORDINALITY AS s ({key}{names}, place)),"
        f" changed AS (UPDATE email_totals t SET {changed} FROM s WHERE {same} RETURNING s.place),"
        f" organizations AS ({_add_smaller('organization_totals', grown)}),"
        f" mailings AS ({_add_smaller('mailing_totals', of_mailings)})"
        f" INSERT INTO email_totals ({key}{names}) SELECT {key}{names} FROM s"
        " WHERE place NOT IN (SELECT place FROM changed)"
    )


def _add_smaller(table: str, fields: Sequence[str]) -> str:
    key = _SMALLER[table]
    columns = ", ".join((*key, *fields))
    sums = "".join(f", sum({name})::bigint" for name in fields)
    grown = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in fields)
    return (
        f"INSERT INTO {table} AS t ({columns}) SELECT {', '.join(key.values())}{sums} FROM s"  # noqa: S608 - constants
        f" GROUP BY {', '.join(str(place) for place in range(1, len(key) + 1))}"
        f" ON CONFLICT ({', '.join(key)}) DO {f'UPDATE SET {grown}' if grown else 'NOTHING'}"
    )

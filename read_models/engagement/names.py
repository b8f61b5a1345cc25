"""Of several names of a job or a template, the latest email's holds."""

from uuid import UUID

from read_models.engagement.view import Named


def keep_latest(names: dict[tuple[UUID, str], Named], named: Named) -> None:
    """Take a name in, unless a later email gave another."""
    known = names.get((named.organization_id, named.id))
    if known is None or (known.named_at, known.named_by) < (named.named_at, named.named_by):
        names[named.organization_id, named.id] = named

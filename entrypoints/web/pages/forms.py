"""What people send by form."""

from typing import Final

from litestar.response import Redirect

from entrypoints.web.pages.visitors import PageRequest

CONFIRMED: Final = "confirmed"
"""The field that a form carries which asked whether something may be deleted."""


async def fields_of(request: PageRequest) -> dict[str, str]:
    """Give the text fields of a form; a field that is sent twice counts as sent last."""
    form = await request.form()
    return {name: value.strip() for name, value in form.multi_items() if isinstance(value, str)}


def lines_of(text: str) -> list[str]:
    """Give what stands on each line of a field, empty lines left out."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def then_show(path: str) -> Redirect:
    """Lead to a page after a form was taken, so that loading it again sends nothing twice."""
    return Redirect(path, status_code=303)

"""What people send by form."""

from collections.abc import Mapping
from typing import Final

from litestar import Response
from litestar.response import Redirect

from entrypoints.web.pages.form_bodies import form_of
from entrypoints.web.pages.frame import framed
from entrypoints.web.pages.visitors import PageRequest
from entrypoints.web.services import Services

CONFIRMED: Final = "confirmed"
"""The field that a form carries which asked whether something may be deleted."""


async def fields_of(request: PageRequest) -> dict[str, str]:
    """Give the text fields of a form; a field that is sent twice counts as sent last."""
    form = await form_of(request)
    return {name: value.strip() for name, value in form.multi_items() if isinstance(value, str)}


def lines_of(text: str) -> list[str]:
    """Give what stands on each line of a field, empty lines left out."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def then_show(path: str) -> Redirect:
    """Lead to a page after a form was taken, so that loading it again sends nothing twice."""
    return Redirect(path, status_code=303)


def ask_first(
    request: PageRequest,
    services: Services,
    *,
    title: str,
    gone: str,
    action: str,
    button: str,
    back: str,
    fields: Mapping[str, str] | None = None,
) -> Response[str]:
    """Give the page that asks before anything is gone for good.

    Args:
        request: Of the visitor.
        services: Know the time.
        title: The question.
        gone: What is lost, and what stays.
        action: Where the answer is posted to; it carries `CONFIRMED`.
        button: What yes is called.
        back: Where no leads.
        fields: Of the form that brought the visitor here, sent once more with the answer.
    """
    return framed(
        "confirm",
        request,
        now=services.clock(),
        title=title,
        gone=gone,
        action=action,
        button=button,
        back=back,
        fields=fields or {},
    )

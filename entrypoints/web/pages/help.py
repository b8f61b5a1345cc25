"""What the words, numbers and keys of the pages mean."""

from typing import Any, Final

from litestar import Response, get

from entrypoints.web.auth import READERS
from entrypoints.web.pages.frame import framed
from entrypoints.web.pages.visitors import PageRequest
from entrypoints.web.services import Services

SHORTCUTS: Final = (
    ("/", "Filters of this page", ""),
    ("g d", "Dashboard", "/"),
    ("g c", "Candidates", "/candidates"),
    ("g e", "Emails", "/emails"),
    ("g n", "Notifications", "/notifications"),
    ("?", "This page", "/help"),
)


@get("/help", opt=READERS, include_in_schema=False)
async def show_help(request: PageRequest, services: Services) -> Response[str]:
    """Explain."""
    return framed("help", request, now=services.clock(), shortcuts=SHORTCUTS)


HELP_PAGES: Final[list[Any]] = [show_help]

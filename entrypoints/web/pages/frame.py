"""What surrounds every page: who is signed in, where one can go."""

from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

from litestar import Response

from application.ports.access_tokens import Role
from entrypoints.web.auth import RECRUITERS
from entrypoints.web.pages.rendering import page
from entrypoints.web.pages.visitors import PageRequest
from entrypoints.web.pages.zones import zone_of

PLACES: Final = (("/", "Dashboard"), ("/candidates", "Candidates"), ("/emails", "Emails"))
ADMINS_PLACES: Final = (("/reports", "Reports"), ("/settings", "Settings"))


def framed(template: str, request: PageRequest, *, now: datetime, **known: Any) -> Response[str]:
    """Give a page for a visitor.

    Args:
        template: Its file's name, without the ending.
        request: Of the visitor.
        now: Aware UTC; relative times count from it.
        known: What the template asks for; ``place``: the page's address, if this one only takes forms.
    """
    visitor = request.user
    is_admin = visitor.access.role is Role.ADMIN
    places = PLACES + ADMINS_PLACES if is_admin else PLACES
    return page(
        template,
        now=now,
        visitor_name=visitor.access.name or visitor.access.user_id,
        visitor_id=visitor.access.user_id,
        is_admin=is_admin,
        may_register=visitor.access.role in RECRUITERS["roles"],
        csrf=visitor.csrf,
        bell=visitor.bell,
        places=[(path, name, _is_in(path, request.url.path)) for path, name in places],
        zone=zone_of(request),
        here_with=lambda **changes: here_with(request, **changes),
        **({"place": here_with(request, tz=None)} | known),
    )


def _is_in(place: str, path: str) -> bool:
    return path == place or (place != "/" and path.startswith(f"{place}/"))


def here_with(request: PageRequest, **changes: object) -> str:
    """Give this page's own address with other parameters; ``None`` takes one away."""
    kept = {**dict(request.query_params.items()), **changes}
    query = urlencode({name: value for name, value in kept.items() if value is not None})
    path = quote(request.scope["path"])
    return f"{path}?{query}" if query else path


def next_path(request: PageRequest, next_cursor: str | None, **changes: object) -> str | None:
    """Give this page's own address with the part of its list that follows; ``None`` where the list ends."""
    return here_with(request, cursor=next_cursor, **changes) if next_cursor else None

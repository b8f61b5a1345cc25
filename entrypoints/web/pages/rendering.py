"""Turn what is known into HTML."""

import base64
import hashlib
from functools import cache, partial
from http import HTTPStatus
from importlib.resources import files
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import MediaType, Response

from domain.counted import counted
from entrypoints.web.pages import words

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {"content-security-policy": CONTENT_SECURITY_POLICY, "cache-control": "no-store", "vary": "Cookie"}
DIGEST_BYTES: Final = 9


@cache
def asset(name: str) -> bytes:
    """Give a style sheet's or script's bytes.

    Raises:
        FileNotFoundError: There is none of that name.
    """
    return (files("entrypoints.web.pages") / "assets" / name).read_bytes()


@cache
def asset_path(name: str) -> str:
    """Give the path of an asset; it changes with every byte of it, so browsers may keep it for ever."""
    digest = hashlib.sha256(asset(name)).digest()[:DIGEST_BYTES]
    return f"/assets/{base64.urlsafe_b64encode(digest).decode()}/{name.rpartition('/')[2]}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("entrypoints.web.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(asset_path=asset_path, counted=counted)
    environment.filters.update(ago=words.ago, rate=words.rate, did=words.did, thing=words.thing, local=words.local)
    environment.filters["shortened"] = words.shortened
    environment.filters["segment"] = partial(quote, safe="")  # Jinja's own leaves slashes, and an id may hold one
    environment.globals.update(verdicts=words.VERDICTS, level_reasons=words.REASONS, consents=words.CONSENTS)
    return environment


def page(template: str, *, status: HTTPStatus = HTTPStatus.OK, **known: Any) -> Response[str]:
    """Give a page.

    Args:
        template: Its file's name, without the ending.
        status: Of the answer.
        known: What the template asks for; something missing is an error, not an empty place.
    """
    html = _environment().get_template(f"{template}.html").render(**known)
    return Response(html, media_type=MediaType.HTML, status_code=status, headers=HEADERS)

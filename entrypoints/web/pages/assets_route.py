"""Style sheets and scripts, kept by browsers for ever: another byte is another path."""

from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Final

from litestar import Response, get
from litestar.params import FromPath

from entrypoints.web.pages.rendering import asset, asset_path

MEDIA_TYPES: Final = {".css": "text/css", ".js": "text/javascript"}
FOR_EVER: Final = {"cache-control": "public, max-age=31536000, immutable"}


ASSETS: Final = ("pages.css", "pages.js", "live.js", "generated/charts.js")


@get("/assets/{version:str}/{name:str}", include_in_schema=False)
async def send_asset(version: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """Send a file; an old version of it is not found, so that no cache ever holds it under the wrong name."""
    wanted = f"/assets/{version}/{name}"
    found = next((one for one in ASSETS if asset_path(one) == wanted), None)
    if found is None:
        return Response(b"", status_code=HTTPStatus.NOT_FOUND, media_type="text/plain")
    return Response(asset(found), media_type=MEDIA_TYPES[PurePosixPath(found).suffix], headers=FOR_EVER)

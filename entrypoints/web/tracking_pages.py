"""The few words that readers of emails see of us: plain pages that load nothing and know nothing about anybody."""

from base64 import b64encode
from hashlib import sha256
from typing import Final

from entrypoints.web.answers import Answer

_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto 0;padding:0 1.5rem}"
    "h1{font-size:1.5rem}"
    "button{font:inherit;padding:.6rem 1.4rem;border:2px solid currentColor;border-radius:.4rem;background:none;"
    "color:inherit;cursor:pointer}"
    "button:focus-visible{outline:3px solid Highlight;outline-offset:3px}"
)
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", _POLICY.encode()),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex, nofollow"),
)


def _page(title: str, content: str) -> bytes:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        f"{content}\n</main>\n</body>\n</html>\n"
    ).encode()


# No action: the form posts to the address it stands at, which nothing on the page repeats.
ASK: Final = _page(
    "Unsubscribe",
    "<p>Do you want no more of these emails?</p>\n"
    '<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">'
    '<button type="submit">Unsubscribe</button></form>',
)
DONE: Final = _page(
    "You are unsubscribed", "<p>Your wish has been passed on to the sender. You can close this page.</p>"
)
NO_SUCH_LINK: Final = _page(
    "This link does not work",
    "<p>It may have been cut off on its way, or be too old. Please copy it again from the email, as a whole.</p>",
)
NOT_NOW: Final = _page(
    "That did not work", "<p>We could not keep your wish just now. Please try again in a few minutes.</p>"
)
TOO_MANY: Final = _page(
    "Too many broken links",
    "<p>Many links that do not work were asked for from your network. Please wait a minute.</p>",
)


def page(status: int, content: bytes, *headers: tuple[bytes, bytes]) -> Answer:
    """Answer with one of the pages."""
    return Answer(status, [*_HEADERS, *headers], content)

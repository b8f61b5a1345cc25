"""Which links of an email lead to a web page, and in the one spelling in which a redirect may name them."""

import re
from typing import Final
from urllib.parse import quote, urlsplit

LONGEST_WEB_ADDRESS: Final = 4_000

_ENDS: Final = "".join(map(chr, range(0x21)))
"""What browsers strip around an address: C0 controls and space."""
_INSIDE: Final = str.maketrans("", "", "\t\n\r")
"""What browsers leave out within one."""
_UNCERTAIN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\\]|\{\{|\}\}|\*\|")
"""Control characters, backslashes that some read as slashes, and marks that a mailing system will fill in later."""
_ORDINARY: Final = re.compile(
    r"https?://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?:[/?#][A-Za-z0-9._~%/?#&=+,;:!$'()@-]*)?"
)
"""Nine of ten addresses, which need no closer look."""
_KEPT: Final = "!#$%&'()*+,/:;=?@[]~|^`{}"


def web_address(written: str) -> str:
    """Give the address that a browser would ask for.

    Args:
        written: What stands in the link, character references resolved.

    Returns:
        ASCII, beginning with ``http://`` or ``https://``; "" where it is anything else, or where two readers could
        disagree on where it leads. Such a link is left to its author.

    Source:
        TRUST.md: http(s) only, nobody's open redirect.
    """
    if _ORDINARY.fullmatch(written) and len(written) <= LONGEST_WEB_ADDRESS:
        return written
    text = written.strip(_ENDS).translate(_INSIDE)
    if len(text) > LONGEST_WEB_ADDRESS or _UNCERTAIN.search(text):
        return ""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return ""
    written_so = text[: len(parts.scheme) + 3].lower() in ("http://", "https://")
    if not written_so or not parts.hostname or "@" in parts.netloc or port == 0 or " " in parts.netloc:
        return ""
    try:
        address = parts.scheme.lower() + quote(text[len(parts.scheme) :], safe=_KEPT)
    except UnicodeEncodeError:
        return ""
    return address if len(address) <= LONGEST_WEB_ADDRESS else ""

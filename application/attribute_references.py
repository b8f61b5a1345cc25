"""Resolve character references in an attribute's value as browsers do, whichever Python reads.

In a text ``&copy=2`` is ``©=2``; in an attribute it is what it looks like, for links are full of ``&region=`` and
``&section=`` that nobody escaped.
"""

import re
from html import unescape
from html.entities import html5
from typing import Final

_REFERENCE: Final = re.compile(r"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[a-zA-Z][a-zA-Z0-9]*[;=]?)")


def attribute_value(written: str) -> str:
    """Give what an attribute says.

    Args:
        written: As it stands between the quotes.

    Source:
        https://html.spec.whatwg.org/multipage/parsing.html#named-character-reference-state ("for historical reasons").
    """
    return _REFERENCE.sub(_meaning, written) if "&" in written else written


def _meaning(reference: re.Match[str]) -> str:
    written = reference[0]
    return unescape(written) if written[1] == "#" else html5.get(written[1:], written)

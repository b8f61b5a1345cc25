"""Find the web links of a plain text."""

import re
from typing import Final, NamedTuple

_LINK: Final = re.compile(r"https?://[^\s<>\"“”«»…、。〈〉《》「」『』【】！（），：；？]+", re.IGNORECASE)  # noqa: RUF001 - is meant
"""Chinese and Japanese write on behind a link without a space, with marks that no link holds unescaped."""
_TRAILING: Final = ".,;:!?'’*_)]}"
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}


class FoundText(NamedTuple):
    """Where a link stands in a text.

    Attributes:
        start: Index of its first character.
        end: Index behind its last one.
        written: What stands there.
    """

    start: int
    end: int
    written: str


def links_of_text(text: str) -> list[FoundText]:
    """Give the links that a mail program would make clickable: without the punctuation of the sentence around them."""
    found = []
    for match in _LINK.finditer(text):
        written = _without_trailing_punctuation(match[0])
        found.append(FoundText(match.start(), match.start() + len(written), written))
    return found


def _without_trailing_punctuation(written: str) -> str:
    kept = len(written.rstrip(_TRAILING))
    # Nearly always nothing; somebody may write a million of them, so each is looked at once.
    surplus = {closing: written.count(closing) - written.count(opening) for closing, opening in _PAIRS.items()}
    end = len(written)
    while end > kept:
        closing = written[end - 1]
        if closing in surplus:
            if surplus[closing] <= 0:
                break  # https://en.wikipedia.org/wiki/Mail_(disambiguation)
            surplus[closing] -= 1
        end -= 1
    return written[:end]

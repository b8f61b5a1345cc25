"""Take a recipient's address out of texts that are kept: links and labels that a sender put it into."""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from domain.email_facts import Metadata

PLACEHOLDER: Final = "[recipient]"

_ESCAPED: Final = re.compile(r"\\u00([0-7][0-9a-fA-F])")
"""A character of an address as JSON may write it."""


def without_address(text: str, address: str) -> str:
    """Replace a recipient's address by ``[recipient]``, however a link may hold it.

    Args:
        text: Such as a URL.
        address: As `normalise_address` gave it; "" for reports of our own links, which were freed of it before.

    Returns:
        The text without the address in any case, plain or percent-encoded once or twice; the same text if it is not
        there.

    Source:
        SEC-6; BR-558.8: a link must not tell who followed it.
    """
    # Cheap first: nine of ten links hold neither.
    if not address or ("@" not in text and "%" not in text):
        return text
    if not _names(text, address):
        return text
    redacted = _pattern(address).sub(PLACEHOLDER, text)
    # Half encoded in a way that nobody does: better no link than a name.
    return PLACEHOLDER if _names(redacted, address) else redacted


def metadata_without_address(metadata: Metadata | None, address: str) -> Metadata | None:
    """Do the same to what the sender attached to the email, names included."""
    if not metadata:
        return metadata
    return {
        without_address(name, address): without_address(value, address) if isinstance(value, str) else value
        for name, value in metadata.items()
    }


def names_address(text: str, address: str) -> bool:
    """Whether a provider's words, JSON or a form, hold an address."""
    if "\\u00" in text:
        text = _ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text)
    return _names(text, address)


def _names(text: str, address: str) -> bool:
    if address in text.lower():
        return True
    if "%" not in text:
        return False
    once = unquote(text)
    return address in once.lower() or address in unquote(once).lower()


@lru_cache(maxsize=256)
def _pattern(address: str) -> re.Pattern[str]:
    return re.compile("".join(_spellings(character) for character in address), re.IGNORECASE)


def _spellings(character: str) -> str:
    spellings = {character, character.lower(), character.upper()}
    encoded = {"".join(f"%{byte:02X}" for byte in spelling.encode()) for spelling in spellings}
    twice = {code.replace("%", "%25") for code in encoded}
    return "(?:" + "|".join(re.escape(spelling) for spelling in sorted(spellings | encoded | twice)) + ")"

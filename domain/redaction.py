"""Take a recipient's address and name out of texts that are kept: links and labels that a sender put them into."""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from domain.email_facts import Metadata, Personal
from domain.names_in_texts import may_hold, places_of_name

PLACEHOLDER: Final = "[recipient]"

_HOST: Final = re.compile(r"\s*[a-z][a-z0-9+.-]*:(?:[\\/]{2}[^/?#\\\s]*)?", re.IGNORECASE)
"""Of a URL: its scheme, and what stands before its path."""

_NUMBER: Final = re.compile(r"(?:text-|outlook-)?\d{1,4}")
"""Of a link in its email."""

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


def without_recipient(text: str, recipient: Personal | None) -> str:
    """Replace address and name of a recipient by ``[recipient]``, however a link or its label may hold them.

    A host is left alone unless it is made of the whole name: people share names with companies.

    Args:
        text: Such as a URL.
        recipient: What is known of them; ``None`` of somebody who was erased. Nobody can say any more what names
            them: nothing but a number is left.

    Returns:
        The text without them in any case, with accents or without, plain or percent-encoded once or twice; the same
        text if they are not there.

    Source:
        SEC-6 Erasure: a link, which is kept, must not name who was erased; BR-558.8.
    """
    if not text:
        return text
    if recipient is None:
        return text if _NUMBER.fullmatch(text) else PLACEHOLDER
    text = without_address(text, recipient.address)
    name = recipient.name
    if not name or not may_hold(text, name):
        return text
    host = _HOST.match(text)
    begins = host.end() if host else 0
    return _blanked(text[:begins], name, in_full=True) + _blanked(text[begins:], name)


def _blanked(text: str, name: str, *, in_full: bool = False) -> str:
    parts, done = [], 0
    for start, end in places_of_name(text, name, in_full=in_full):
        parts += [text[done:start], PLACEHOLDER]
        done = end
    return "".join([*parts, text[done:]]) if parts else text


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

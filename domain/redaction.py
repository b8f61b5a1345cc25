"""Take a recipient's address and name out of texts that are kept: links and labels that a sender put them into."""

import re
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from hashlib import md5, sha1, sha256
from typing import Final
from unicodedata import normalize
from urllib.parse import unquote

import idna

from domain.email_facts import Metadata, Personal
from domain.names_in_texts import may_hold, places_of_name
from domain.readings import Reading, coded_readings, read_codes

PLACEHOLDER: Final = "[recipient]"

_HOST: Final = re.compile(r"\s*[a-z][a-z0-9+.-]*:(?:[\\/]{2}[^/?#\\\s]*)?", re.IGNORECASE)
"""Of a URL: its scheme, and what stands before its path."""

_NUMBER: Final = re.compile(r"(?:text-|outlook-)?\d{1,4}")
"""Of a link in its email."""

_ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
"""A character of an address as JSON may write it."""

_DIGEST: Final = re.compile("[0-9a-fA-F]{32}")
"""As long as the shortest of those by which systems know an address from each other."""


def without_address(text: str, address: str) -> str:
    """Replace a recipient's address by ``[recipient]``, however a link may hold it.

    Args:
        text: Such as a URL.
        address: As `normalise_address` gave it; "" for reports of our own links, which were freed of it before.

    Returns:
        The text without the address in any case, its domain in letters or in Punycode, plain, percent-encoded once or
        twice, as base64 or in hexadecimal, and without its MD5, SHA-1 and SHA-256, by which other systems know it; the
        same text if it is not there.

    Source:
        SEC-6; BR-558.8: a link must not tell who followed it.
    """
    if not address or not text or not _may_hold_address(text):
        return text
    if "@" in text or "%" in text:
        text = _without_plain(text, address)
    if _DIGEST.search(text):
        text = _without_digests(text, address)
    if coded := coded_readings(text):
        text = _cut(text, _places_of_address(coded, address))
    return text


@lru_cache(maxsize=1024)  # the links, categories and labels of a mailing are the same for everybody
def _may_hold_address(text: str) -> bool:
    """Whether a text holds any address, or anything that one could be written as; nine of ten links do not."""
    return "@" in text or "%" in text or bool(_DIGEST.search(text)) or bool(coded_readings(text))


def _without_plain(text: str, address: str) -> str:
    if not _names(text, address):
        return text
    redacted = _pattern(address).sub(PLACEHOLDER, text)
    # Half encoded in a way that nobody does: better no link than a name.
    return PLACEHOLDER if _names(redacted, address) else redacted


def _without_digests(text: str, address: str) -> str:
    lowered = text.lower()
    for digest in _digests(address):
        if digest in lowered:
            text = re.sub(digest, PLACEHOLDER, text, flags=re.IGNORECASE)
    return text


def _places_of_address(readings: Iterable[Reading], address: str) -> list[tuple[int, int]]:
    return sorted(
        (reading.starts[match.start()], reading.ends[match.end() - 1])
        for reading in readings
        if _names(reading.characters, address)
        for match in _pattern(address).finditer(reading.characters)
    )


def without_recipient(text: str, recipient: Personal | None) -> str:
    """Replace address and name of a recipient by ``[recipient]``, however a link or its label may hold them.

    A host is left alone unless it is made of the whole name: people share names with companies.

    Args:
        text: Such as a URL.
        recipient: What is known of them; ``None`` of somebody who was erased. Nobody can say any more what names
            them: nothing but a number is left.

    Returns:
        The text without them in any case, with accents or without, plain or encoded, as `without_address` says; the
        same text if they are not there.

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


def without_whole_name(text: str, recipient: Personal) -> str:
    """Replace a recipient's address, and their name where it stands as a whole, by ``[recipient]``.

    Args:
        text: What is called after somebody at times, and is everybody's: a template, a job.
        recipient: What is known of them.

    Returns:
        The text without them; with a first name alone, which says little there and may be meant otherwise.

    Source:
        SEC-6 Erasure: names of jobs and templates are kept.
    """
    text = without_address(text, recipient.address)
    if not text or not recipient.name or not may_hold(text, recipient.name):
        return text
    return _blanked(text, recipient.name, in_full=True)


def _blanked(text: str, name: str, *, in_full: bool = False) -> str:
    return _cut(text, places_of_name(text, name, in_full=in_full))


def _cut(text: str, places: Iterable[tuple[int, int]]) -> str:
    """Put the placeholder where somebody is named; places are in order and may overlap."""
    parts, done = [], 0
    for start, end in places:
        if start >= done:
            parts += [text[done:start], PLACEHOLDER]
        done = max(done, end)
    return "".join([*parts, text[done:]]) if parts else text


def metadata_without_address(metadata: Metadata | None, address: str) -> Metadata | None:
    """Replace a recipient's address in what the sender attached to the email, in the names of values as well."""
    if not metadata:
        return metadata
    return {
        without_address(name, address): without_address(value, address) if isinstance(value, str) else value
        for name, value in metadata.items()
    }


def names_address(text: str, address: str) -> bool:
    """Whether a provider's words, JSON or a form, hold an address in any of the forms that `without_address` knows."""
    if "\\u" in text:
        text = _ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text)
    lowered = text.lower()
    return (
        _names(text, address)
        or any(digest in lowered for digest in _digests(address))
        or any(_names(reading.characters, address) for reading in read_codes(unquote(unquote(text))))
    )


def _names(text: str, address: str) -> bool:
    spellings = _spelt(address)
    if _holds(text, spellings):
        return True
    if "%" not in text:
        return False
    once = unquote(text)
    return _holds(once, spellings) or ("%" in once and _holds(unquote(once), spellings))


def _holds(text: str, spellings: tuple[str, ...]) -> bool:
    lowered = text.lower() if text.isascii() else normalize("NFC", text).lower()
    return any(spelling in lowered for spelling in spellings)


@lru_cache(maxsize=1024)
def _spelt(address: str) -> tuple[str, ...]:
    """Give an address as it is, and in Punycode where a part of it needs that."""
    if address.isascii():
        return (address,)
    local, _, host = address.rpartition("@")
    hosts, locals_ = [host], [local]
    if not host.isascii():
        with suppress(idna.IDNAError):  # no name that could be registered has no other spelling
            hosts.append(idna.encode(host, uts46=True).decode())
    if not local.isascii():
        locals_.append(f"xn--{local.encode('punycode').decode()}")
    return tuple(f"{local}@{host}" for local in locals_ for host in hosts)


@lru_cache(maxsize=256)
def _digests(address: str) -> tuple[str, ...]:
    """Give what other systems write in place of an address: each, and so everybody who guesses it, finds it again."""
    spelt = address.encode()
    digests = (sha256(spelt), sha1(spelt, usedforsecurity=False), md5(spelt, usedforsecurity=False))
    return tuple(digest.hexdigest() for digest in digests)


@lru_cache(maxsize=256)
def _pattern(address: str) -> re.Pattern[str]:
    written = ("".join(_spellings(character) for character in spelling) for spelling in _spelt(address))
    return re.compile("|".join(written), re.IGNORECASE)


def _spellings(character: str) -> str:
    cases = {character, character.lower(), character.upper()}
    composed = cases | {normalize("NFD", spelling) for spelling in cases}
    return "(?:" + "|".join("".join(map(_writings, spelling)) for spelling in sorted(composed)) + ")"


@lru_cache(maxsize=256)
def _writings(character: str) -> str:
    encoded = "".join(f"%{byte:02X}" for byte in character.encode())
    return f"(?:{re.escape(character)}|{encoded}|{encoded.replace('%', '%25')})"

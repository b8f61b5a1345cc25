"""What a text says once it is decoded, and where each character of that is written.

Senders put what they know of a reader into links, plainly, percent-encoded, in Punycode, as base64 or in hexadecimal.
"""

import re
from binascii import a2b_base64
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

_DECODINGS: Final = 2
"""How often a link within a link is percent-encoded."""
_ESCAPES: Final = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_LABEL: Final = re.compile(r"xn--[a-z0-9-]{1,59}", re.IGNORECASE)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{6,}")
_STANDARD_ALPHABET: Final = str.maketrans("-_", "+/")
_CAPITAL: Final = re.compile("[A-Z]")
"""In base64 of words there is one as good as always, and seldom in links."""
_HEXADECIMAL: Final = re.compile("[0-9a-fA-F]{8,}")
_GROUP: Final = 4
"""Characters of base64 that stand for three bytes."""
_ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
"""As most programs write letters that are not ASCII into JSON."""
_TEXT: Final = re.compile(rb"(?:[\x20-\x7e]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}){4,}")
"""Bytes that somebody may have meant as words; four that mean nothing look so once in fifty times."""


class Reading(NamedTuple):
    """A text as somebody reads it, and where each of its characters is written."""

    characters: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]


@lru_cache(maxsize=16)  # a click asks several times about its link
def percent_readings(text: str) -> list[Reading]:
    """Give a text as it stands, and percent-decoded as often as links are put into links."""
    readings = [Reading(text, tuple(range(len(text))), tuple(range(1, len(text) + 1)))]
    for _ in range(_DECODINGS):
        if "%" in readings[-1].characters:
            readings.append(_decoded(readings[-1]))
    return readings


@lru_cache(maxsize=1024)
def coded_readings(text: str) -> list[Reading]:
    """Give what stands in a link or its label as Punycode, base64 or hexadecimal, percent-encoded besides or not."""
    if "%" not in text:
        return list(read_codes(text)) if _holds_code(text) else []
    decoded = percent_readings(text)[-1]
    if not _holds_code(decoded.characters):
        return []
    return [_written(said, decoded) for said in read_codes(decoded.characters)]


def read_codes(text: str) -> Iterator[Reading]:
    """Give what stands in a text as Punycode, base64 or hexadecimal; nothing is looked for in percent-encoded parts."""
    for match in _LABEL.finditer(text):
        try:
            label = match[0][4:].encode().decode("punycode")
        except UnicodeError:
            continue
        yield Reading(label, (match.start(),) * len(label), (match.end(),) * len(label))
    for match in _HEXADECIMAL.finditer(text):
        for begins in range(2):
            whole = (len(match[0]) - begins) // 2 * 2
            yield from _said(bytes.fromhex(match[0][begins : begins + whole]), match.start() + begins, 2, 1)
    for match in _BASE64.finditer(text):
        if not _CAPITAL.search(match[0]):
            continue
        run = match[0].translate(_STANDARD_ALPHABET)
        # Something else may stand before it: where groups begin is not known.
        for begins in range(_GROUP):
            digits = run[begins:]
            digits = digits[: len(digits) - (len(digits) % _GROUP == 1)]
            yield from _said(a2b_base64(digits + "=" * (-len(digits) % _GROUP)), match.start() + begins, 4, 3)


def _holds_code(text: str) -> bool:
    return (
        _HEXADECIMAL.search(text) is not None
        or (_CAPITAL.search(text) is not None and any(map(_CAPITAL.search, _BASE64.findall(text))))
        or "xn--" in text.lower()
    )


def _written(said: Reading, reading: Reading) -> Reading:
    """Give where something stands in a text that a reading was made of."""
    return Reading(
        said.characters,
        tuple(reading.starts[start] for start in said.starts),
        tuple(reading.ends[end - 1] for end in said.ends),
    )


def _said(decoded: bytes, begins: int, digits: int, octets: int) -> Iterator[Reading]:
    """Read the words among bytes of which so many were written with so many digits."""
    for match in _TEXT.finditer(decoded):
        characters: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = match.start()
        for character, length in _characters_of(match[0]):
            characters.append(character)
            starts.append(begins + at * digits // octets)
            at += length
            ends.append(begins - (-at * digits // octets))
        said = Reading("".join(characters), tuple(starts), tuple(ends))
        yield said
        if _ESCAPED.search(said.characters):
            yield _unescaped(said)


def _unescaped(reading: Reading) -> Reading:
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for match in _ESCAPED.finditer(reading.characters):
        characters += (reading.characters[done : match.start()], chr(int(match[1], 16)))
        starts += (*reading.starts[done : match.start()], reading.starts[match.start()])
        ends += (*reading.ends[done : match.start()], reading.ends[match.end() - 1])
        done = match.end()
    characters.append(reading.characters[done:])
    return Reading("".join(characters), (*starts, *reading.starts[done:]), (*ends, *reading.ends[done:]))


def _decoded(reading: Reading) -> Reading:
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for match in _ESCAPES.finditer(reading.characters):
        characters.append(reading.characters[done : match.start()])
        starts += reading.starts[done : match.start()]
        ends += reading.ends[done : match.start()]
        at = match.start()
        for character, length in _characters_of(bytes.fromhex(match[0].replace("%", ""))):
            characters.append(character)
            starts.append(reading.starts[at])
            at += 3 * length
            ends.append(reading.ends[at - 1])
        done = match.end()
    characters.append(reading.characters[done:])
    return Reading("".join(characters), (*starts, *reading.starts[done:]), (*ends, *reading.ends[done:]))


def _characters_of(encoded: bytes) -> list[tuple[str, int]]:
    """Read bytes, and say of how many each character was made."""
    try:
        return [(character, len(character.encode())) for character in encoded.decode()]
    except UnicodeDecodeError:
        return [(character, 1) for character in encoded.decode("latin-1")]

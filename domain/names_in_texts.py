"""Find somebody's name in texts that others wrote: links and their labels."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, pairwise
from typing import Final, TypeAlias
from unicodedata import combining, normalize

from domain.readings import Reading, coded_readings, percent_readings

_Spelt: TypeAlias = tuple[str, ...]
"""One word of a name in the ways in which it may be spelt."""

_SHORTEST_WORD: Final = 2
_NO_NAMES: Final = re.compile(
    "al|and|bin|da|de|del|della|den|der|di|dos|dr|du|el|etc|frau|herr|ibn|jr|la|las|le|los|mag|miss|mr|mrs|ms|msc"
    "|mme|of|phd|prof|sig|sr|sra|st|ten|ter|the|und|van|vom|von|zu|zum|zur"
)
"""Words that stand beside names and tell nobody apart."""
_MOST_JOINED: Final = 12
"""Words of a name that are looked for side by side; each alone is looked for in any case."""
_TELLING_TOGETHER: Final = 4
"""Letters that a name of nothing but such words needs, so that it tells somebody apart after all."""
_WORD: Final = re.compile(r"[^\W\d_]+")
_PART_BEGINS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEAM: Final = "\0"
"""Between the parts of a word that capitals set apart; names have capitals within, too: "McDonald"."""
_LONG_FORMS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe"})
_SHORT_FORMS: Final = str.maketrans({"ø": "o", "æ": "a", "œ": "o", "ł": "l", "đ": "d"})
_BETWEEN: Final = r"[\W\d_]{0,3}?"
_LETTER: Final = r"[^\W\d_]"


def may_hold(text: str, name: str) -> bool:
    """Whether a text could hold a name or a part of it; nearly always not, and that is quick to see."""
    folded = _all_readings(text)
    if name.isascii():  # seven times as quick, for every click of somebody new
        return any(len(word) >= _SHORTEST_WORD and word in folded for word in _WORD.findall(name.lower()))
    return any(spelling in folded for spellings in _spelt(name) for spelling in spellings)


def places_of_name(text: str, name: str, *, in_full: bool = False) -> list[tuple[int, int]]:
    """Give where a text holds a name: in any case, with or without accents, plain or encoded, and in "AnnLeeProfile".

    Args:
        text: Such as the path of a URL.
        name: As it was registered.
        in_full: Only where first and last name stand together.

    Returns:
        Start and end of each place, in order, none within another.
    """
    pattern = _in_full(name) if in_full else _at_all(name)
    if pattern is None:
        return []
    found = sorted(
        (reading.starts[match.start()], reading.ends[match.end() - 1])
        for reading in _readings(text)
        for match in pattern.finditer(reading.characters)
    )
    places: list[tuple[int, int]] = []
    for start, end in found:
        if places and start <= places[-1][1]:
            places[-1] = places[-1][0], max(end, places[-1][1])
        else:
            places.append((start, end))
    return places


def _folded(text: str) -> str:
    """Leave out case and accents."""
    lowered = text.casefold()
    if lowered.isascii():
        return lowered
    bare = "".join(character for character in normalize("NFKD", lowered) if not combining(character))
    return bare.translate(_SHORT_FORMS)


@lru_cache(maxsize=1024)
def _spelt(name: str) -> tuple[_Spelt, ...]:
    """Give all words of a name, each in the ways in which it may be spelt."""
    words = _WORD.findall(normalize("NFC", name.casefold()))
    return tuple(tuple(dict.fromkeys((_folded(word), _folded(word.translate(_LONG_FORMS))))) for word in words)


def _words(name: str) -> tuple[_Spelt, ...]:
    """Give those words of a name that tell somebody apart by themselves."""
    return tuple(spelt for spelt in _spelt(name) if _tells(spelt, name))


def _tells(spelt: _Spelt, name: str) -> bool:
    return not _NO_NAMES.fullmatch(spelt[0]) and (len(spelt[0]) >= _SHORTEST_WORD or _is_one(name))


def _is_one(name: str) -> bool:
    """Whether a name is written in letters that are words, such as Chinese ones: one of them is no initial."""
    return not _has_case(_folded(name))


@lru_cache(maxsize=1024)
def _all_readings(text: str) -> str:
    coded = coded_readings(text)
    if "%" not in text and not coded:
        return _folded(text)
    return "\n".join(_folded(reading.characters) for reading in chain(percent_readings(text), coded))


def _readings(text: str) -> Iterator[Reading]:
    readings = chain(percent_readings(text), coded_readings(text))
    return (_folded_by_character(_in_parts(reading)) for reading in readings)


def _in_parts(reading: Reading) -> Reading:
    """Set apart the words of "AnnLeeProfile", as its capitals do."""
    begins = [match.start() for match in _PART_BEGINS.finditer(_cases(reading.characters))]
    if not begins:
        return reading
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in pairwise((0, *begins, len(reading.characters))):
        characters += (reading.characters[start:end], _SEAM)
        starts += (*reading.starts[start:end], reading.ends[end - 1])
        ends += (*reading.ends[start:end], reading.ends[end - 1])
    return Reading("".join(characters), tuple(starts), tuple(ends))


def _cases(text: str) -> str:
    """Give for each letter an ASCII letter of its case."""
    if text.isascii():
        return text
    return "".join(
        "A" if character.isupper() else "a" if character.islower() or combining(character) else "."
        for character in text
    )


def _folded_by_character(reading: Reading) -> Reading:
    if reading.characters.isascii():
        return reading._replace(characters=reading.characters.lower())
    folded = [_folded(character) for character in reading.characters]
    return Reading(
        "".join(folded),
        tuple(start for start, many in zip(reading.starts, folded, strict=True) for _ in many),
        tuple(end for end, many in zip(reading.ends, folded, strict=True) for _ in many),
    )


@lru_cache(maxsize=256)
def _at_all(name: str) -> re.Pattern[str] | None:
    alone = [_spelt_in_parts(spelling) for spelt in _words(name) for spelling in spelt]
    return _compiled([*_together(name), *_neighbours(name), *alone])


@lru_cache(maxsize=256)
def _in_full(name: str) -> re.Pattern[str] | None:
    return _compiled(_together(name))


def _together(name: str) -> list[str]:
    """Give what first and last name look like side by side: all words, or first and last, or an initial."""
    words, everything = _words(name)[:_MOST_JOINED], _spelt(name)[:_MOST_JOINED]
    if len(everything) < 2:  # noqa: PLR2004 - two are a first and a last name
        return []
    ways = [everything] if words or sum(len(spelt[0]) for spelt in everything) >= _TELLING_TOGETHER else []
    if len(words) >= 2:  # noqa: PLR2004 - as above
        ways += [words, words[::-1], (words[0], words[-1]), (words[-1], words[0])]
        for last in (words[-1:], everything[1:]):  # "jdijk", "jvandijk"
            initial = tuple(spelling[0] for spelling in everything[0])
            ways += [(initial, *last), (*last, initial)]
    return [_side_by_side(way) for way in dict.fromkeys(ways)]


def _neighbours(name: str) -> list[str]:
    """Give words of a name with those before them, as surnames are written in one: "delacruz", "obrien", "maryann"."""
    everything = _spelt(name)[:_MOST_JOINED]
    runs = (everything[start:end] for end in range(2, len(everything) + 1) for start in range(end - 1))
    return [_side_by_side(run) for run in runs if any(_tells(spelt, name) for spelt in run)]


def _side_by_side(words: Sequence[_Spelt]) -> str:
    return _BETWEEN.join(f"(?:{'|'.join(map(_spelt_in_parts, dict.fromkeys(spelt)))})" for spelt in words)


def _spelt_in_parts(word: str) -> str:
    return f"{_SEAM}?".join(word)


def _compiled(forms: list[str]) -> re.Pattern[str] | None:
    if not forms:
        return None
    longest_first = sorted(dict.fromkeys(forms), key=len, reverse=True)
    return re.compile("|".join(_as_a_word(form) for form in longest_first))


def _as_a_word(form: str) -> str:
    """Have a form stand for itself, where its letters are such as are written with spaces between words."""
    return rf"(?<!{_LETTER}){form}(?!{_LETTER})" if _has_case(form.replace(_BETWEEN, "")) else form


def _has_case(text: str) -> bool:
    return text.upper() != text.lower()

"""Read an email's HTML for what is to be tracked, and where exactly it stands, so that nothing else changes.

The standard library's parser reads; whatever it cannot make sense of stays as the author wrote it.
"""

import re
from html import unescape
from html.parser import HTMLParser
from typing import Final, NamedTuple

from application.attribute_references import attribute_value

LONGEST_LINK_TEXT: Final = 100
MOST_RESUMPTIONS: Final = 5
"""How often the parser is taken past something that stops it; each time costs as much as the rest of the document."""

_ATTRIBUTE: Final = re.compile(
    r"""[\s/]*(?P<name>[^\s/>=][^\s/>=]*)(?:\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s>"'][^\s>]*)))?"""
)
_TAG_NAME: Final = re.compile(r"<[a-zA-Z][^\s/>]*")
_END_TAG: Final = re.compile(r"</([a-zA-Z][^\s/>]*)>")
_TEXT_ONLY: Final = frozenset({"title", "textarea"})
"""Elements in which a tag is no tag, beside those that the parser knows."""
_LOOKED_AT: Final = (
    frozenset({"a", "area", "img", "script", "style", "plaintext", "xmp", "iframe", "noembed", "noframes"}) | _TEXT_ONLY
)
"""Elements that matter here, or that change how the parser reads what follows."""
_ENDS: Final = frozenset({"a", "body", "html"}) | _TEXT_ONLY
_FOR_OUTLOOK: Final = re.compile(r"\s*\[if\s[^\]>]*\]>(.*)<!\[endif\]\s*", re.IGNORECASE | re.DOTALL)
"""Of a comment that Outlook reads, and nobody else."""
_SPACES: Final = re.compile(r"[\s\x00-\x1f\x7f]+")


class FoundLink(NamedTuple):
    """A link to a page, as an ``a`` or ``area`` element has it.

    Attributes:
        start: Index of the first character of its address in the document.
        end: Index behind the last one.
        written: The address, character references resolved.
        text: What the reader sees of the link, at most `LONGEST_LINK_TEXT` characters.
        opted_out: Whether its author wants it left alone: ``data-mailpulse="off"``.
        for_outlook: Whether it stands in a conditional comment, instead of one that all others see.
    """

    start: int
    end: int
    written: str
    text: str
    opted_out: bool
    for_outlook: bool = False


class Anatomy(NamedTuple):
    """What there is to an email's HTML.

    Attributes:
        links: In the order of the document.
        end_of_body: Where something that is to be displayed last belongs.
        images: Addresses of its images.
    """

    links: list[FoundLink]
    end_of_body: int
    images: list[str]


def anatomy_of(html: str) -> Anatomy:
    """Read a document, or what somebody takes for one; never raises."""
    reader = _Reader(html)
    reader.read()
    return Anatomy(reader.links, reader.end_of_body, reader.images)


class _Reader(HTMLParser):
    """Collects while the parser reads."""

    def __init__(self, html: str, *, is_for_outlook: bool = False) -> None:
        super().__init__(convert_charrefs=True)
        self._is_for_outlook = is_for_outlook
        self._html = html
        self._base = 0
        self._line_starts: list[int] = []
        self._texts: list[list[str]] = []
        self._open_text: list[str] | None = None
        self._text_only = ""
        self._found: list[tuple[int, int, str, bool]] = []
        self._body_end = self._html_end = -1
        self._stopped_at = len(html)
        self._outlooks: list[FoundLink] = []
        self.images: list[str] = []

    @property
    def links(self) -> list[FoundLink]:
        return sorted(self._own_links + self._outlooks)

    @property
    def _own_links(self) -> list[FoundLink]:
        return [
            FoundLink(start, end, written, _SPACES.sub(" ", "".join(text)).strip()[:LONGEST_LINK_TEXT], opted_out)
            for (start, end, written, opted_out), text in zip(self._found, self._texts, strict=True)
        ]

    @property
    def end_of_body(self) -> int:
        return next((place for place in (self._body_end, self._html_end) if place >= 0), self._stopped_at)

    def read(self) -> None:
        for _ in range(MOST_RESUMPTIONS):
            self._read_from(self._base)
            if not self.rawdata:
                return
            # What is left begins with something that never ends; `close()` would guess at it in quadratic time.
            # Readers do not show it, nor what is put behind it.
            stopped_at = len(self._html) - len(self.rawdata)
            self._stopped_at = min(self._stopped_at, stopped_at)
            if self._html.startswith("<!--", stopped_at):
                return
            self._base = stopped_at + 1

    def _read_from(self, base: int) -> None:
        self.reset()
        self._base = base
        text = self._html[base:]
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.feed(text)

    @property
    def _place(self) -> int:
        line, column = self.getpos()
        return self._base + self._line_starts[line - 1] + column

    def parse_marked_section(self, i: int, report: int = 1) -> int:
        """Take ``<![if !mso]>`` and its like for the comments that browsers take them for; the parser may raise."""
        del report
        end = self.rawdata.find(">", i)
        return -1 if end < 0 else end + 1

    def parse_starttag(self, i: int) -> int:
        """Step over tags of which nothing is wanted: reading their attributes is two thirds of the work."""
        name = _TAG_NAME.match(self.rawdata, i)
        if name is None or name[0][1:].lower() in _LOOKED_AT or self._is_for_outlook:
            return super().parse_starttag(i)
        end = self.check_for_whole_start_tag(i)
        if end > 0 and self.rawdata[end - 1] != ">":
            return super().parse_starttag(i)
        return end

    def parse_endtag(self, i: int) -> int:
        """Step over ends of which nothing is wanted, too."""
        tag = _END_TAG.match(self.rawdata, i) if self.cdata_elem is None else None
        if tag is None or tag[1].lower() in _ENDS:
            return super().parse_endtag(i)
        return tag.end()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._text_only:
            return
        if tag in {"a", "area"}:
            self._begin_link(attrs, has_text=tag == "a")
        elif self._is_for_outlook and tag.startswith("v:"):  # buttons are drawn, in VML, and link themselves
            self._begin_link(attrs, has_text=False)
        elif tag == "img":
            self._see_image(attrs)
        elif tag in _TEXT_ONLY:
            self._text_only = tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)  # the slash of <a/> means nothing in HTML

    def handle_endtag(self, tag: str) -> None:
        if self._text_only:
            if tag == self._text_only:
                self._text_only = ""
        elif tag == "a":
            self._open_text = None
        elif tag == "body":
            self._body_end = self._place
        elif tag == "html":
            self._html_end = self._place

    def handle_comment(self, data: str) -> None:
        """Look into what only Outlook reads; in a comment of another kind nobody sees a link."""
        content = _FOR_OUTLOOK.fullmatch(data)
        if content is None or self._text_only or self._is_for_outlook:
            return
        begins = self._place + len("<!--") + content.start(1)
        reader = _Reader(content[1], is_for_outlook=True)
        reader.read()
        self._outlooks += [
            link._replace(start=begins + link.start, end=begins + link.end, for_outlook=True)
            for link in reader.links
            # Without quotes around it, an address that ends in "--" would end the comment.
            if content[1][link.start - 1] in "\"'"
        ]

    def handle_data(self, data: str) -> None:
        if self._open_text is not None:
            self._open_text.append(data)

    def _begin_link(self, attrs: list[tuple[str, str | None]], *, has_text: bool) -> None:
        self._open_text = None
        href = next((value for name, value in attrs if name == "href"), None)
        span = _span_of_href(self.get_starttag_text() or "")
        if href is None or span is None:
            return
        written = attribute_value(span[2])
        if href not in {written, unescape(span[2])}:  # the second: what older parsers make of references
            return  # the parser and we read the tag differently: its author's business
        place = self._place
        opted_out = any(name == "data-mailpulse" and (value or "").lower() == "off" for name, value in attrs)
        self._found.append((place + span[0], place + span[1], written, opted_out))
        self._texts.append([])
        if has_text:
            self._open_text = self._texts[-1]

    def _see_image(self, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "src" and value:
                self.images.append(value)
            elif name == "alt" and value and self._open_text is not None:
                self._open_text.append(value)


def _span_of_href(tag: str) -> tuple[int, int, str] | None:
    """Find the first href of a start tag: where its value begins and ends, and the raw value."""
    name = _TAG_NAME.match(tag)
    place = name.end() if name else len(tag)
    while attribute := _ATTRIBUTE.match(tag, place):
        place = attribute.end()
        if attribute["name"].lower() == "href":
            group = next((group for group in ("double", "single", "bare") if attribute[group] is not None), None)
            return None if group is None else (*attribute.span(group), attribute[group])
    return None

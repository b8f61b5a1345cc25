"""Tell what a machine answered from what a person wrote.

RFC 3834 (Auto-Submitted), and what mail systems do beside it; read 2026-11.
"""

import re
from email.errors import HeaderParseError
from email.header import decode_header
from typing import Final

from adapters.mail.headers import Head, address_in

_MARKS: Final = (
    "x-autoreply",
    "x-auto-reply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-responded",
    "x-autoreply-from",
    "x-mail-autoreply",
    "x-fc-machinegenerated",
    "x-vacation",
    "x-ms-exchange-generated-message-source",
)
_NO: Final = {"", "no", "false", "0"}
_ROBOTS: Final = ("mailer-daemon", "mail-daemon", "postmaster")
# How the notes of mail systems begin, in the languages of their users; a person who answers keeps "Re:" in front.
# The last resort.
_CHARSETS: Final = re.compile(
    r"us-ascii|utf-8|iso-8859-(?:[1-9]|1[0135])|windows-125[0-8]|koi8-[ru]|gb2312|gbk|gb18030|big5|euc-jp|euc-kr|"
    r"shift_jis|iso-2022-(?:jp|kr)",
    re.IGNORECASE,
)
_SUBJECTS: Final = re.compile(
    r"\s*(?:"
    r"auto(?:matic|mated)?[ -]?(?:reply|response|answer)\b|auto\s*:|out of (?:the )?office\b|ooo\s*:|"
    r"vacation (?:reply|response)\b|"
    r"automatische (?:antwort|beantwoording)\b|abwesenheit(?:snotiz|sbenachrichtigung|smeldung|sassistent)?\b|"
    r"r[ée]ponse automatique\b|(?:message d.)?absence du bureau\b|"
    r"respuesta autom[áa]tica\b|fuera de (?:la )?oficina\b|"
    r"risposta automatica\b|fuori (?:sede|ufficio)\b|"
    r"resposta autom[áa]tica\b|fora do escrit[óo]rio\b|"
    r"automatisch antwoord\b|afwezigheids(?:bericht|melding)\b|"
    r"auto(?:matiskt|matisk)? ?svar\b|fr[åa]nvaro\b|automaattinen vastaus\b|poissaoloviesti\b|"
    r"odpowied[źz] automatyczna\b|autoodpowied[źz]\b|automatick[áa] odpov[ěe][ďd]\b|automatikus v[áa]lasz\b|"
    r"r[ăa]spuns automat\b|автоматический ответ|автоответ|автоматична відповідь|otomatik (?:yan(?:i|\u0131)t|cevap)\b|"
    r"αυτόματη απάντηση|自動応答|自動返信|自动答复|自动回复|自動回覆|자동 ?회신|자동 ?응답"
    r")",
    re.IGNORECASE,
)


def is_automatic(head: Head) -> bool:
    """Whether a machine sent the mail: an out-of-office note, a receipt, a robot's word.

    ``X-Auto-Response-Suppress`` only asks not to be answered; ``All`` is what Exchange's own automatic mails say, the
    other values stand in mails of people too.
    """
    submitted = head.first("auto-submitted").partition(";")[0].strip().lower()
    precedence = head.first("precedence").lower()
    suppressed = {word.strip().lower() for word in head.first("x-auto-response-suppress").split(",")}
    return (
        submitted not in _NO
        or any(value.lower() not in _NO for value in head.all_of(*_MARKS))
        or precedence in {"auto_reply", "bulk", "junk"}
        or "all" in suppressed
        or head.first("return-path").replace(" ", "") == "<>"
        or address_in(head.first("from")).partition("@")[0] in _ROBOTS
        or _SUBJECTS.match(subject_of(head)) is not None
    )


def is_list_mail(head: Head) -> bool:
    """Whether a mailing list passed the mail on."""
    return head.has("list-id", "list-post") or head.first("precedence").lower() == "list"


def subject_of(head: Head) -> str:
    """Give the beginning of the subject in whatever charset it came; what cannot be decoded stays as it is."""
    raw = head.first("subject")[:1000]
    try:
        pieces = decode_header(raw)
    except (HeaderParseError, ValueError):  # of bad base64 too
        return raw
    return "".join(_decoded(piece, charset) for piece, charset in pieces)[:300]


def _decoded(piece: bytes | str, charset: str | None) -> str:
    if isinstance(piece, str):
        return piece
    # Python knows codecs that are no charset of any mail, and costly or harmful: rot13, unicode_escape, punycode.
    return piece.decode(charset if charset and _CHARSETS.fullmatch(charset) else "utf-8", "replace")

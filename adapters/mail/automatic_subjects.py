"""How mail systems begin the subjects of what they answer by themselves.

The last resort, for mails that came without the headers that say so. A person who answers keeps "Re:" in front.
"""

import re
from typing import Final
from unicodedata import combining, normalize

BEGINNINGS: Final = {
    "ar": ("رد تلقائي",),
    "bg": ("автоматичен отговор",),
    "cs": ("automatická odpověď", "mimo kancelář"),
    "da, no": ("automatisk svar", "automatisk besvarelse", "autosvar", "fraværsmeddelelse", "fraværsmelding"),
    "de": (
        "automatische antwort", "automatisch generierte antwort", "automatisierte antwort", "auto-antwort",
        "abwesenheitsnotiz", "abwesenheitsbenachrichtigung", "abwesenheitsmeldung", "abwesenheitsassistent",
        "abwesenheitsinfo", "abwesenheitsnachricht", "abwesenheit:", "abwesend:", "außer haus:", "nicht im büro:",
    ),
    "el": ("αυτόματη απάντηση",),
    "en": (
        "automatic reply", "automatic response", "automatic answer", "automated reply", "automated response",
        "auto-reply", "autoreply", "auto-response", "autoresponse", "auto-answer", "auto:", "vacation reply",
        "vacation response", "vacation notice", "out of office", "out of the office", "currently out of office",
        "currently out of the office", "i am out of office", "i am out of the office", "away from office",
        "away from the office", "away from my mail", "ooo:", "ooto:",
    ),
    "es": ("respuesta automática", "fuera de oficina", "fuera de la oficina", "ausente de la oficina"),
    "et": ("automaatvastus",),
    "fi": ("automaattinen vastaus", "poissaoloviesti", "poissa toimistolta"),
    "fr": (
        "réponse automatique", "absence du bureau", "absent du bureau", "absente du bureau", "message d'absence",
        "notification d'absence",
    ),
    "he": ("תשובה אוטומטית", "מענה אוטומטי"),
    "hr, sr": ("automatski odgovor", "аутоматски одговор"),
    "hu": ("automatikus válasz", "házon kívül"),
    "id, ms": ("balasan otomatis", "jawapan automatik"),
    "it": ("risposta automatica", "fuori sede", "fuori ufficio", "assente dall'ufficio"),
    "ja": ("自動応答", "自動返信", "自動回答", "不在通知", "不在連絡"),
    "ko": ("자동 회신", "자동회신", "자동 응답", "자동응답", "부재중 알림", "부재중:"),
    "lt": ("automatinis atsakymas",),
    "lv": ("automātiskā atbilde",),
    "nl": (
        "automatisch antwoord", "automatische beantwoording", "afwezigheidsbericht", "afwezigheidsmelding",
        "niet op kantoor:",
    ),
    "pl": ("odpowiedź automatyczna", "automatyczna odpowiedź", "autoodpowiedź", "poza biurem:"),
    "pt": ("resposta automática", "fora do escritório", "ausência temporária"),
    "ro": ("răspuns automat",),
    "ru": ("автоматический ответ", "автоответ", "вне офиса:"),
    "sk, sl": ("automatická odpoveď", "samodejni odgovor"),
    "sv": ("automatiskt svar", "autosvar", "frånvaromeddelande", "frånvaro:"),
    "th": ("ตอบกลับอัตโนมัติ", "การตอบกลับอัตโนมัติ"),
    "tr": ("otomatik yan\u0131t", "otomatik cevap", "ofis d\u0131ş\u0131nda"),
    "uk": ("автоматична відповідь", "автовідповідь"),
    "vi": ("trả lời tự động", "thư trả lời tự động"),
    "zh": ("自动答复", "自动回复", "自動回覆", "自動答覆", "自動回復", "不在办公室", "不在辦公室"),
}  # fmt: skip
"""By language (ISO 639); case, accents, hyphens and the number of spaces make no difference. With a colon where people
begin with the same words: it, or nothing more, must follow."""

OF_PEOPLE: Final = (
    "out of office hours",
    "out of the office hours",
    "automated response system",
    "automatic reply system",
)
"""What begins that way and is a person's all the same."""

_APART: Final = re.compile(r"[\s_\u2010-\u2015-]+")
_ALIKE: Final = str.maketrans({"\u0131": "i", "\u2019": "'"})
_IN_FRONT: Final = r"(?:\[[^\]]{1,30}\])?\W*"
"""As gateways put there ("[EXTERNAL]"), and what sets words off."""


def is_automatic_subject(subject: str) -> bool:
    """Whether a subject, decoded, begins as those of automatic answers do."""
    return _AUTOMATIC.match(_folded(subject)) is not None


def _folded(text: str) -> str:
    bare = "".join(character for character in normalize("NFKD", text.casefold()) if not combining(character))
    return _APART.sub(" ", bare.translate(_ALIKE)).strip()


def _spelt(beginning: str) -> str:
    folded = _folded(beginning)
    if folded.endswith(":"):
        return re.escape(folded[:-1]) + r"\s*(?::|$)"
    # Letters that know no capitals stand beside each other without spaces.
    return re.escape(folded) + (r"(?![^\W_])" if folded.upper() != folded else "")


_BY_PEOPLE: Final = "|".join(map(_folded, OF_PEOPLE))
_BY_MACHINES: Final = "|".join(_spelt(one) for known in BEGINNINGS.values() for one in known)
_AUTOMATIC: Final = re.compile(f"{_IN_FRONT}(?!{_BY_PEOPLE})(?:{_BY_MACHINES})")

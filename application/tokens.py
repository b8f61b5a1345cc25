"""What tokens look like: random, and told by their kind; only hashes of them are kept."""

import hashlib
import re
import secrets
from collections.abc import Collection
from typing import Final

from application.ports.access_tokens import TokenKind

PREFIXES: Final = {
    TokenKind.API_KEY: "mp_key_",
    TokenKind.USER_TOKEN: "mp_user_",
    TokenKind.SIGN_IN_LINK: "mp_link_",
    TokenKind.SESSION: "mp_session_",
}
TOKEN: Final = re.compile(r"(mp_(?:key|user|link|session)_)[A-Za-z0-9_-]{43}")


def is_token(text: str, kinds: Collection[TokenKind]) -> bool:
    """Whether a text has the form of a token of one of the kinds."""
    form = TOKEN.fullmatch(text)
    return form is not None and any(form[1] == PREFIXES[kind] for kind in kinds)


def new_token(kind: TokenKind) -> str:
    """Give a fresh token of 256 random bits."""
    return PREFIXES[kind] + secrets.token_urlsafe(32)


def hash_of(token: str) -> bytes:
    """Give what is kept of a token; no salt, for nobody guesses 256 random bits."""
    return hashlib.sha256(token.encode()).digest()

import asyncio

import pytest

from application.access import LONGEST_NAME, AccessControl, InvalidNameError
from application.authenticate import Authenticate, InvalidTokenError
from application.ports.access_tokens import AccessToken, Role, TokenKind
from application.ports.unit_of_work import StoreUnavailableError
from application.tokens import hash_of, new_token
from tests.support.query_world import NOON, OURS


class RememberedTokens:
    """Tokens in memory; counts how often it is asked."""

    def __init__(self, *tokens):
        self.by_hash = {hash_of(token): _token() for token in tokens}
        self.asked = 0
        self.is_away = False

    async def find(self, token_hash, now):
        self.asked += 1
        if self.is_away:
            raise StoreUnavailableError
        return self.by_hash.get(token_hash)


class Watch:
    now = 0.0

    def __call__(self):
        return self.now


def _token():
    return AccessToken(
        id=OURS, organization_id=OURS, kind=TokenKind.API_KEY, role=Role.ADMIN, user_id=None, name="", created_at=NOON
    )


def authenticate(tokens, watch=None):
    return Authenticate(tokens, lambda: NOON, watch or Watch())


def test_a_known_token_names_its_organisation():
    token = new_token(TokenKind.API_KEY)

    caller = asyncio.run(authenticate(RememberedTokens(token))(token))

    assert (caller.organization_id, caller.role) == (OURS, Role.ADMIN)


def test_an_answer_is_remembered_for_two_seconds_and_no_longer():
    token, watch = new_token(TokenKind.API_KEY), Watch()
    tokens = RememberedTokens(token)
    ask = authenticate(tokens, watch)

    asyncio.run(ask(token))
    tokens.by_hash.clear()
    watch.now = 1.9
    asyncio.run(ask(token))
    watch.now = 2.1

    with pytest.raises(InvalidTokenError):
        asyncio.run(ask(token))
    assert tokens.asked == 2


def test_what_has_not_the_form_of_a_token_is_never_looked_up():
    tokens = RememberedTokens()

    for text in ("", "mp_key_", "mp_key_" + "a" * 42, "mp_key_" + "a" * 43 + "\n", "x" * 100_000, "mp_key_" + "é" * 43):
        with pytest.raises(InvalidTokenError):
            asyncio.run(authenticate(tokens)(text))

    assert tokens.asked == 0


def test_a_store_that_is_away_is_no_refusal():
    token = new_token(TokenKind.API_KEY)
    tokens = RememberedTokens(token)
    tokens.is_away = True

    with pytest.raises(StoreUnavailableError):
        asyncio.run(authenticate(tokens)(token))


def test_tokens_are_256_bits_and_never_alike():
    tokens = {new_token(kind) for kind in TokenKind for _ in range(100)}

    assert len(tokens) == 100 * len(TokenKind)
    assert all(len(token.rpartition("_")[0]) >= 2 and len(token) >= len("mp_key_") + 43 for token in tokens)


def test_a_link_for_a_person_opens_once_and_carries_no_token_of_theirs():
    kept = []

    class Keeps:
        async def add(self, *tokens):
            kept.extend(tokens)

    session = asyncio.run(
        AccessControl(Keeps(), lambda: NOON, "https://p.example").link_user(OURS, "h-1", Role.RECRUITER)
    )

    (token, token_hash), (link, link_hash) = kept
    code = session.url.removeprefix("https://p.example/login?code=")
    assert (token_hash, link_hash) == (hash_of(session.token), hash_of(code))
    assert (link.kind, link.parent_id, token.parent_id) == (TokenKind.SIGN_IN_LINK, token.id, None)
    assert session.token not in session.url


def test_what_a_browser_holds_is_no_bearer_token_and_the_other_way_round():
    for kind in (TokenKind.SIGN_IN_LINK, TokenKind.SESSION):
        token = new_token(kind)
        with pytest.raises(InvalidTokenError):
            asyncio.run(authenticate(RememberedTokens(token))(token))
    token = new_token(TokenKind.USER_TOKEN)
    with pytest.raises(InvalidTokenError):
        asyncio.run(authenticate(RememberedTokens(token))(token, {TokenKind.SESSION}))


@pytest.mark.parametrize(
    "name, problem",
    [
        (" ", "is empty"),
        ("x" * (LONGEST_NAME + 1), "is longer than 255"),
        ("a\x00b", "NUL"),
        (b"caf\xe9".decode(errors="surrogateescape"), "UTF-8"),
    ],
    ids=["empty", "long", "NUL", "bytes of another encoding"],
)
def test_a_name_that_cannot_be_kept_is_refused_before_anything_is_kept(name, problem):
    access = AccessControl(RememberedTokens(), lambda: NOON, "https://pulse.example.com")

    with pytest.raises(InvalidNameError, match=problem):
        asyncio.run(access.create_organization(name))

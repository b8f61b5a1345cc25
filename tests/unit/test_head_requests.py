"""Answers to HEAD, where GET would send more than anybody reads."""

from litestar import Litestar, get, post
from litestar.response import Stream
from litestar.testing import TestClient

from entrypoints.web.head_requests import BodylessHead, ReadingRouter


def client_of(*handlers):
    app = Litestar([ReadingRouter("/", route_handlers=handlers)], openapi_config=None)
    app.asgi_handler = BodylessHead(app.asgi_handler)
    return TestClient(app)


def test_what_would_be_streamed_at_length_is_hardly_begun_for_head():
    made = []

    async def lines():
        for _ in range(1_000):
            made.append(1)
            yield b"line\n"

    @get("/lines", media_type="text/csv")
    async def stream() -> Stream:
        return Stream(lines())

    answer = client_of(stream).head("/lines")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/csv")
    assert len(made) < 10


def test_the_length_is_that_of_the_body_that_get_sends():
    @get("/text", media_type="text/plain")
    async def text() -> str:
        return "four"

    client = client_of(text)

    assert client.head("/text").headers["content-length"] == client.get("/text").headers["content-length"] == "4"


def test_options_names_the_methods_of_all_handlers_of_a_path():
    @get("/things")
    async def show() -> str:
        return ""

    @post("/things")
    async def add() -> str:
        return ""

    for handlers in ((show, add), (add, show)):
        assert client_of(*handlers).options("/things").headers["allow"] == "GET, HEAD, OPTIONS, POST"


def test_what_is_not_read_takes_no_head():
    @post("/things")
    async def add() -> str:
        return ""

    answer = client_of(add).head("/things")

    assert (answer.status_code, answer.content) == (405, b"")
    assert "HEAD" not in answer.headers["allow"]

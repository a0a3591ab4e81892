"""The guard lets the page's own requests through, and turns everything else away."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from coach.errors import UsageError
from coach.settings import Settings, is_loopback, load_settings
from coach.ui import guard
from coach.ui.guard import HEADERS, Guard

HERE = "http://127.0.0.1:7860"


async def _echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{len(await request.body())}")


@pytest.fixture
def client() -> TestClient:
    methods = ["GET", "POST"]
    app = Starlette(
        routes=[Route("/{path:path}", _echo, methods=methods)],
        middleware=[Middleware(Guard, hosts=("ward-pc",))],
    )
    return TestClient(app, base_url=HERE)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/config",
        "/theme.css",
        "/assets/index-12.js",
        "/gradio_api/queue/data",
        "/gradio_api/heartbeat/a1",
    ],
)
def test_guard_serves_what_the_page_asks_for(client: TestClient, path: str) -> None:
    found = client.get(path)
    assert found.status_code == 200
    for name, value in HEADERS.items():
        assert found.headers[name] == value


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=coach.toml",
        "/file=/etc/passwd",
        "/gradio_api/upload",
        "/gradio_api/proxy=http://192.0.2.1/",
        "/gradio_api/dev/reload",
        "/gradio_api/vibe-edit",
        "/gradio_api/call/ask",
        "/assets/../coach.toml",
        "/assets/%2e%2e/coach.toml",
        "/docs",
        "/openapi.json",
    ],
)
def test_guard_serves_no_file_upload_proxy_or_programming_interface(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:7860", "", "192.0.2.7"]
)
def test_guard_answers_under_no_foreign_name(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1", "[::1]:7860", "ward-pc:80", "WARD-PC"])
def test_guard_answers_under_its_own_names(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:8000", "http://localhost"]
)
def test_guard_turns_away_what_another_site_sends(client: TestClient, origin: str) -> None:
    assert client.post("/gradio_api/queue/join", headers={"origin": origin}).status_code == 403


def test_guard_turns_away_a_simple_request_of_another_site(client: TestClient) -> None:
    """An image or a form of another site carries no origin, but says where it comes from."""
    assert client.get("/config", headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_guard_lets_the_page_itself_send(client: TestClient) -> None:
    sent = client.post("/gradio_api/queue/join", headers={"origin": HERE}, content=b"hello")
    assert (sent.status_code, sent.text) == (200, "5")


def test_guard_takes_no_huge_body(client: TestClient) -> None:
    assert client.post("/gradio_api/queue/join", content=b"x" * (guard.MAX_BODY + 1)).status_code == 413


def test_guard_slows_a_flood(client: TestClient) -> None:
    seen = [client.post("/gradio_api/queue/join").status_code for _ in range(guard.MAX_A_MINUTE + 1)]
    assert set(seen[:-1]) == {200}
    assert seen[-1] == 429


def test_guard_keeps_words_out_of_the_browsers_cache(client: TestClient) -> None:
    assert client.get("/gradio_api/queue/data").headers["cache-control"] == "no-store"
    assert "cache-control" not in client.get("/assets/index.js").headers


@pytest.mark.parametrize(
    ("host", "near"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("10.0.0.4", False)],
)
def test_is_loopback_knows_this_computer(host: str, near: bool) -> None:
    assert is_loopback(host) is near


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "ward-pc"])
def test_page_is_not_opened_to_others_without_a_login(host: str) -> None:
    from coach.build import Coach
    from coach.ui.app import open_page

    settings = load_settings(host=host)
    with pytest.raises(UsageError, match="COACH_LOGIN=name:password"):
        open_page(settings, Coach(settings), browser=False, block=False)


def test_settings_read_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COACH_LOGIN", "asha:a long:password")
    assert Settings().login == ("asha", "a long:password")


@pytest.mark.parametrize("login", ["asha", "asha:short", ":password-only"])
def test_settings_refuse_a_weak_login_without_repeating_it(
    monkeypatch: pytest.MonkeyPatch, login: str
) -> None:
    monkeypatch.setenv("COACH_LOGIN", login)
    with pytest.raises(UsageError) as fault:
        load_settings()
    assert "name:password" in str(fault.value)
    assert login not in str(fault.value)

"""Who may speak to the page's server, and with what: before Gradio sees a request, this has let it through.

A page in another tab of the same browser can reach 127.0.0.1 too. So only hosts the page is served
under are answered (DNS rebinding), a foreign origin is turned away (cross-site requests), only what
the page itself asks for is served (no file of the disk, no upload, no proxy), and requests may be
neither huge nor endless. It does *not* know who somebody is: that is Gradio's login.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from coach.settings import is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 2_000_000  # bytes: a long conversation goes back and forth with every message
MAX_A_MINUTE = 600  # requests that do something, from one address
# What the page asks for; everything else that Gradio could serve (files, uploads, proxies) is not there.
_SERVED = re.compile(
    r"/(?:|config|theme\.css|favicon\.ico|manifest\.json|robots\.txt|login/?|logout/?|user/?|token/?|app_id/?|"
    r"(?:assets|static|svelte)/[\w./-]+|"
    r"gradio_api/(?:startup-events|info/?|queue/(?:join|data)/?|run/predict/?|heartbeat/[\w-]+|cancel/?|reset/?|login_check/?|"
    r"static/[\w./-]+|assets/[\w./-]+))"
)
_KEPT = re.compile(r"/(?:gradio_api/)?(?:assets|static|svelte)/")  # a browser may keep these; words never
# Gradio draws with inline scripts and styles; nothing may be fetched from or sent to anywhere else.
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """ASGI middleware; `hosts` are the names the page is served under beside this computer's own."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str] = ()) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._lately: dict[str, deque[float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no websocket is used here
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        status, why = self._refused(scope, headers)
        if status:
            await _answer(send, status, why)
            return
        kept = _KEPT.match(scope["path"]) is not None
        await self._app(scope, _limited(receive), _with_headers(send, kept=kept))

    def _refused(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str]:
        """The status and the reason for turning a request away; 0 if it may pass."""
        host = headers.get("host", "")
        if not self._is_ours(host):
            return 421, "This page is served under another name. Open the address that the coach printed."
        origin = headers.get("origin")
        if (origin is not None and urlsplit(origin).netloc.lower() != host.lower()) or headers.get(
            "sec-fetch-site"
        ) in ("cross-site", "same-site"):
            return 403, "This came from another site. Open the coach's own page instead."
        if ".." in scope["path"] or not _SERVED.fullmatch(scope["path"]):
            return 404, "There is nothing here. Open the coach's own page instead."
        told = headers.get("content-length", "0")
        if not told.isdigit() or int(told) > MAX_BODY:
            return 413, "That is too much at once. Send a shorter text."
        if scope["method"] == "POST" and self._is_flooding((scope.get("client") or ("", 0))[0]):
            return 429, "That is too fast. Wait a minute."
        return 0, ""

    def _is_ours(self, host: str) -> bool:
        name = re.sub(r":\d+$", "", host.lower())
        return is_loopback(name) or name.strip("[]") in self._hosts

    def _is_flooding(self, client: str) -> bool:
        now, lately = time.monotonic(), self._lately.setdefault(client, deque())
        while lately and now - lately[0] > 60:
            lately.popleft()
        lately.append(now)
        if len(self._lately) > 1000:
            self._lately = {client: lately}
        return len(lately) > MAX_A_MINUTE


def _limited(receive: Receive) -> Receive:
    """`receive`, which ends a body that grows past MAX_BODY although no length was told."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > MAX_BODY:
                return {"type": "http.disconnect"}
        return message

    return counted


def _with_headers(send: Send, *, kept: bool = False) -> Send:
    headers = HEADERS if kept else HEADERS | {"cache-control": "no-store"}
    ours = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def added(message: Message) -> None:
        if message["type"] == "http.response.start":
            held = [(n, v) for n, v in message["headers"] if n.decode("latin-1").lower() not in headers]
            message = {**message, "headers": [*held, *ours]}
        await send(message)

    return added


async def _answer(send: Send, status: int, why: str) -> None:
    body = why.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await _with_headers(send)({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

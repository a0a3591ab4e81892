"""The page served in a process of its own, with every connection but loopback refused and written down."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

BLOCK = Path(__file__).parent / "offline"
OURS = Path(__file__).parents[1]


def answers(url: str, seconds: float) -> bool:
    """Whether `url` answers within so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=1) as response:  # noqa: S310 - our own server
                return bool(response.status == 200)
        except OSError:
            time.sleep(0.2)
    return False


class Served:
    """A page in a process of its own; `home` holds its home, temporary files and logs."""

    def __init__(self, home: Path, cache: Path) -> None:
        self.home, self.log, self.refused = home, home / "log", home / "refused"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"http://127.0.0.1:{free.getsockname()[1]}"
        self.port = int(self.address.rsplit(":", 1)[1])
        for name in ("tmp", "config", "data", "work"):
            (home / name).mkdir()
        self.env = {
            **os.environ, "HOME": str(home), "TMPDIR": str(home / "tmp"),
            "XDG_CONFIG_HOME": str(home / "config"), "COACH_CACHE_DIR": str(cache),
            "COACH_DATA_DIR": str(home / "data" / "serendip"), "OFFLINE_LOG": str(self.refused),
            "PYTHONPATH": f"{BLOCK}{os.pathsep}{OURS}",
        }  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "coach", "serve", "--no-browser", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self.env, cwd=self.home / "work", stdout=log, stderr=log
            )
        assert answers(self.address, 120), self.log.read_text()

    def stop(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)

    @property
    def resident_mb(self) -> float:
        """Memory in use by the server, in megabytes."""
        assert self._process is not None
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1000
        raise AssertionError("no memory figure")

    @property
    def is_up(self) -> bool:
        assert self._process is not None
        return self._process.poll() is None and answers(self.address, 20)


class Person:
    """Somebody in the Talk tab, without a browser: what the page sends, sent by hand."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address, headers={"origin": address}, timeout=120)
        self._page = uuid.uuid4().hex[:10]
        config = self._client.get("/config").json()
        box = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == "box")
        self._send = next(
            d["id"] for d in config["dependencies"] if [box, "submit"] in [list(t) for t in d["targets"]]
        )

    def ask(self, text: str) -> str:
        """Send a message and wait; returns the coach's words as the page would show them."""
        self.join(text)
        return self.heard()

    def join(self, text: str) -> None:
        """Send a message, and do not wait."""
        sent = {"data": [text, None], "fn_index": self._send, "session_hash": self._page, "trigger_id": None}
        self._client.post("/gradio_api/queue/join", json=sent).raise_for_status()

    def events(self) -> Iterator[dict[str, Any]]:
        """What the server tells about the message that was sent."""
        with self._client.stream(
            "GET", "/gradio_api/queue/data", params={"session_hash": self._page}
        ) as lines:
            for line in lines.iter_lines():
                if line.startswith("data:"):
                    event = json.loads(line[5:])
                    yield event
                    if event["msg"] in ("process_completed", "close_stream", "unexpected_error"):
                        return

    def heard(self) -> str:
        """Wait for the answer."""
        for event in self.events():
            if event["msg"] == "process_completed":
                assert event["success"], event
                return json.dumps(event["output"]["data"][0])
        raise AssertionError("no answer")

    def leave(self) -> None:
        self._client.close()

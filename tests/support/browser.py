"""A browser that tests drive: Chromium without windows, by the DevTools protocol over pipes."""

from __future__ import annotations

import json
import os
import subprocess
from base64 import b64decode
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from attrs import field, frozen

from tests.support.programs import find_program

_OPTIONS = "--headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run --hide-scrollbars"


@frozen
class Browser:
    """One page of a browser.

    Args:
        reads: The descriptor where the browser reads commands.
        writes: The descriptor where it writes results and events.
    """

    reads: int
    writes: int
    _numbers: count[int] = field(factory=lambda: count(1), init=False)
    _session: list[str] = field(factory=list[str], init=False)
    _events: list[str] = field(factory=list[str], init=False)

    def call(self, method: str, **parameters: object) -> Any:
        """Return the result of a command of the protocol."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        session = {"sessionId": self._session[0]} if self._session else {}
        os.write(self.reads, json.dumps(message | session).encode() + b"\0")
        while (received := self._receive()).get("id") != number:
            self._events.append(received["method"])
        assert "error" not in received, received
        return received["result"]

    def _receive(self) -> dict[str, Any]:
        text = bytearray()
        while not text.endswith(b"\0"):
            piece = os.read(self.writes, 1)
            assert piece, "the browser has ended"
            text += piece
        received: dict[str, Any] = json.loads(text[:-1])
        return received

    def open_page(self) -> None:
        """Open the page that later commands are about."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session.append(self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        self.call("Page.enable")

    def go_to(self, url: str) -> None:
        """Load an address, and wait until the page is complete."""
        self._events.clear()
        self.call("Page.navigate", url=url)
        while "Page.loadEventFired" not in self._events:
            self._events.append(self._receive()["method"])

    def show(self, width: int, *, dark: bool = False) -> None:
        """Set the width of the window in pixels and the color scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def evaluate(self, script: str) -> Any:
        """Return the value of a JavaScript expression, or of its promise."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait_for(self, script: str) -> None:
        """Wait until a JavaScript expression is true; the timeout of the test is the limit."""
        while not self.evaluate(script):
            self.evaluate("new Promise(done => setTimeout(done, 50))")

    def save_picture(self, file: Path) -> None:
        """Save a picture of the whole page."""
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(b64decode(picture["data"]))


@contextmanager
def open_browser(folder: Path) -> Generator[Browser]:
    """Yield a browser with a profile in a folder."""
    (commands, reads), (writes, results) = os.pipe(), os.pipe()
    # The browser expects the descriptors 3 and 4.
    command = [
        "bash",
        "-c",
        f'exec "$@" 3<&{commands} 4>&{results}',
        "bash",
        find_program("chromium"),
        *_OPTIONS.split(),
    ]
    with subprocess.Popen(
        [*command, "--remote-debugging-pipe", f"--user-data-dir={folder}/profile"],
        pass_fds=(commands, results),
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(commands)
        os.close(results)
        try:
            browser = Browser(reads, writes)
            browser.open_page()
            yield browser
        finally:
            process.kill()
            os.close(reads)
            os.close(writes)

"""The commands that make a secret, and a search for the secrets that they made."""

from __future__ import annotations

import os
import shlex
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

import httpx

from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.http.transport import EmulatorTransport
from tests.cli.command_line import COMMANDS
from tests.support.concurrency import PATIENCE

MAKERS = {spec.full_name: spec for spec in COMMANDS if spec.makes and not spec.makes.many}
"""The commands that make one secret, by name."""
ROTATES_ACCOUNT = "service-account rotate"
"""The one whose change cannot be undone."""


def words_of(name: str, *options: str) -> list[str]:
    """Return the example of a command with other options in the place of ``--reveal`` or ``--store``."""
    words = shlex.split(MAKERS[name].example)[1:]
    place = next(number for number, word in enumerate(words) if word in {"--reveal", "--store"})
    return [*words[:place], *options, *words[place + 1 + (words[place] == "--store") :]]


def live_secrets(emulator: Emulator) -> set[str]:
    """Return every secret that is valid now."""
    state = emulator.state
    keys = {each.value for each in state.api_keys.values()}
    return keys | {each.client_secret for each in state.service_accounts.listing}


def list_ids(emulator: Emulator) -> set[str]:
    """Return the ids of everything that exists."""
    document: Any = emulator.dump()
    kinds = ("projects", "service_accounts", "role_bindings")
    return {*emulator.state.api_keys, *(each["id"] for kind in kinds for each in document[kind])}


def read_files(folder: Path) -> dict[Path, str]:
    """Return the texts of all files in a folder and below it."""
    return {path: path.read_text("utf-8", "replace") for path in sorted(folder.rglob("*")) if path.is_file()}


def find_files_with(secrets: set[str], folder: Path) -> list[Path]:
    """Return the files in a folder and below it that contain a secret."""
    return [path for path, text in read_files(folder).items() if any(secret in text for secret in secrets)]


@contextmanager
def intercepted(
    handle: Callable[[httpx.Request, Callable[[], httpx.Response]], httpx.Response],
) -> Generator[None, None, None]:
    """Let a function handle the requests to every emulator; it gets the request, and how the emulator handles it.

    Requests for a token pass by.
    """
    original = EmulatorTransport.handle_request

    def intercept(self: EmulatorTransport, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return original(self, request)
        return handle(request, lambda: original(self, request))

    with mock.patch.object(EmulatorTransport, "handle_request", intercept):
        yield


class InterruptionAt:
    """Sends SIGTERM to this process at one request.

    Args:
        number: The number of the request, from 1.
        after: Whether the request is handled first.

    Attributes:
        was_sent: Whether there was such a request.
    """

    def __init__(self, number: int, *, after: bool) -> None:
        self._number, self._after = number, after
        self._count = 0
        self._handled = threading.Event()
        self.was_sent = False

    @contextmanager
    def armed(self) -> Generator[None, None, None]:
        """Interrupt the command that runs within the block."""
        handle = Interruptions.handle_signal

        def note(interruptions: Interruptions, number: int, frame: FrameType | None) -> None:
            self._handled.set()
            handle(interruptions, number, frame)

        with mock.patch.object(Interruptions, "handle_signal", note), intercepted(self._handle_request):
            yield

    def _handle_request(self, _: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        self._count += 1
        is_chosen = self._count == self._number
        response = handle() if self._after or not is_chosen else None
        if is_chosen:
            self.was_sent = True
            os.kill(os.getpid(), signal.SIGTERM)
            assert self._handled.wait(PATIENCE)
        return response or handle()

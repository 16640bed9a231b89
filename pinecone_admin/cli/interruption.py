"""What Ctrl-C, SIGTERM and SIGHUP do to a command: one interrupts it, and further ones do not disturb its cleanup."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

from pinecone_admin.cli.failures import read_notes

if TYPE_CHECKING:
    import subprocess

UNCHANGED = "nothing was changed"
"""What is known about a command that is interrupted before it changes anything."""

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP


@contextmanager
def note_interruption(describe: Callable[[], str]) -> Generator[None, None, None]:
    """Add to an interruption of the block what is known then about what was done, unless that is nothing."""
    try:
        yield
    except KeyboardInterrupt as interrupted:
        if note := describe():
            interrupted.add_note(note)
        raise


class Interruptions:
    """Context in which the first signal raises KeyboardInterrupt, unless the command must run to its end.

    Attributes:
        received: Whether there was a signal.
    """

    def __init__(self) -> None:
        self.received: bool = False
        self._is_held = False
        self._killed: list[subprocess.Popen[bytes]] = []
        self._before: dict[int, Any] = {}

    def hold(self) -> None:
        """Let the command run to its end from now on; a signal is only recorded."""
        self._is_held = True

    @contextmanager
    def second_kills(self, process: subprocess.Popen[bytes]) -> Generator[None, None, None]:
        """Kill a process at the second signal; the first one leaves it alone, so that it can finish."""
        self._killed.append(process)
        try:
            yield
        finally:
            self._killed.remove(process)

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
            # One that is ignored, as nohup does it, stays so.
            ours = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
            self._before = {number: signal.signal(number, self.handle_signal) for number in ours}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def handle_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a handler
        """Handle a signal: raise KeyboardInterrupt, or only record it, or kill what goes on after the first one."""
        is_first, self.received = not self.received, True
        if is_first and not self._is_held:
            raise KeyboardInterrupt
        for process in () if is_first else self._killed:
            process.kill()

    def describe(self, error: BaseException | None) -> BaseException | None:
        """Return the error with which the command ends: if there was a signal, an interruption that says what was done.

        Args:
            error: The error with which the work ended, if any.
        """
        if not self.received or isinstance(error, KeyboardInterrupt):
            return error
        interruption = KeyboardInterrupt()
        interruption.__cause__ = error
        notes = ["the command was completed"] if error is None else [str(error), *read_notes(error)]
        for note in notes:
            interruption.add_note(note)
        return interruption

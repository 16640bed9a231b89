"""Ctrl-C, SIGTERM and SIGHUP: one interrupts a command, and a second one ends what it still does."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from math import inf
from threading import Thread, Timer
from types import FrameType
from typing import Any, Self

from pinecone_admin._concurrency.locks import start_thread
from pinecone_admin.cli.ledger import Ledger

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
_PASSED_ON = (*_NAMES, "SIGQUIT", "SIGUSR1", "SIGUSR2")
GRACE = 5.0
"""Seconds to store a secret after a signal; whoever sends SIGTERM usually sends SIGKILL after 10."""
_DELAY = 1.0
"""Seconds after which an interrupted command that has not ended says why, and from its first notice on a second signal
counts: programs that run others deliver one twice."""

_STORING = "The new secret is still being stored, so that it is not lost. This takes up to 5 s."
_FINISHING = "Finishing what was begun."
_LEAVING = "The request that was sent is completed, and what else was made is left."


class Interruptions:
    """Context that raises KeyboardInterrupt at the first signal, unless the command must run to its end.

    Args:
        notify: Writes a line for people, from any thread: what an interrupted command still does, and what a second
            signal has done.
        ledger: The work of the command, for the text of these lines.
    """

    def __init__(self, notify: Callable[[str], object], ledger: Ledger) -> None:
        self._notify = notify
        self._ledger = ledger
        self._count = 0
        self._hurries_since: float = inf
        self._explained_since: float = inf
        self._explained = set[str]()
        self._leaves = False
        self._notices: list[Thread] = []
        self._is_held = False
        self._receive: Callable[[int], object] | None = None
        self._before: dict[int, Any] = {}

    @property
    def received(self) -> bool:
        """Whether there was a signal."""
        return self._count > 0

    def time_left(self) -> float:
        """Return how many seconds the storing of a secret may still take: any number before the first signal."""
        return inf if self._hurries_since == inf else GRACE - (time.monotonic() - self._hurries_since)

    def hold(self) -> None:
        """Let the command run to its end from now on; a signal is only recorded.

        ``SecretDelivery`` calls it as it begins to store. Until then, an interrupt deletes what was made.
        """
        self._is_held = True
        if self.received:  # the request before it may have taken all of the time
            self._hurries_since = time.monotonic()

    @contextmanager
    def held_by_one_secret(self) -> Generator[None, None, None]:
        """Return a context that ends a ``hold`` within it. A signal that came before interrupts at its end.

        An error that ends the context is not replaced by the interruption.
        """
        try:
            yield
        finally:
            self._is_held = False
        if self.received:
            raise KeyboardInterrupt

    def pass_on(self, receive: Callable[[int], object]) -> None:
        """Call a function with the number of each signal from now on, also of those that would end the process."""
        self._receive = receive
        self._handle(_PASSED_ON)

    def __enter__(self) -> Self:
        self._handle(_NAMES)
        return self

    def _handle(self, names: Iterable[str]) -> None:
        if threading.current_thread() is threading.main_thread():
            numbers = {getattr(signal, name) for name in names if hasattr(signal, name)} - self._before.keys()
            # One that is ignored, as nohup does it, stays so.
            ours = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
            self._before |= {number: signal.signal(number, self.handle_signal) for number in ours}

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self.end_notices()

    def handle_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a handler
        """Handle a signal: pass it on, raise KeyboardInterrupt, only record it, or leave what was made."""
        if self._receive is not None:
            self._receive(number)
            return
        self._count += 1
        self._hurries_since = min(self._hurries_since, time.monotonic())
        if self._count > 1:
            self._handle_further()
            return
        self._start_notice(Timer(_DELAY, self.explain))
        if not self._is_held:
            raise KeyboardInterrupt

    def _handle_further(self) -> None:
        if self._leaves or time.monotonic() - self._explained_since < _DELAY:
            return
        self._leaves = True
        rest = _STORING if self._ledger.is_storing else _LEAVING
        self._start_notice(Thread(target=self._notify, args=[f"Interrupted again. {rest}"]))

    def check_change(self) -> None:
        """Raise KeyboardInterrupt if a second signal came, so that no further change is sent."""
        if self._leaves:
            raise KeyboardInterrupt

    def explain(self) -> None:
        """Say once what an interrupted command does now."""
        text = _STORING if self._ledger.is_storing else self._ledger.describe_open() or _FINISHING
        if not self.received or text in self._explained:
            return
        said = f"{'' if self._explained else 'Interrupted. '}{text}"
        self._explained.add(text)
        self._explained_since = min(self._explained_since, time.monotonic())
        self._notify(said)

    def _start_notice(self, notice: Thread) -> None:
        # A handler must not wait for a lock that its own thread may hold, so that another thread writes.
        notice.daemon = True
        with suppress(RuntimeError, MemoryError):  # the system has no thread left
            start_thread(notice.start)
            self._notices.append(notice)

    def end_notices(self) -> None:
        """Write no notice from now on, so that the last line of the command stays the last one."""
        for notice in self._notices:
            if isinstance(notice, Timer):
                notice.cancel()
            notice.join()

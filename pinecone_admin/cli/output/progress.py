"""Progress on a terminal, of whatever takes longer than a second; elsewhere, nothing is shown."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from functools import partial
from threading import RLock, Timer
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, TextIO, TypeVar

from pinecone_admin._concurrency.locks import ensure_released, start_thread

if TYPE_CHECKING:
    from rich.live import Live

    from pinecone_admin.cli.session import Session
    from pinecone_admin.workflows import Progress

_T = TypeVar("_T")
_DELAY = 1.0
"""Seconds until progress is shown: what ends sooner should not flicker."""


class Wait(NamedTuple):
    """Why a command waits, and until when.

    Attributes:
        reason: Why, as the beginning of a sentence.
        until: When it goes on, by the monotonic clock.
    """

    reason: str
    until: float


@contextmanager
def show_progress(session: Session, title: str) -> Generator[Callable[[Progress], object]]:
    """Show progress until the block ends, and yield the function that a workflow calls after each step.

    Args:
        session: The session. The bar is drawn on its standard error.
        title: The work in progress, such as ``reading the organization``; the bar of an outer block stays instead.
    """
    if session.bar is not None or not session.stderr.isatty():
        yield lambda _: None
        return
    session.bar = bar = DelayedBar(session.stderr, title)
    try:
        yield bar.advance
    finally:
        bar.close()
        session.bar = None


def count_items(items: Iterable[_T], advance: Callable[[Progress], object]) -> Generator[_T]:
    """Yield items, and report how many there were so far: a list does not say how long it is."""
    from pinecone_admin.workflows import Progress  # noqa: PLC0415 - loads the models

    for number, item in enumerate(items, 1):
        advance(Progress(done=number, total=0, step=f"{number:,} so far"))
        yield item


class DelayedBar:
    """A bar that a separate thread draws after a delay, and that leaves no trace.

    Args:
        stream: The terminal.
        title: The work in progress.

    Attributes:
        title: The work in progress.
        started: Its beginning, by the monotonic clock.
        latest: Its latest step; None before the first one.
        wait: The latest wait of the command.
    """

    def __init__(self, stream: TextIO, title: str) -> None:
        self.title: str = title
        self.started: float = monotonic()
        self.latest: Progress | None = None
        self.wait: Wait = Wait("", self.started)
        self._stream = stream
        self._display: Live | None = None
        self._closed = self._paused = False
        self._lock = RLock()
        self._timer = Timer(_DELAY, self._open)
        self._timer.daemon = True
        start_thread(self._timer.start)

    def advance(self, progress: Progress) -> None:
        """Show how far it is."""
        self.latest = progress

    def show_wait(self, reason: str, seconds: float) -> None:
        """Show that the command waits, and how long it still does.

        Args:
            reason: Why, as the beginning of a sentence.
            seconds: Seconds until it goes on.
        """
        with ensure_released(self._lock), self._lock:
            self.wait = max(self.wait, Wait(reason, monotonic() + seconds), key=lambda each: each.until)

    def write_above(self, text: str) -> None:
        """Write lines to the terminal, above the bar if it is there."""
        with ensure_released(self._lock), self._lock:
            if self._display is None or self._paused or self._closed:
                self._stream.write(text)
                self._stream.flush()
            else:
                self._display.console.print(text, end="", markup=False, highlight=False, emoji=False, soft_wrap=True)

    @contextmanager
    def paused(self) -> Generator[None]:
        """Leave the terminal to something else until the block ends."""
        with ensure_released(self._lock), self._lock:
            self._paused = True
            if self._display is not None:
                self._display.stop()
        try:
            yield
        finally:
            with ensure_released(self._lock), self._lock:
                self._paused = False
                self._start()

    def close(self) -> None:
        """Remove the bar."""
        self._timer.cancel()
        with ensure_released(self._lock), self._lock:
            self._closed = True
            if self._display is not None:
                self._display.stop()

    def _open(self) -> None:
        with ensure_released(self._lock), self._lock:
            if not self._closed:
                from pinecone_admin.cli.output.progress_display import make_display  # noqa: PLC0415 - loads rich

                self._display = make_display(self._stream, self)
                self._start()

    def _start(self) -> None:
        if self._display is not None and not (self._paused or self._closed):
            start_thread(partial(self._display.start, refresh=True))

"""Progress on a terminal, of whatever takes longer than a second; elsewhere, nothing is shown."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from threading import RLock, Timer
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, TextIO, TypeVar

from pinecone_admin._concurrency.locks import ensure_released, start_thread
from pinecone_admin._text.printable import make_printable

if TYPE_CHECKING:
    from rich.progress import Progress as Display

    from pinecone_admin.cli.session import Session
    from pinecone_admin.workflows import Progress

_T = TypeVar("_T")
_DELAY = 1.0
"""Seconds until progress is shown: what ends sooner should not flicker."""
_MAX_STEP_LENGTH = 60


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
    """

    def __init__(self, stream: TextIO, title: str) -> None:
        self.title: str = title
        self._stream, self._started = stream, monotonic()
        self._latest: Progress | None = None
        self._wait = Wait("", self._started)
        self._display: Display | None = None
        self._closed = self._paused = False
        self._lock = RLock()
        self._timer = Timer(_DELAY, self._open)
        self._timer.daemon = True
        start_thread(self._timer.start)

    def advance(self, progress: Progress) -> None:
        """Show how far it is."""
        with ensure_released(self._lock), self._lock:
            self._latest = progress
            self._update()

    def show_wait(self, reason: str, seconds: float) -> None:
        """Show that the command waits, and how long it still does.

        Args:
            reason: Why, as the beginning of a sentence.
            seconds: Seconds until it goes on.
        """
        with ensure_released(self._lock), self._lock:
            self._wait = max(self._wait, Wait(reason, monotonic() + seconds), key=lambda each: each.until)
            self._update()

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
                if self._display is not None and not self._closed:
                    start_thread(self._display.start)

    def close(self) -> None:
        """Remove the bar."""
        self._timer.cancel()
        with ensure_released(self._lock), self._lock:
            self._closed = True
            if self._display is not None:
                self._display.stop()

    def _open(self) -> None:
        with ensure_released(self._lock), self._lock:
            if self._closed:
                return
            from pinecone_admin.cli.output.progress_display import make_display  # noqa: PLC0415 - loads rich

            self._display = make_display(self._stream)
            title = make_printable(self.title)
            self._display.add_task(title, total=None, step="", count="", started=self._started, wait=self._wait)
            self._update()
            if not self._paused:
                start_thread(self._display.start)

    def _update(self) -> None:
        if self._display is None:
            return
        task = self._display.task_ids[0]
        self._display.update(task, wait=self._wait)
        if self._latest is None:
            return
        done, total, step = self._latest.done, self._latest.total, self._latest.step
        self._display.update(
            task,
            completed=done,
            total=total or None,
            count=f"{done:,} of {total:,}" if total else "",
            step=make_printable(step, most=_MAX_STEP_LENGTH),
        )

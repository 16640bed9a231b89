"""The bar that shows progress. It is a separate module, because rich is loaded only when a bar appears."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Column, Table
from rich.text import Text

from pinecone_admin._text.printable import make_printable

if TYPE_CHECKING:
    from pinecone_admin.cli.output.progress import DelayedBar

_LEAST_STEPS_FOR_ESTIMATE = 5
_WIDTH_FOR_STEPS = 100
"""Smallest number of columns with room for the last step, too."""
_MAX_STEP_LENGTH = 60


def make_display(stream: TextIO, bar: DelayedBar) -> Live:
    """Return a display that takes one line of a terminal, and leaves nothing behind.

    Args:
        stream: The terminal.
        bar: The bar, which rich looks at several times a second.
    """
    console = Console(file=stream)
    spinner = Spinner("dots", style="progress.spinner")

    def render() -> Table:
        columns = [Column(), Column(), Column(), Column(), Column(no_wrap=True)]
        has_room = console.width >= _WIDTH_FOR_STEPS
        if has_room:
            columns.append(Column(no_wrap=True, ratio=1))
        line = Table.grid(*columns, padding=(0, 1), expand=has_room)
        line.add_row(*[spinner, *_render_cells(bar)][: len(columns)])
        return line

    return Live(console=console, get_renderable=render, transient=True, redirect_stdout=False, redirect_stderr=False)


def _render_cells(bar: DelayedBar) -> list[RenderableType]:
    """Return the cells of the line: the work, how far it is, its times and its last step; or only what it waits for."""
    now, latest = monotonic(), bar.latest
    done, total, step = (0, 0, "") if latest is None else (latest.done, latest.total, latest.step)
    count = f"{done:,} of {total:,}" if total else ""
    if bar.wait.until > now:
        before = f"{count}. " if count else ""
        soon = _describe_seconds(max(bar.wait.until - now, 1))
        return [Text(f"{before}{bar.wait.reason}; next try in {soon}.", style="yellow")]
    elapsed = now - bar.started
    times = describe_times(elapsed, estimate_remaining(elapsed, done, total))
    return [
        Text(make_printable(bar.title)),
        ProgressBar(total=total or None, completed=done, width=20, animation_time=now),
        Text(count),
        Text(times, style="cyan"),
        Text(make_printable(step, most=_MAX_STEP_LENGTH), style="dim"),
    ]


def estimate_remaining(elapsed: float, done: float, total: float | None) -> float | None:
    """Return about how many seconds the remaining steps take if they are like the others, or None if unknown."""
    if not total or done < _LEAST_STEPS_FOR_ESTIMATE:
        return None
    return elapsed * (total - done) / done


def describe_times(elapsed: float, remaining: float | None) -> str:
    """Return times in words, such as ``5 s, about 2 min left``."""
    left = "" if remaining is None else f", about {_describe_seconds(remaining)} left"
    return f"{_describe_seconds(elapsed)}{left}"


def _describe_seconds(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{round(whole / 60)} min"  # noqa: PLR2004 - two digits stay seconds

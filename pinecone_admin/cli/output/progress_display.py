"""The bar that shows progress; a module of its own, because rich is loaded only when a bar appears."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

_LEAST_STEPS_FOR_ESTIMATE = 2
_WIDTH_FOR_STEPS = 100
"""Columns from which there is room for the last step, too."""


def make_display(stream: TextIO) -> Progress:
    """Return a display that takes one line of a terminal, and leaves nothing behind."""
    console = Console(file=stream)
    columns: list[ProgressColumn] = [
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[count]}", markup=False),
        _TimesColumn(table_column=Column(no_wrap=True)),
    ]
    has_room = console.width >= _WIDTH_FOR_STEPS
    if has_room:
        step = TextColumn("{task.fields[step]}", markup=False, style="dim", table_column=Column(no_wrap=True, ratio=1))
        columns.append(step)
    return Progress(
        *columns, console=console, transient=True, expand=has_room, redirect_stdout=False, redirect_stderr=False
    )


class _TimesColumn(ProgressColumn):
    """How long it has taken, and about how long it still takes."""

    def render(self, task: Task) -> Text:
        elapsed = task.get_time() - task.fields["started"]
        return Text(describe_times(elapsed, estimate_remaining(elapsed, task.completed, task.total)), style="cyan")


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

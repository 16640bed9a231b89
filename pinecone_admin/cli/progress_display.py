"""The bar that shows progress; a module of its own, because rich is loaded only when a bar appears."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

_LEAST_STEPS_FOR_ESTIMATE = 2


def make_display(stream: TextIO) -> Progress:
    """Return a display on a terminal that is as wide as the terminal at most, and that leaves nothing behind."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[count]}", markup=False),
        _TimesColumn(),
        TextColumn("{task.fields[step]}", markup=False, style="dim", table_column=Column(no_wrap=True, ratio=1)),
        console=Console(file=stream),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        expand=True,
    )


class _TimesColumn(ProgressColumn):
    """How long it has taken, and about how long it still takes."""

    def render(self, task: Task) -> Text:
        elapsed = task.elapsed or 0.0
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

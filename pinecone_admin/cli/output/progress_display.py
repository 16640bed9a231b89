"""The bar that shows progress. It is a separate module, because rich is loaded only when a bar appears."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

_LEAST_STEPS_FOR_ESTIMATE = 5
_WIDTH_FOR_STEPS = 100
"""Smallest number of columns with room for the last step, too."""


def make_display(stream: TextIO) -> Progress:
    """Return a display that takes one line of a terminal, and leaves nothing behind."""
    console = Console(file=stream)
    columns: list[ProgressColumn] = [
        SpinnerColumn(),
        _TitleColumn(),
        _Absent(BarColumn(bar_width=20)),
        _Absent(TextColumn("{task.fields[count]}", markup=False)),
        _Absent(_TimesColumn(table_column=Column(no_wrap=True))),
    ]
    has_room = console.width >= _WIDTH_FOR_STEPS
    if has_room:
        step = TextColumn("{task.fields[step]}", markup=False, style="dim", table_column=Column(no_wrap=True, ratio=1))
        columns.append(_Absent(step))
    return Progress(
        *columns, console=console, transient=True, expand=has_room, redirect_stdout=False, redirect_stderr=False
    )


class _TitleColumn(ProgressColumn):
    """The work in progress, or what the command waits for."""

    def render(self, task: Task) -> Text:
        reason, seconds = task.fields["wait"].reason, find_wait(task)
        count = f"{task.fields['count']}. " if task.fields["count"] else ""
        if seconds:
            return Text(f"{count}{reason}; next try in {_describe_seconds(seconds)}.", style="yellow")
        return Text(task.description)


class _Absent(ProgressColumn):
    """A column that is empty while the command waits.

    Args:
        column: The column.
    """

    def __init__(self, column: ProgressColumn) -> None:
        super().__init__(column.get_table_column())
        self._column = column

    def render(self, task: Task) -> RenderableType:
        return Text("") if find_wait(task) else self._column(task)


def find_wait(task: Task) -> float:
    """Return how many seconds the command still waits; 0 if it does not."""
    until: float = task.fields["wait"].until
    return max(0.0, until - task.get_time())


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

"""Progress: on a terminal, of whatever takes longer than a second, and nowhere else."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import httpx
import pytest

from pinecone_admin.cli.output import progress
from pinecone_admin.cli.output.progress import DelayedBar, Wait, count_items, show_progress
from pinecone_admin.cli.output.progress_display import estimate_remaining
from pinecone_admin.cli.session import Session
from pinecone_admin.workflows import Progress
from tests.cli.command_line import example_organization, run
from tests.cli.example_runs import run_examples
from tests.cli.secret_makers import intercepted


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class _Timer:
    """A timer that fires when the test says so."""

    made: list[_Timer]
    daemon = False

    def __init__(self, _delay: float, function: Callable[[], None]) -> None:
        self.fire = function
        self.made.append(self)

    def start(self) -> None:
        """Do nothing."""

    def cancel(self) -> None:
        """Do nothing: what was cancelled too late must not show anything either."""


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> list[_Timer]:
    """Return the timers that are started."""
    _Timer.made = []
    monkeypatch.setattr(progress, "Timer", _Timer)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm-256color")
    return _Timer.made


def _session(stderr: io.StringIO) -> Session:
    return Session(stdin=io.StringIO(), stdout=io.StringIO(), stderr=stderr, env={})


def test_after_a_second_the_terminal_shows_how_far_it_is(timers: list[_Timer]) -> None:
    """The bar shows what is done, of how much, and the last step, without markup; and it is gone at the end."""
    terminal = _Terminal()
    with show_progress(_session(terminal), "reading") as advance:
        advance(Progress(done=1, total=40, step="first"))
        assert terminal.getvalue() == ""
        timers[0].fire()
        advance(Progress(done=20, total=40, step="[bold]keys of project \x1b[31m"))
    text = re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue())
    assert "reading" in text
    assert "20 of 40" in text
    assert re.search(r"\babout [0-9]+ s left", text)  # as much as it has taken, so the machine decides
    assert "[bold]keys of project \\u001b[31m" in text
    assert terminal.getvalue().endswith("\x1b[2K")


def shown(terminal: io.StringIO) -> str:
    """Return what was written to a terminal, without its codes."""
    return re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue())


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_while_the_command_waits_the_terminal_shows_for_what_and_for_how_long(
    timers: list[_Timer], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """In place of a time that is left; whole, also on a narrow terminal, and only until the wait is over."""
    monkeypatch.setenv("COLUMNS", str(columns))
    terminal = _Terminal()
    session = _session(terminal)
    with show_progress(session, "reading the organization") as advance:
        advance(Progress(done=5, total=12, step="fifth"))
        session.show_wait("The API limits requests", 24)
        timers[0].fire()
        text = shown(terminal)
        terminal.truncate(0)
        assert session.bar is not None
        session.bar.wait = Wait("", 0)  # the time has passed
        advance(Progress(done=7, total=12, step="seventh"))
    assert "5 of 12. The API limits requests; next try in 24 s." in text
    assert "left" not in text
    assert "reading" not in text
    assert "The API" not in shown(terminal)
    assert "7 of 12" in shown(terminal)


def test_a_time_is_estimated_only_after_five_steps() -> None:
    """What two steps took says little of the others."""
    assert [estimate_remaining(10.0, done, 20) for done in (1, 4)] == [None, None]
    assert estimate_remaining(10.0, 5, 20) == 30.0
    assert estimate_remaining(10.0, 5, None) is None


def test_each_wait_of_a_command_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the token endpoint, of the API and of rows, but not those below a second."""
    waits: list[tuple[str, float]] = []

    def note(_: Session, reason: str, seconds: float) -> None:
        waits.append((reason, seconds))

    monkeypatch.setattr(Session, "show_wait", note)
    Path("rows.csv").write_text("name\nsearch\n")
    rows = ("each", "rows.csv", "--", "project", "describe", "{name}")
    cases: list[tuple[tuple[str, ...], str, dict[str, Any], str]] = [
        (("project", "list"), "get_token", {"status": 429, "retry_after": 2}, "The token endpoint limits requests"),
        (("project", "list"), "list_projects", {"status": 429, "retry_after": 2}, "The API limits requests"),
        (("inventory",), "list_users", {"status": 503, "retry_after": 2}, "The API failed"),
        (rows, "list_projects", {"status": 429, "retry_after": 2}, "The API limits requests"),
    ]
    for words, operation, fault, reason in cases:
        waits.clear()
        with example_organization() as emulator:
            emulator.faults.add(operation, **fault)
            assert run(*words).exit == 0
        assert [(each, round(seconds)) for each, seconds in waits] == [(reason, 2)], words


def test_what_ends_sooner_shows_nothing(timers: list[_Timer]) -> None:
    """A command that ends before the second writes nothing to the terminal, even if the timer was about to fire."""
    terminal = _Terminal()
    with show_progress(_session(terminal), "reading") as advance:
        advance(Progress(done=1, total=2, step="first"))
    timers[0].fire()
    assert terminal.getvalue() == ""


def test_where_there_is_no_terminal_nothing_is_shown(timers: list[_Timer]) -> None:
    """Without a terminal there is not even a timer."""
    stream = io.StringIO()
    with show_progress(_session(stream), "reading") as advance:
        advance(Progress(done=1, total=2, step="first"))
    assert (stream.getvalue(), timers) == ("", [])


def test_the_items_of_a_list_are_counted() -> None:
    """A list whose length is unknown reports how many items there were."""
    seen: list[Progress] = []
    assert list(count_items("abc", seen.append)) == ["a", "b", "c"]
    assert [(each.done, each.total, each.step) for each in seen] == [
        (1, 0, "1 so far"),
        (2, 0, "2 so far"),
        (3, 0, "3 so far"),
    ]


def test_commands_that_may_take_long_show_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal, lists, reports and long workflows advance a bar; elsewhere there is none."""
    titles: list[str] = []
    advance = DelayedBar.advance

    def note(bar: DelayedBar, step: Progress) -> None:
        titles.append(bar.title)
        advance(bar, step)

    monkeypatch.setattr(DelayedBar, "advance", note)
    with example_organization():
        for words in (
            ("user", "list"),
            ("inventory",),
            ("access",),
            ("project", "delete", "--with-contents", "search", "--confirm", "search"),
        ):
            assert run(*words, terminal=True).exit == 0, words
        for words in (("user", "list"), ("inventory",)):
            before = len(titles)
            assert run(*words).exit == 0
            assert len(titles) == before
    assert list(dict.fromkeys(titles)) == ["user list", "reading the organization", "project delete"]


@pytest.mark.filterwarnings("ignore::getpass.GetPassWarning")  # no device is behind this terminal
@pytest.mark.long
def test_every_request_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal, each command that sends something says what it waits for, also if it makes a secret."""
    bars, without_bar = list[DelayedBar](), list[str]()
    make, close = DelayedBar.__init__, DelayedBar.close

    def open_bar(bar: DelayedBar, stream: TextIO, title: str) -> None:
        bars.append(bar)
        make(bar, stream, title)

    def close_bar(bar: DelayedBar) -> None:
        bars.remove(bar)
        close(bar)

    def handle(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
        is_of_command = "source_tag=cli" in request.headers.get("User-Agent", "")  # and not of the preparation
        without_bar.extend([f"{request.method} {request.url.path}"] if is_of_command and not bars else [])
        return answer()

    monkeypatch.setattr(DelayedBar, "__init__", open_bar)
    monkeypatch.setattr(DelayedBar, "close", close_bar)
    with intercepted(handle):
        done = run_examples(terminal=True)
    assert [(each.spec.full_name, each.done) for each in done if each.done.exit] == []
    assert {each.spec.full_name for each in done if each.requests} > {"api-key create", "project provision", "doctor"}
    # On a terminal, the lines of ``each`` show how far it is.
    of_rows = [f"{sent.method} {sent.path}" for each in done if each.spec.full_name == "each" for sent in each.requests]
    assert (without_bar, bars) == (of_rows, [])


def test_a_bar_leaves_the_terminal_to_others(timers: list[_Timer]) -> None:
    """While the store of a secret runs, nothing is drawn; a line for people stands above the bar."""
    terminal = _Terminal()
    session = _session(terminal)
    with show_progress(session, "outer") as advance, show_progress(session, "inner"):
        with session.pause_progress():
            timers[0].fire()
            session.notify("paused")
            assert terminal.getvalue() == "paused\n"
        advance(Progress(done=1, total=2, step="x"))
        session.notify("[bold]line\x1b")
        with session.pause_progress():
            size = len(terminal.getvalue())
            session.notify("paused")
            assert terminal.getvalue()[size:] == "paused\n"
    session.notify("after")
    text = re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue())
    assert "[bold]line\\u001b\n" in text
    assert "outer" in text
    assert "inner" not in text
    assert len(timers) == 1
    assert terminal.getvalue().endswith("after\n")

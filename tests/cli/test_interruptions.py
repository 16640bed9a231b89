"""An interrupted command that has not ended says why it goes on, and what a second signal does."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import httpx
import pytest

from pinecone_admin.auth.private_files import replace_private_file
from pinecone_admin.cli import interruption
from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.cli.main import run as run_process
from pinecone_admin.cli.session import Session
from tests.cli.command_line import Run, example_organization, run
from tests.cli.secret_makers import intercepted, live_secrets, words_of
from tests.support.concurrency import wait_until

CREATE = ("project", "create", "docs", "--yes")


@pytest.fixture
def notices(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the lines for people, which the commands write to stderr, too."""
    lines: list[str] = []
    notify = Session.notify

    def note(session: Session, text: str) -> None:
        notify(session, text)
        lines.append(text)

    monkeypatch.setattr(Session, "notify", note)
    return lines


def wait_for_lines(lines: list[str], number: int) -> None:
    """Wait until so many lines are written."""
    wait_until(lambda: len(lines) >= number)


def interrupt_change(notices: list[str], *words: str, signals: int, notice_after: float) -> Run:
    """Run a command; while its first change waits for a response, send signals, and wait for a line about each."""

    def interrupt(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        if request.method != "GET" and not notices:
            for number in range(1, signals + 1):
                os.kill(os.getpid(), signal.SIGINT)
                wait_for_lines(notices, number)
        return handle()

    with intercepted(interrupt):
        return run(*words, notice_after=notice_after)


def test_a_command_that_cleans_up_says_so_and_what_a_second_signal_does(notices: list[str]) -> None:
    """After a while, one line says that the command cleans up; one more answers the second signal."""
    with example_organization() as emulator:
        done = interrupt_change(notices, *CREATE, signals=2, notice_after=0.0)
        assert any(each.name == "docs" for each in emulator.state.projects.values())
    assert done.exit == 130
    *notices, last = done.stderr.splitlines()
    assert re.fullmatch(r"error: Interrupted. Project docs \([\w-]+\) was created\.", last)
    assert notices == [
        "interrupted: cleaning up, to leave nothing half done; a second Ctrl-C does not stop this",
        "interrupted again: the command still finishes what it has to, and then ends by itself",
    ]


def test_an_interrupted_command_is_not_safe_to_repeat_if_it_may_have_made_something(notices: list[str]) -> None:
    """If the response to a create is lost besides, a repeat may make it twice, and the line promises nothing."""

    def interrupt(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        if request.method == "GET":
            return handle()
        os.kill(os.getpid(), signal.SIGINT)
        wait_for_lines(notices, 1)
        raise httpx.ReadError("reset")

    with example_organization(), intercepted(interrupt):
        done = run("project", "ensure", "docs", "--yes", "--output", "json", notice_after=0.0)
    assert (done.exit, done.error["outcome"], done.error["safe_to_retry"]) == (130, "unknown", False)
    assert done.error["message"].endswith("Project docs may have been created.")


def test_a_key_that_is_not_stored_is_deleted_while_the_lines_are_written(notices: list[str]) -> None:
    """What was made is undone, whatever the second signal, and the last line says so."""
    with example_organization() as emulator:
        before = live_secrets(emulator)
        done = interrupt_change(notices, *words_of("api-key create", "--reveal"), signals=2, notice_after=0.0)
        assert live_secrets(emulator) == before
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [
        "interrupted",
        "interrupted again",
        "error",
    ]
    assert "was deleted" in done.stderr.splitlines()[-1]


def test_a_command_that_ends_at_once_writes_only_its_last_line() -> None:
    """Where the response comes soon, nothing is said about waiting for it."""

    def interrupt(_: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        os.kill(os.getpid(), signal.SIGINT)
        return handle()

    with example_organization(), intercepted(interrupt):
        done = run("project", "list")
    assert (done.exit, done.stderr) == (130, "error: Interrupted. Nothing was changed.\n")


def test_the_line_says_what_the_command_waits_for(
    tmp_path: Path, notices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that runs can be killed, and is; a command that holds a secret goes on to its end."""
    registered, second_kills = threading.Event(), Interruptions.second_kills

    @contextmanager
    def register(interruptions: Interruptions, process: subprocess.Popen[bytes]) -> Generator[None, None, None]:
        with second_kills(interruptions, process):
            registered.set()
            yield

    monkeypatch.setattr(Interruptions, "second_kills", register)
    ready, script = tmp_path / "ready", tmp_path / "store.sh"
    script.write_text(f"#!/bin/sh\ntrap '' INT TERM\ntouch {ready}\nexec sleep 60\n")
    script.chmod(0o700)

    def interrupt() -> None:
        wait_until(lambda: registered.is_set() and ready.exists())
        for number in (1, 2):
            os.kill(os.getpid(), signal.SIGTERM)
            wait_for_lines(notices, number)

    with example_organization() as emulator:
        before = live_secrets(emulator)
        thread = threading.Thread(target=interrupt)
        thread.start()
        done = run(*words_of("api-key create", "--store", f"exec:{script}"), notice_after=0.0)
        thread.join()
        assert live_secrets(emulator) == before
    first, second, error = done.stderr.splitlines()
    assert (
        first == "interrupted: waiting up to 5 s for the command that stores the secret; "
        "after that, or at a second Ctrl-C, it is killed, and the secret counts as not stored"
    )
    assert second == "interrupted again: killed the command that stores the secret, which counts as not stored"
    assert done.exit == 130
    assert "signal 9" in error
    assert "was deleted" in error


def test_a_held_command_says_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a secret could be lost, the first signal is only recorded, and the line says why."""
    monkeypatch.setattr(interruption, "_DELAY", 0.0)
    lines: list[str] = []
    with Interruptions(lines.append) as interruptions:
        interruptions.hold()
        for number in (1, 2):
            signal.raise_signal(signal.SIGTERM)
            wait_for_lines(lines, number)
        signal.raise_signal(signal.SIGINT)
    assert lines == [
        "interrupted: finishing what was begun, so that no secret is lost; a second Ctrl-C does not stop this",
        "interrupted again: the command still finishes what it has to, and then ends by itself",
    ]


def test_nothing_is_said_once_the_command_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line of a command stays the last one; a system without threads does not change how it ends."""
    lines: list[str] = []
    with Interruptions(lines.append) as interruptions:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        interruptions.end_notices()

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with Interruptions(lines.append), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert lines == []


def test_a_signal_after_the_work_finds_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that comes when the result is written does not say that nothing was changed."""

    def interrupt(_: Interruptions) -> None:
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(Interruptions, "hold", interrupt)
    with example_organization():
        done = run(*CREATE)
    assert (done.exit, done.json["name"]) == (130, "docs")
    assert re.fullmatch(
        r"error: Interrupted. Project docs \([\w-]+\) was created\. Only the result could not be shown\. .*\n",
        done.stderr,
    )


@pytest.mark.parametrize(
    "words", [["profile", "remove", "production"], ["profile", "update", "production", "--client-id", "x"]]
)
def test_a_signal_after_a_file_was_changed_does_not_say_that_nothing_was(words: list[str]) -> None:
    """The change of a local file and the entry for it in the ledger are one to a signal."""

    def replace(path: Path, content: bytes) -> None:
        replace_private_file(path, content)
        signal.raise_signal(signal.SIGTERM)

    with example_organization(), mock.patch("pinecone_admin.cli.profiles.files.replace_private_file", replace):
        done = run(*words)
    assert (done.exit, done.stderr) == (130, "error: Interrupted. The command was completed.\n")


def test_a_signal_before_or_after_the_command_claims_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While modules are loaded, or once the command has ended, the line says only that it was interrupted."""

    def interrupt(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("pinecone_admin.cli.main.main", interrupt)
    monkeypatch.setattr("pinecone_admin.cli.main._UNUSED", ())  # trio is for other tests
    monkeypatch.setattr("sys.argv", ["pinecone-admin", "project", "list"])
    with pytest.raises(SystemExit) as ended:
        run_process()
    assert (ended.value.code, capsys.readouterr().err) == (130, "error: Interrupted.\n")

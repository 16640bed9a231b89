"""An interrupted command that has not ended says why it goes on, and what a second signal does."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

import httpx
import pytest

from pinecone_admin.auth.private_files import replace_private_file
from pinecone_admin.cli import interruption
from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.cli.ledger import Ledger
from pinecone_admin.cli.main import run as run_process
from pinecone_admin.cli.secrets import store_command
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

    def note(session: Session, text: str, **how: Any) -> None:
        notify(session, text, **how)
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


LEAVING = "Interrupted again. The request that was sent is completed, and what else was made is left."
STORING = "The new secret is still being stored, so that it is not lost. This takes up to 5 s."


def test_a_command_that_waits_for_a_response_says_so(notices: list[str]) -> None:
    """After a while, one line says which response it waits for; one more answers the second signal."""
    with example_organization() as emulator:
        done = interrupt_change(notices, *CREATE, signals=2, notice_after=0.0)
        assert any(each.name == "docs" for each in emulator.state.projects.values())
    assert done.exit == 130
    *notices, last = done.stderr.splitlines()
    assert re.fullmatch(r"error: Interrupted. Project docs \([\w-]+\) was created\.", last)
    waiting = "Interrupted. Waiting for the response that shows whether project docs was created."
    assert notices == [waiting, LEAVING]


def test_all_changes_in_flight_are_waited_for(notices: list[str]) -> None:
    """An interrupted apply knows what became of each of several requests, and the line counts them."""
    emails = [f"{name}@example.com" for name in ("eve", "kim", "lee")]
    sent: list[httpx.Request] = []

    def interrupt(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        if request.method != "GET":
            sent.append(request)
            if len(sent) == len(emails):
                os.kill(os.getpid(), signal.SIGINT)
            wait_for_lines(notices, 1)
        return handle()

    with example_organization() as emulator, intercepted(interrupt):
        people = "".join(f"- {{email: {each}, roles: [OrgMember]}}\n" for each in emails)
        Path("more.yaml").write_text(f"organization: {emulator.state.organization.id}\npeople:\n{people}")
        with mock.patch("pinecone_admin._concurrency.parallel._INTERRUPT_TIMEOUT", 0.0):  # for what only reads
            done = run("apply", "more.yaml", "--yes", "--output", "table", notice_after=0.0)
    assert "Waiting for the responses to 3 changes, which show whether they were made." in notices[0]
    assert [line.partition(" (")[0] for line in done.stdout.splitlines()] == [f"invited {each}" for each in emails]
    assert "may have been" not in done.stderr


def test_an_interrupted_command_is_not_safe_to_repeat_if_it_may_have_made_something(notices: list[str]) -> None:
    """If the response to a create is lost, too, another run may create it twice, and the line promises nothing."""

    def interrupt(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        if request.method == "GET":
            return handle()
        os.kill(os.getpid(), signal.SIGINT)
        wait_for_lines(notices, 1)
        raise httpx.ReadError("reset")

    with example_organization(), intercepted(interrupt):
        done = run("project", "ensure", "docs", "--yes", "--output", "json", notice_after=0.0)
    assert (done.exit, done.error["outcome"], done.error["worth_retrying"]) == (130, "unknown", False)
    assert done.error["message"].endswith("Project docs may have been created.")


def test_what_is_undone_is_named_before_it_is_deleted(notices: list[str]) -> None:
    """The line names what is deleted, also if that takes no second; the last one says that nothing remains."""
    with example_organization() as emulator:
        before = live_secrets(emulator)
        done = interrupt_change(notices, *words_of("api-key create", "--reveal"), signals=1, notice_after=0.0)
        assert live_secrets(emulator) == before
    assert done.stderr.splitlines() == [
        "Interrupted. Waiting for the response that shows whether API key writer was created.",
        "Deleting API key writer, which was just made. Ctrl-C again leaves it.",
        "error: Interrupted. What had been done was taken back.",
    ]
    with example_organization():
        quick = interrupt_change([], *words_of("api-key create", "--reveal"), signals=0, notice_after=3600.0)
        assert quick.exit == 0


def test_a_second_signal_leaves_what_was_made_and_the_last_line_names_it(notices: list[str]) -> None:
    """No further change is sent, and the exit code is 130."""
    with example_organization() as emulator:
        before = live_secrets(emulator)
        done = interrupt_change(notices, *words_of("api-key create", "--reveal"), signals=2, notice_after=0.0)
        assert len(live_secrets(emulator) - before) == 1
    *_, again, last = done.stderr.splitlines()
    assert (done.exit, again) == (130, LEAVING)
    assert re.fullmatch(r"error: Interrupted\. API key writer \([\w-]+\) was created\.", last)


def test_a_signal_that_is_delivered_twice_counts_once(notices: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A second one counts only from one second after the first line on."""
    handled: list[int] = []
    handle_signal = Interruptions.handle_signal

    def note(interruptions: Interruptions, number: int, frame: FrameType | None) -> None:
        try:
            handle_signal(interruptions, number, frame)
        finally:
            handled.append(number)

    def interrupt(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        if request.method == "POST" and not notices:
            os.kill(os.getpid(), signal.SIGINT)
            wait_for_lines(notices, 1)
            with mock.patch.object(interruption, "_DELAY", 3600.0):
                os.kill(os.getpid(), signal.SIGINT)
                wait_until(lambda: len(handled) == 2)
        return handle()

    monkeypatch.setattr(Interruptions, "handle_signal", note)
    with example_organization() as emulator, intercepted(interrupt):
        before = live_secrets(emulator)
        done = run(*words_of("api-key create", "--reveal"), notice_after=0.0)
        assert live_secrets(emulator) == before
    assert done.stderr.splitlines()[-1] == "error: Interrupted. What had been done was taken back."


def test_a_command_that_ends_at_once_writes_only_its_last_line() -> None:
    """Where the response comes soon, nothing is said about waiting for it."""

    def interrupt(_: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        os.kill(os.getpid(), signal.SIGINT)
        return handle()

    with example_organization(), intercepted(interrupt):
        done = run("project", "list")
    assert (done.exit, done.stderr) == (130, "error: Interrupted. Nothing was changed.\n")


def test_a_secret_that_is_being_stored_is_finished(
    tmp_path: Path, notices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second signal does not kill the command that stores it; after some seconds, the key is left and named."""
    monkeypatch.setattr(store_command, "_INTERVAL", 0.05)
    monkeypatch.setattr(interruption, "GRACE", 0.1)
    ready, script = tmp_path / "ready", tmp_path / "store.sh"
    script.write_text(f"#!/bin/sh\ntrap '' INT TERM\ntouch {ready}\nexec sleep 60\n")
    script.chmod(0o700)

    def interrupt() -> None:
        wait_until(ready.exists)
        for number in (1, 2):
            os.kill(os.getpid(), signal.SIGTERM)
            wait_for_lines(notices, number)

    with example_organization() as emulator:
        before = live_secrets(emulator)
        thread = threading.Thread(target=interrupt)
        thread.start()
        done = run(*words_of("api-key create", "--store", f"exec:{script}"), notice_after=0.0)
        thread.join()
        assert len(live_secrets(emulator) - before) == 1
    first, second, error = done.stderr.splitlines()
    assert (first, second) == (f"Interrupted. {STORING}", f"Interrupted again. {STORING}")
    assert done.exit == 130
    assert "signal 9" in error
    assert re.search(r"API key writer \([\w-]+\) was created\.", error)


def test_a_secret_that_could_not_be_stored_is_not_being_stored(notices: list[str]) -> None:
    """The next request has another purpose: it deletes the key."""
    deletions: list[str] = []

    def refuse(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        if request.method == "DELETE":
            deletions.append(request.url.path)
            if not notices:
                os.kill(os.getpid(), signal.SIGINT)
                wait_for_lines(notices, 1)
            return httpx.Response(403, json={"status": 403, "error": {"code": "FORBIDDEN", "message": "no"}})
        return handle()

    with example_organization(), intercepted(refuse):
        done = run(*words_of("api-key create", "--store", "exec:false"), notice_after=0.0)
    assert (done.exit, bool(deletions)) == (130, True), done
    assert notices == ["Interrupted. Deleting API key writer, which was just made. Ctrl-C again leaves it."]


def test_a_held_command_says_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a secret could be lost, the first signal is only recorded, and the line says why."""
    monkeypatch.setattr(interruption, "_DELAY", 0.0)
    lines: list[str] = []
    with Interruptions(lines.append, Ledger()) as interruptions:
        interruptions.hold()
        for number in (1, 2):
            signal.raise_signal(signal.SIGTERM)
            wait_for_lines(lines, number)
        signal.raise_signal(signal.SIGINT)
    assert lines == ["Interrupted. Finishing what was begun.", LEAVING]


def test_nothing_is_said_once_the_command_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line of a command stays the last one; a system without threads does not change how it ends."""
    lines: list[str] = []
    with Interruptions(lines.append, Ledger()) as interruptions:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        interruptions.end_notices()

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with Interruptions(lines.append, Ledger()), pytest.raises(KeyboardInterrupt):
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

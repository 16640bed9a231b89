"""For every fault at every request, the exit code and the last line of a command fit the result."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, chdir, contextmanager, nullcontext
from errno import ENOSPC, EPIPE
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

import httpx
import pytest
from attrs import frozen

from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.emulator import Emulator
from tests.cli.command_line import COMMANDS, Run, _Stream, example_organization, limit_file_size, retire_key, run
from tests.cli.secret_makers import MAKERS, intercepted, live_secrets, read_files, words_of
from tests.support.concurrency import PATIENCE

STEP, LONG_STEP = 29, 9
"""One of so many cases runs every day and with --all; neither has a factor in common with the number of endings."""

LINES = [
    *(spec.example for spec in COMMANDS if spec.effect != "reads" and not spec.takes_session and not spec.makes),
    *(shlex.join(["pinecone-admin", *words_of(name, "--store", f"file:{name}.key")]) for name in MAKERS),
    *(shlex.join(["pinecone-admin", *words_of(name, "--store", "exec:false")]) for name in MAKERS),
    "pinecone-admin api-key ensure k --project empty --store env-file:keys.env#KEY --yes",
    "pinecone-admin project ensure search --max-pods 2 --if-different update --yes",
    "pinecone-admin project delete search --with-contents --confirm search",
    "pinecone-admin project delete search --with-contents --dry-run --yes",
    "pinecone-admin project stale --match empty --older-than 1s --out other.json --yes",
    "pinecone-admin apply plan.json --confirm 99",
    "pinecone-admin user offboard ada@example.com --yes --out report.json",
    "pinecone-admin user offboard bob@example.com --yes",
    "pinecone-admin apply people.json --confirm 99",
    "pinecone-admin role revoke user:ada@example.com:search:ProjectViewer --yes",
    'pinecone-admin send POST /admin/projects --body \'{"name": "x"}\' --yes',
]


def refuse(_: Callable[[], httpx.Response]) -> httpx.Response:
    """Refuse a request as the API does."""
    return httpx.Response(403, json={"error": {"code": "FORBIDDEN", "message": "no"}, "status": 403})


def fail_before(_: Callable[[], httpx.Response]) -> httpx.Response:
    """Fail before anything is done."""
    return httpx.Response(503)


def lose_response(handle: Callable[[], httpx.Response]) -> httpx.Response:
    """Do it, and lose the response."""
    handle()
    raise httpx.ReadError("reset")


def damage_response(handle: Callable[[], httpx.Response]) -> httpx.Response:
    """Do it, and respond with a page."""
    response = handle()
    return httpx.Response(response.status_code, text="<html>")


@frozen(kw_only=True)
class Ending:
    """A fault of a command."""

    fail: Callable[[Callable[[], httpx.Response]], httpx.Response] | None = None
    lasts: bool = False
    interrupts: str = ""


ENDINGS = {
    "refused": Ending(fail=refuse),
    "failed": Ending(fail=fail_before),
    "lost": Ending(fail=lose_response),
    "damaged": Ending(fail=damage_response),
    "down from then on": Ending(fail=fail_before, lasts=True),
    "lost from then on": Ending(fail=lose_response, lasts=True),
    "interrupted before": Ending(interrupts="before"),
    "interrupted after": Ending(interrupts="after"),
}


class FaultAt:
    """Something that goes wrong at one request of a command; also at its repeats.

    Args:
        number: Number of the request, from 1; 0 for none.
        ending: The fault.

    Attributes:
        count: How many requests there were.
        happened: Whether there was such a request.
    """

    def __init__(self, number: int, ending: Ending) -> None:
        self._number, self._ending = number, ending
        self._lock = threading.Lock()
        self.count = 0
        self._failing: tuple[str, str] | None = None
        self.happened = False

    @contextmanager
    def armed(self) -> Generator[None, None, None]:
        """Inject the fault into the command that runs within the block."""
        with signals_noted() as self._handled, intercepted(self._handle):
            yield

    def _handle(self, request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        place = request.method, str(request.url)
        with self._lock:
            self.count += 1
            if self.count == self._number:
                self._failing, self.happened = place, True
            fails = self.happened and (self._ending.lasts or place == self._failing)
        if not fails:
            return handle()
        if self._ending.fail is not None:
            return self._ending.fail(handle)
        if self._ending.interrupts == "before":
            interrupt(self._handled)
            return handle()
        response = handle()
        interrupt(self._handled)
        return response


@contextmanager
def signals_noted() -> Generator[threading.Event, None, None]:
    """Return an event that is set when the command has handled a signal."""
    handled = threading.Event()
    handle_signal = Interruptions.handle_signal

    def note(interruptions: Interruptions, number: int, frame: FrameType | None) -> None:
        handled.set()
        handle_signal(interruptions, number, frame)

    with mock.patch.object(Interruptions, "handle_signal", note):
        yield handled


def interrupt(handled: threading.Event) -> None:
    """Send a signal to this process, once, and wait until it is handled."""
    if not handled.is_set():
        os.kill(os.getpid(), signal.SIGTERM)
        assert handled.wait(PATIENCE)


@contextmanager
def failing_output(error: OSError | None) -> Generator[None, None, None]:
    """Let stdout fail when it is written to; None: a signal comes then."""
    original = _Stream.write
    with signals_noted() as handled:

        def write(self: _Stream, text: str) -> int:
            if self is sys.stdout and error is not None:
                raise error
            if self is sys.stdout:
                interrupt(handled)
            return original(self, text)

        with mock.patch.object(_Stream, "write", write):
            yield


def read_state(emulator: Emulator) -> dict[str, Any]:
    """Return everything in the organization."""
    state: Any = emulator.dump()
    return {name: value for name, value in state.items() if name not in {"tokens", "time"}}


@frozen(kw_only=True)
class Case:
    """A command that went wrong."""

    name: str
    done: Run
    before: dict[str, Any]
    after: dict[str, Any]
    new_secrets: set[str]
    stored: set[str]

    def check(self) -> None:
        """Check that its exit code and its line claim nothing but what has happened, and hide nothing of it."""
        done, has_changed = self.done, self.before != self.after
        if done.exit == 0 or '"exit"' not in done.stderr:  # it went on where it could, and says what is left
            # A report whose parts all failed of one cause, with nothing done, has the code of the cause. One with a
            # lost response has 6, or 7 if the change can be repeated.
            is_said = re.search(r'may have been processed|"may_be_deleted": true', done.stdout) is not None
            is_open = not has_changed or (done.exit == 7 and is_said)
            assert done.exit in {0, 6, 8, 9, 10} or (done.exit in {1, 3, 4, 7} and is_open), self
            return
        error = done.error
        line = error["message"]
        outcome = error["outcome"]
        assert done.exit == error["exit"], self
        if "nothing was" in line.lower() or outcome in {"not_sent", "rejected", "undone"}:
            assert not has_changed, self
            assert done.exit not in {6, 9}, self
        if has_changed:
            assert done.exit in {6, 7, 9, 130}, self
            assert done.exit != 7 or outcome == "unknown", self
            participle = "(changed|created|deleted|replaced|rotated|sent|carried out)"
            left = "could not be deleted|may not have been deleted|is stored|is on stdout"
            assert re.search(rf" (was|were) {participle}| may have been |was completed|{left}", line), self
        if outcome == "done":
            assert has_changed or "may have been" in line, self
        assert error["worth_retrying"] == (done.exit == 7), self
        self._check_names(line)
        self._check_secrets(line)

    def _check_names(self, line: str) -> None:
        existing = str(self.after)
        for clause, verb, participle in re.findall(r"([^.]*) (was|were) (created|deleted)\.", line):
            ids = re.findall(r"role binding ([\da-f-]{36})", clause) or re.findall(r"[\da-f-]{36}", clause)
            # After the id of a resource, a clause names its project.
            for id in ids[:1] if verb == "was" else ids:
                assert (id in existing) == (participle == "created") or "may have been" in line, self

    def _check_secrets(self, line: str) -> None:
        has_arrived = any(secret in self.stored or secret in self.done.stdout for secret in self.new_secrets)
        # Without a secret, a run that removes something is completed if its last change was made.
        words = r" is stored| was written to stdout" + ("| was completed" if self.new_secrets else "")
        assert bool(re.search(words, line)) == has_arrived, self


def run_case(
    emulator: Emulator, initial: Any, line: str, what: str, going_wrong: AbstractContextManager[object]
) -> Case:
    """Run a command that goes wrong in some way, and return what came of it."""
    emulator.load(initial)
    before, secrets = read_state(emulator), live_secrets(emulator)
    for path in Path().glob("*.key"):
        path.unlink()
    for name in ("keys.env", "report.json", "other.json"):  # a report or a plan is never replaced
        Path(name).unlink(missing_ok=True)
    shutil.rmtree("state", ignore_errors=True)
    with going_wrong:
        done = run(*shlex.split(line)[1:], "--output", "json")
    made = live_secrets(emulator) - secrets
    stored = {secret for secret in made for path, text in read_files(Path()).items() if secret in text}
    stored -= {secret for secret in stored for path, text in read_files(Path("state")).items() if secret in text}
    return Case(
        name=f"{line} # {what}", done=done, before=before, after=read_state(emulator), new_secrets=made, stored=stored
    )


@contextmanager
def prepared(folder: Path) -> Generator[tuple[Emulator, Any], None, None]:
    """Prepare an organization, plans, and a folder for secrets; also return the initial state of each case."""
    with chdir(folder), example_organization() as emulator:
        Path("people.csv").write_text("email\nada@example.com\nbob@example.com\n")
        retire_key(emulator)
        emulator.clock.advance(60)
        run("project", "stale", "--match", "empty", "--older-than", "1s", "--out", "plan.json", "--yes")
        run("user", "offboard", "--people", "people.csv", "--out", "people.json")
        yield emulator, emulator.dump()


def list_cases(emulator: Emulator, line: str, initial: Any, offset: int, step: int) -> Iterator[Case]:
    """Yield every so many of the cases of a command."""
    nothing = FaultAt(0, Ending())
    run_case(emulator, initial, line, "", nothing.armed())
    for position, ending in enumerate(ENDINGS):
        for number in range(1, nothing.count + 1):
            if (number + position + offset) % step:
                continue
            fault = FaultAt(number, ENDINGS[ending])
            case = run_case(emulator, initial, line, f"{ending} at request {number}", fault.armed())
            assert fault.happened, case
            yield case


def check_cases(folder: Path, step: int) -> int:
    """Check every so many cases of every command, and return how many there were."""
    count = 0
    with prepared(folder) as (emulator, initial):
        for offset, line in enumerate(LINES):
            for case in list_cases(emulator, line, initial, offset, step):
                case.check()
                count += 1
    return count


def test_no_ending_after_the_work_claims_what_has_not_happened(tmp_path: Path, stride: Callable[[int], int]) -> None:
    """A result that cannot be written, a query that does not fit, a late signal: the change was made all the same."""
    full, closed = OSError(ENOSPC, "No space left on device"), BrokenPipeError(EPIPE, "Broken pipe")
    lines = [*LINES, *(shlex.join(["pinecone-admin", *words_of(name, "--reveal")]) for name in MAKERS)]
    endings: list[tuple[str, str, Callable[[], AbstractContextManager[object]]]] = [
        ("full", "", lambda: failing_output(full)),
        ("closed", "", lambda: failing_output(closed)),
        ("interrupted", "", lambda: failing_output(None)),
        ("query", """ --query "abs('x')\"""", nullcontext),
    ]
    with prepared(tmp_path) as (emulator, initial):
        # With a step of 3, each command meets one or two of the four endings.
        for line, (what, options, goes_wrong) in itertools.islice(
            itertools.product(lines, endings), 0, None, stride(3)
        ):
            run_case(emulator, initial, line + options, what, goes_wrong()).check()


def test_no_report_of_an_offboarding_is_lost(tmp_path: Path, stride: Callable[[int], int]) -> None:
    """Once a person is removed, stdout or a file says so, with the key that may be known, whatever goes wrong."""
    broken = (BrokenPipeError(EPIPE, "Broken pipe"), OSError(ENOSPC, "No space left on device"))
    removed = 0
    with prepared(tmp_path) as (emulator, initial):
        (key_id,) = (each.id for each in emulator.state.api_keys.values() if each.name == "reader")
        for line, evidence in (
            ("pinecone-admin user offboard ada@example.com", key_id),
            ("pinecone-admin apply people.json", "ada@example.com"),  # the plan has the key
        ):
            cases: list[tuple[str, AbstractContextManager[object]]] = [
                (" --out /dev/full", nullcontext()),
                (" --out report.json", limit_file_size(0)),
                (""" --query "abs('x')\"""", nullcontext()),
                *(("", failing_output(error)) for error in (*broken, None)),
                *(
                    ("", FaultAt(number, ENDINGS[name]).armed())
                    for name in ("lost", "damaged", "lost from then on", "interrupted after")
                    for number in range(1, 25, stride(5))
                ),
            ]
            for options, going_wrong in cases:
                case = run_case(emulator, initial, f"{line} --yes{options}", "", going_wrong)
                case.check()
                if "ada@example.com" not in [each["email"] for each in case.after["users"]]:
                    removed += 1
                    files = [text for path, text in read_files(Path()).items() if not path.name.startswith("people")]
                    assert any(evidence in text for text in (case.done.stdout, *files)), case
    assert removed > 10


def test_a_stdout_that_is_closed_changes_no_exit_code(tmp_path: Path) -> None:
    """Without the output, the exit code still shows whether a command found something or left something."""
    codes: set[int] = set()
    with prepared(tmp_path) as (emulator, _):
        run("inventory", "--out", "before.json")
        with emulator.admin() as admin:
            admin.projects.update(project_id=admin.projects.describe_by_name(name="empty").id, name="changed")
        Path("nobody.csv").write_text("email\nnobody@example.com\n")
        run("user", "offboard", "--people", "nobody.csv", "--out", "nobody.json")
        initial = emulator.dump()
        lines = [
            *(each.example for each in COMMANDS if not each.makes and "emulator" not in each.path),
            "pinecone-admin access --fail-on any",
            "pinecone-admin diff before.json --fail-on-change",
            "pinecone-admin apply plan.json --confirm 99",
            "pinecone-admin project ensure search --max-pods 1 --if-different fail --yes",
            "pinecone-admin project exists nothing",
            "pinecone-admin user offboard --people nobody.csv --dry-run",
            "pinecone-admin apply nobody.json --confirm 99",
            "pinecone-admin doctor",
        ]
        for line, output in zip(lines, itertools.cycle(("json", "csv", "table"))):
            words = [*shlex.split(line)[1:], "--output", output]
            env = {"PINECONE_CLIENT_SECRET": "wrong"} if line.endswith("doctor") else {}
            ends: list[int] = []
            for closed in (nullcontext(), failing_output(BrokenPipeError(EPIPE, "Broken pipe"))):
                emulator.load(initial)
                profiles = read_files(Path(os.environ["HOME"]))
                with closed:
                    ends.append(run(*words, env=env).exit)
                for path, text in profiles.items():
                    path.write_text(text)
            assert ends[0] == ends[1], line
            codes.add(ends[0])
    assert codes >= {0, 1, 4, 8, 9}


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rescue files come to the folder of the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.mark.long
def test_no_ending_claims_what_has_not_happened(tmp_path: Path) -> None:
    """Each command meets a few of the faults at a few of its requests."""
    assert check_cases(tmp_path, STEP) > len(LINES)


@pytest.mark.long
def test_no_ending_claims_what_has_not_happened_in_more_cases(tmp_path: Path, stride: Callable[[int], int]) -> None:
    """As above, with each command at more of its requests."""
    step = stride(LONG_STEP)
    assert check_cases(tmp_path, step) * step > STEP * len(LINES)


def test_a_full_disk_for_a_secret_ends_as_for_any_file(tmp_path: Path) -> None:
    """Before anything is sent, the place and the rescue file are tried; the same command may succeed later."""
    lines = (
        f"api-key create k --project search --store file:{tmp_path}/k --yes",
        f"api-key rotate reader --project search --keep-old-for 0 --store env-file:{tmp_path}/env#K --yes",
        f"service-account rotate ci --store file:{tmp_path}/ci --yes",
        "service-account rotate ci --store exec:true --yes",
    )
    with example_organization() as emulator:
        for line in lines:
            emulator.requests.clear()
            with limit_file_size(0):
                done = run(*line.split(), "-o", "json")
            assert (done.exit, done.error["code"], done.error["outcome"]) == (7, "exit-7", "not_sent"), (line, done)
            assert "File too large" in done.error["message"]
            assert {each.method for each in emulator.requests if each.operation_id != "get_token"} <= {"GET"}, line

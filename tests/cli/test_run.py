"""The command ``run``: what its command gets, how both end, and that the key is gone whatever ended them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from pinecone_admin.cli.calls import running
from pinecone_admin.emulator import Emulator, Request, serving
from tests.cli.command_line import example_organization, fill, run
from tests.cli.terminals import read_piece, start_on_terminal
from tests.support.concurrency import PATIENCE, wait_until

PROGRAM = [sys.executable, "-m", "pinecone_admin.cli"]
RUN = ["run", "--project", "search", "--role", "DataPlaneViewer"]
SLEEP = "import sys, time; print('ready', flush=True); time.sleep(600)"
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1)
# A shell lets what it runs in the background ignore some signals, and so would ours.
HEED_SIGNALS = f"""
import os, signal, sys
for number in {[*map(int, SIGNALS)]}:
    signal.signal(number, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


@frozen
class Served:
    """The organization of the examples, with one key, which is served.

    Attributes:
        emulator: The organization.
        env: The environment of its owner.
    """

    emulator: Emulator
    env: dict[str, str]

    def start(self, *command: str, options: Sequence[str] = ("--yes",)) -> subprocess.Popen[str]:
        """Start run with a command, in a session without a terminal."""
        words = [sys.executable, "-I", "-S", "-c", HEED_SIGNALS, *PROGRAM, *RUN, *options, "--", *command]
        pipe = subprocess.PIPE
        return subprocess.Popen(words, env=self.env, stdout=pipe, stderr=pipe, text=True, start_new_session=True)

    def start_waiting(self, code: str = SLEEP) -> subprocess.Popen[str]:
        """Start run with a program in Python, and wait until that has written that it is ready."""
        process = self.start(sys.executable, "-c", code)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    def run(self, *command: str, options: Sequence[str] = ("--yes",)) -> tuple[int, str, str]:
        """Run run with a command, and return its exit code and what both have written."""
        return end(self.start(*command, options=options))

    def keys(self) -> list[str]:
        """Return the names of all keys."""
        return [key.name for key in self.emulator.state.api_keys.values()]


@pytest.fixture
def served() -> Generator[Served, None, None]:
    """Serve the organization of the examples."""
    emulator = Emulator(seed=0)
    fill(emulator)
    with serving(emulator):
        env = {
            "HOME": os.environ["HOME"],
            "PATH": os.environ["PATH"],
            "PINECONE_CLIENT_ID": emulator.client_id,
            "PINECONE_CLIENT_SECRET": emulator.client_secret,
            "PINECONE_CONTROLLER_HOST": emulator.host,
            "PINECONE_OAUTH_URL": emulator.oauth_url,
        }
        yield Served(emulator, env)


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for the end of a process, and return its exit code and what it has written."""
    stdout, stderr = process.communicate(timeout=PATIENCE)
    return process.returncode, stdout, stderr


def test_the_command_gets_the_key_and_no_other_credential(served: Served, tmp_path: Path) -> None:
    """Other variables stay; the output is the command's; the value is in no output of ours, and no audit log."""
    credentials = ("PINECONE_ACCESS_TOKEN_OLD", "PINECONE_API_KEY", "PINECONE_TEST_CLIENT_ID", "pinecone_secret")
    served.env.update(dict.fromkeys(credentials, "given"), PINECONE_INDEX="docs", OTHER_API_KEY="given")
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    log = tmp_path / "audit.jsonl"
    options = ("--yes", "--output", "json", "--audit-log", str(log))
    status, stdout, stderr = served.run(sys.executable, "-c", code, options=options)
    assert (status, stderr) == (0, "")
    env = json.loads(stdout)
    value = env.pop("PINECONE_API_KEY")
    assert value.startswith("pcsk_")
    kept = {"PINECONE_CONTROLLER_HOST", "PINECONE_OAUTH_URL", "PINECONE_INDEX", "OTHER_API_KEY"}
    assert {name for name in env if "PINECONE" in name.upper() or env[name] == "given"} == kept
    entries = log.read_text()
    assert value not in entries
    assert [json.loads(line)["operation"] for line in entries.splitlines()] == ["create_api_key", "delete_api_key"]
    assert served.keys() == ["reader"]


LOOK_AROUND = """
import json, os, pathlib, resource
value, parent = os.environ["PINECONE_API_KEY"].encode(), os.getppid()
lists = [each.read_bytes() for each in pathlib.Path("/proc").glob("[0-9]*/cmdline")]
limit = next(line for line in open(f"/proc/{parent}/limits") if line.startswith("Max core file size"))
print(json.dumps([sum(value in each for each in lists), limit.split()[4], resource.getrlimit(resource.RLIMIT_CORE)]))
"""


def test_the_key_is_in_no_list_of_processes_and_in_no_core_dump_of_ours(served: Served) -> None:
    """Our limit of core dumps is 0; that of the command is as it was."""
    limit = ["bash", "-c", 'ulimit -S -c 1024; exec "$@"', "bash"]
    words = [*limit, *PROGRAM, *RUN, "--yes", "--", sys.executable, "-c", LOOK_AROUND]
    done = subprocess.run(words, env=served.env, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    shown, ours, (its, _) = json.loads(done.stdout)
    assert (shown, ours, its) == (0, "0", 1024 * 1024)


def test_the_exit_code_is_the_commands(served: Served) -> None:
    """A signal that ends the command gives 128 and its number, as in shells."""
    for code, expected in (("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137)):
        assert served.run(sys.executable, "-c", code) == (expected, "", "")
    assert served.run("sh", "-c", "kill -TERM $$") == (143, "", "")
    assert served.keys() == ["reader"]


def run_here(*command: str, options: Sequence[str] = ("--yes",)) -> tuple[int, str, str]:
    """Run run in this process with a command that is not started, and return its exit code and what it has written."""
    done = run(*RUN, *options, "--", *command)
    return done.exit, done.stdout, done.stderr


def test_what_fails_before_the_command_ends_with_125(tmp_path: Path) -> None:
    """Nothing is started, and no key is left; the line and the object say why."""
    script = tmp_path / "script"
    script.write_text("#!/nonexistent/interpreter\n")
    script.chmod(0o700)
    marker = tmp_path / "started"
    started = ("touch", str(marker))
    cases: list[tuple[tuple[str, ...], tuple[str, ...], str]] = [
        (("--yes",), ("no-such-command",), "There is no program no-such-command to run. Nothing was changed."),
        (("--yes",), (str(script),), f"{script} cannot be run: No such file or directory"),
        (("--yes", "--ttl", "30s"), started, "--ttl must be at least a minute"),
        (("--yes", "--read-only"), started, "the command could change something"),
        (("--yes", "--role", "Reader"), started, "--role: there is no role Reader. Choose from "),
        (("--yes", "--expect-organization", "other"), started, "You expected organization other"),
        ((), started, "there is no terminal. Add --yes"),
    ]
    with example_organization() as emulator:
        served = Served(emulator, {})
        for options, command, text in cases:
            status, stdout, stderr = run_here(*command, options=(*options, "--output", "json"))
            error = json.loads(stderr)["error"]
            line = error["message"]
            assert (status, stdout, error["exit"]) == (125, "", 125), line
            assert text in line
            assert (served.keys(), marker.exists()) == (["reader"], False)
        emulator.configure(api_key_quota=1)
        status, stdout, stderr = run_here(*started)
        assert (status, stdout, served.keys(), marker.exists()) == (125, "", ["reader"], False)
        assert "(403 " in stderr
        emulator.faults.add("get_token", status=401, times=None)
        assert run_here(*started)[0] == 125


@pytest.mark.parametrize("code", [0, 3])
@pytest.mark.parametrize(
    ("fault", "own_exit", "text"),
    [
        ({"status": 403}, 9, r"could not be deleted: .* \(403 "),
        ({"status": 503}, 6, r"may not have been deleted: .* \(503 "),
        ({"drop": "before"}, 6, "may not have been deleted: no response from "),
    ],
)
def test_a_key_that_may_remain(served: Served, code: int, fault: Any, own_exit: int, text: str) -> None:
    """The line names it; if the command ended with 0, the exit code shows whether the key is known to remain."""
    served.emulator.faults.add("delete_api_key", times=None, **fault)
    status, stdout, stderr = served.run("sh", "-c", f"echo done; exit {code}", options=("--yes", "--output", "json"))
    assert (status, stdout) == (code or own_exit, "done\n")
    document = stderr
    line = json.loads(stderr)["error"]["message"]
    assert json.loads(document)["error"]["exit"] == status
    (left,) = (key for key in served.emulator.state.api_keys.values() if key.name != "reader")
    assert f"emporary API key {left.id} in project" in line
    assert re.search(text, line)
    assert "was created" not in line
    assert "To delete the key after its expiry time, run pinecone-admin api-key delete-retired." in line


@pytest.mark.parametrize(
    "number", [*SIGNALS[:2], *(pytest.param(each, marks=pytest.mark.long) for each in SIGNALS[2:])]
)
def test_a_signal_to_ours_goes_to_the_command(served: Served, number: signal.Signals) -> None:
    """It ends as the command ends, after the key is deleted."""
    process = served.start_waiting(f"import signal; signal.signal({number}, signal.SIG_DFL); {SLEEP}")
    process.send_signal(number)
    assert end(process) == (128 + number, "", "")
    assert served.keys() == ["reader"]


def test_a_command_that_handles_a_signal_decides_how_it_ends(served: Served) -> None:
    """It may clean up with its key, and go on until it wants to end; a later signal is passed on, too."""
    code = (
        "import os, signal, sys\n"
        "signals = {signal.SIGTERM, signal.SIGUSR1}\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, signals)\n"
        "os.write(1, b'ready\\n')\n"
        "while signal.sigwait(signals) == signal.SIGTERM: os.write(1, b'once more\\n')\n"
        "sys.exit(5)\n"
    )
    process = served.start_waiting(code)
    assert process.stdout is not None
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "once more\n"
    assert len(served.keys()) == 2
    process.send_signal(signal.SIGUSR1)
    assert end(process) == (5, "", "")
    assert served.keys() == ["reader"]


# It waits for blocked signals, as above, since signal.pause would miss one that comes just before it.
COUNT = """
import os, signal, sys
signals = {signal.SIGINT, signal.SIGUSR1}
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
count = 0
os.write(1, b"ready ")
while signal.sigwait(signals) == signal.SIGINT:
    count += 1
    os.write(1, b"counted ")
sys.exit(f"<{count}>")
"""


def test_ctrl_c_reaches_the_command_once(served: Served) -> None:
    """The terminal sends it to both, so that ours does not pass it on; the key is deleted when the command ends."""
    words = [*PROGRAM, *RUN, "--yes", "--", sys.executable, "-c", COUNT]
    child, terminal = start_on_terminal(words, {**served.env, "TERM": "xterm"})
    shown = ""

    def read_until(condition: Callable[[], bool]) -> None:
        nonlocal shown
        while not condition():
            piece = read_piece(terminal)
            assert piece, shown
            shown += piece

    read_until(lambda: "ready" in shown)
    for number in range(1, 6):  # of two signals that come almost together, a process may see one
        os.write(terminal, b"\x03")
        read_until(lambda number=number: shown.count("counted") >= number)  # type: ignore[misc]
    child.send_signal(signal.SIGUSR1)  # to ours alone, which handles the others before it
    read_until(lambda: ">" in shown)
    assert "<5>" in shown
    assert child.wait(PATIENCE) == 1
    os.close(terminal)
    assert served.keys() == ["reader"]


@pytest.mark.parametrize(
    ("from_terminal", "command", "exit_code"), [(True, ["true"], 0), (False, ["sleep", "600"], 128 + signal.SIGINT)]
)
def test_ctrl_c_while_the_command_starts_reaches_it_once(
    from_terminal: bool, command: list[str], exit_code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal can come when the command runs and ours does not know it yet: then the terminal alone has sent it."""
    sent: list[int] = []

    class Started(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            signal.raise_signal(signal.SIGINT)

        def send_signal(self, sig: int) -> None:
            sent.append(sig)
            super().send_signal(sig)

    monkeypatch.setattr(running, "_gets_signal_from_terminal", lambda *_: from_terminal)
    monkeypatch.setattr(subprocess, "Popen", Started)
    with example_organization():
        assert run_here(*command) == (exit_code, "", "")
    assert sent == ([] if from_terminal else [signal.SIGINT])


def test_an_interruption_while_the_key_is_made_leaves_none(served: Served) -> None:
    """The command is not started, and the run ends as an interrupted command does."""
    process: list[subprocess.Popen[str]] = []

    def interrupt(_: Request) -> bool:
        process[0].send_signal(signal.SIGTERM)
        return False

    served.emulator.faults.add("create_api_key", where=interrupt, status=503)
    process.append(served.start("echo", "started"))
    status, stdout, stderr = end(process[0])
    assert (status, stdout) == (130, "")
    assert stderr.startswith("Interrupted. Deleting API key 'temporary ")
    assert stderr.endswith("error: Interrupted. What had been done was taken back.\n")
    assert served.keys() == ["reader"]


@pytest.mark.parametrize("by", ["run", pytest.param("delete-retired", marks=pytest.mark.long)])
def test_the_key_of_a_run_that_was_killed_is_deleted_when_its_time_is_over(served: Served, by: str) -> None:
    """SIGKILL leaves the command and its key; nothing deletes the key before, and both ways do so after six hours."""
    process = served.start_waiting(f"import os; print('ready', os.getpid(), sep='\\n', flush=True); {SLEEP}")
    assert process.stdout is not None
    command = int(process.stdout.readline())
    process.kill()
    assert process.wait(PATIENCE) == -signal.SIGKILL

    def clean() -> None:
        if by == "run":
            assert served.run("true") == (0, "", "")
        else:
            words = [*PROGRAM, "api-key", "delete-retired", "--project", "search", "--yes"]
            assert subprocess.run(words, env=served.env, stdout=subprocess.DEVNULL, check=False).returncode == 0

    clean()
    assert len(served.keys()) == 2
    os.kill(command, signal.SIGKILL)  # it has lived on, with its key
    process.communicate(timeout=PATIENCE)
    served.emulator.clock.advance(6 * 3600 + 60)
    clean()
    assert served.keys() == ["reader"]


def test_the_key_is_renewed_while_the_command_runs(tmp_path: Path) -> None:
    """After a third of its time, its name says a later one; at the end it is gone."""
    started, may_end = tmp_path / "started", tmp_path / "may-end"
    os.mkfifo(started)
    os.mkfifo(may_end)
    seen: list[str] = []
    with example_organization() as emulator:

        def find_names() -> list[str]:
            names = (key.name for key in emulator.state.api_keys.values())
            return [name for name in names if name.startswith("~lives-until:")]

        def advance() -> None:
            started.read_bytes()  # which waits for the command
            try:
                seen.extend(find_names())
                emulator.clock.advance(1201)
                wait_until(lambda: find_names() != seen)
                seen.extend(find_names())
            finally:
                may_end.write_bytes(b"")

        watcher = threading.Thread(target=advance, daemon=True)
        watcher.start()
        done = run(*RUN, "--ttl", "1h", "--yes", "--", "sh", "-c", f"echo > {started}; cat {may_end}")
        watcher.join(PATIENCE)
        assert (done.exit, done.stderr, find_names()) == (0, "", [])
    first, second = (datetime.strptime(name.split(":")[1], "%Y%m%dT%H%M%z") for name in seen)
    assert timedelta(minutes=20) <= second - first <= timedelta(minutes=21)


def test_a_create_that_fails_for_good_ends_with_125_and_says_what_may_be_left() -> None:
    """It is repeated within the limits of the client, and the command is not started."""
    with example_organization() as emulator:
        emulator.faults.add("create_api_key", status=503, times=None)
        began = emulator.clock.elapsed()
        done = run(*RUN, "--yes", "--", "false")
        assert emulator.clock.elapsed() - began < timedelta(minutes=1)
        assert sum(each.operation_id == "create_api_key" for each in emulator.requests) == 4
    assert (done.exit, done.stdout, done.stderr.count("\n")) == (125, "", 1)
    assert done.stderr.startswith("error: The server failed: fault injected by the emulator (503 UNAVAILABLE, ")
    assert (
        " may have been created. If the key exists, its value cannot be read any more, so delete the key."
        in done.stderr
    )


def test_the_command_cannot_read_the_client_secret_from_a_file_again(served: Served, tmp_path: Path) -> None:
    """With --client-secret-stdin, its standard input is empty."""
    secret = tmp_path / "secret"
    secret.write_text(served.env.pop("PINECONE_CLIENT_SECRET"))
    code = "import os; os.lseek(0, 0, 0); print(os.read(0, 99))"
    words = [*PROGRAM, *RUN, "--yes", "--client-secret-stdin", "--", sys.executable, "-c", code]
    with secret.open("rb") as stdin:
        done = subprocess.run(words, env=served.env, stdin=stdin, capture_output=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"b''\n", b"")


def test_a_key_that_is_not_there_at_the_end_is_named(served: Served) -> None:
    """Somebody else has deleted it, and the exit code stays the command's; a 404 of something else is a failure."""

    def delete_before(_: object) -> dict[str, object]:
        state = served.emulator.state
        (key,) = (each for each in state.api_keys.values() if each.name != "reader")
        state.remove_api_key(key)
        return {"status": 404}

    served.emulator.faults.add("delete_api_key", respond=delete_before, times=1)
    status, stdout, stderr = served.run("echo", "done")
    assert (status, stdout) == (0, "done\n")
    assert re.fullmatch(r"temporary API key \S+ in project \S+ no longer existed\n", stderr)
    served.emulator.faults.add("delete_api_key", status=404, body="html")
    status, stdout, stderr = served.run("echo", "done")
    assert (status, stdout, "could not be deleted: HTTP 404" in stderr) == (9, "done\n", True)


def test_two_at_once_have_a_key_each(served: Served) -> None:
    """Each ends by itself, and deletes only its own."""
    code = "import os, time; print('ready', os.environ['PINECONE_API_KEY'], sep='\\n', flush=True); time.sleep(600)"
    first, second = served.start_waiting(code), served.start_waiting(code)
    assert len(served.keys()) == 3
    values = {key.value for key in served.emulator.state.api_keys.values() if key.name != "reader"}
    assert {each.stdout.readline() for each in (first, second) if each.stdout} == {f"{value}\n" for value in values}
    for process, number in ((first, 2), (second, 1)):
        process.send_signal(signal.SIGTERM)
        assert end(process)[0] == 143
        assert len(served.keys()) == number
    assert served.keys() == ["reader"]


def test_a_dry_run_shows_the_changes_and_sends_reads(tmp_path: Path) -> None:
    """A key that is overdue would be deleted first; the command is not run."""
    with example_organization() as emulator:
        emulator.faults.add("delete_api_key", status=403, times=None)
        assert run(*RUN, "--yes", "--", "true").exit == 9
        emulator.faults.clear()
        emulator.clock.advance(6 * 3600 + 60)
        served, marker = Served(emulator, {}), tmp_path / "started"
        before = served.keys()
        status, stdout, stderr = run_here("touch", str(marker), options=("--dry-run",))
        assert (status, stderr, marker.exists(), served.keys()) == (0, "", False, before)
    preview = json.loads(stdout)
    assert [each["kind"] for each in preview["names"]] == ["project", "api_key"]
    planned = [each["change"] for each in preview["would_do"]]
    assert [each["action"] for each in planned] == ["delete", "create"]
    assert planned[1]["settings"]["roles"] == ["DataPlaneViewer"]
    assert planned[1]["settings"]["name"].startswith("~lives-until:")


def test_a_question_shows_the_changes_of_the_dry_run() -> None:
    """A no leaves everything as it is, and the command is not run."""
    with example_organization() as emulator:
        emulator.faults.add("delete_api_key", status=403, times=None)
        assert run(*RUN, "--yes", "--", "true").exit == 9
        emulator.faults.clear()
        emulator.clock.advance(6 * 3600 + 60)
        before = Served(emulator, {}).keys()
        wide = {"COLUMNS": "300", "NO_COLOR": "1"}
        _, *planned = run(*RUN, "--dry-run", "-o", "table", "--", "true").stdout.splitlines()
        declined = run(*RUN, "--", "true", terminal=True, stdin="n\n", env=wide)
        assert (declined.exit, Served(emulator, {}).keys()) == (130, before), declined
    shown = declined.stderr.splitlines()
    assert len(planned) == 2
    assert [re.sub(r"^W|\.$", lambda found: found[0].lower().strip("."), each) for each in shown[:2]] == planned
    assert shown[2].startswith("About to: run true with a temporary API key of project search (")


def test_the_output_is_that_of_the_command(tmp_path: Path) -> None:
    """Other formats and a query are for a dry run alone, and else refused before anything is sent."""
    marker = tmp_path / "started"
    cases = (
        ("--output", "yaml", "-o can only be json, which is for errors"),
        ("--query", "would_do", "--query has no place here. Leave it out"),
    )
    with example_organization() as emulator:
        for option, value, end_of_line in cases:
            status, stdout, stderr = run_here("touch", str(marker), options=("--yes", option, value))
            assert (status, stdout, marker.exists(), list(emulator.requests)) == (125, "", False, [])
            text = f"run shows the output of its command, so {end_of_line}. Nothing was changed. [PA101]"
            assert stderr == f"error: {text}\n"
        preview = ("--dry-run", "--output", "yaml", "--query", "would_do[].change.action")
        status, stdout, _ = run_here("true", options=preview)
    assert (status, stdout) == (0, "- create\n")


def test_an_option_of_the_command_stands_behind_the_dashes() -> None:
    """Where -- is missing, the error says where it belongs; behind it, no word is an option of ours."""
    done = run(*RUN, "--yes", "sh", "-c", "true")
    assert done.exit == 125
    assert "There is no -c. Write the options of your command after --." in done.stderr
    _, _, stderr = run_here("true", options=("--yes", "--projct", "x"))
    assert "There is no --projct. Did you mean --project?" in stderr


def test_a_closed_stdout_is_a_failure_before_the_command(served: Served) -> None:
    """A script can tell it from an exit code of the command."""
    script = f"{' '.join([*PROGRAM, *RUN])} --yes -- true >&-; exit $?"
    done = subprocess.run(["bash", "-c", script], env=served.env, capture_output=True, timeout=PATIENCE, check=False)
    assert (done.returncode, b"Standard output is closed. Nothing was changed." in done.stderr) == (125, True)
    for words, code in (("--profile run project list", 2), ("-h --profile project --verbose run --help", 125)):
        script = f"{' '.join(PROGRAM)} {words} >&-; exit $?"
        done = subprocess.run(["bash", "-c", script], env=served.env, capture_output=True, check=False)
        assert (done.returncode, b"Standard output is closed. Nothing was changed." in done.stderr) == (code, True)

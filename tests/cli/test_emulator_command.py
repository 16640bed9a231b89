"""``emulator``: served by the command line, also in the background for a shell."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
import pytest

from pinecone_admin.cli.emulator import process
from pinecone_admin.cli.emulator.background import format_announcement
from pinecone_admin.cli.emulator.process import REGISTRATION_SECONDS, find_owner, wait_for_end
from pinecone_admin.cli.nouns import emulator as emulator_command
from pinecone_admin.emulator.__main__ import main as serve_emulator
from pinecone_admin.emulator.api.permissions import PERMISSION_MODES
from pinecone_admin.emulator.model.settings import PLANS
from tests.cli.command_line import run
from tests.support.concurrency import PATIENCE
from tests.support.sampling import some_daily

ANNOUNCED = dict.fromkeys(("host", "oauth_url", "client_id", "client_secret", "control_url", "organization_id"), "a b")
PROGRAM = f"{sys.executable} -c 'from pinecone_admin.cli.main import run; run()'"


def _wait_until_ended(process_id: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while _is_running(process_id):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process_id}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("shell", ["sh", pytest.param("bash", marks=pytest.mark.long)])
def test_a_shell_is_wired_to_an_emulator_that_ends_with_it(shell: str) -> None:
    """The output of the background command connects the shell. The emulator outlives the command, but not the shell."""
    script = f"""
        pinecone_admin() {{ {PROGRAM} "$@"; }}
        export PINECONE_ACCESS_TOKEN=from-elsewhere
        eval "$(pinecone_admin emulator --format env --background)"
        pinecone_admin organization list --query '[].id'
        echo "$PINECONE_EMULATOR_ORGANIZATION_ID"
        echo "$PINECONE_EMULATOR_PID"
    """
    done = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    *listed, id, process_id = done.stdout.splitlines()
    assert json.loads("".join(listed)) == [id]
    _wait_until_ended(int(process_id))


def test_every_shell_drops_a_token_that_would_come_before_the_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is unset, since an empty one is an error; shells that are not installed are left out."""
    monkeypatch.setenv("PINECONE_ACCESS_TOKEN", "from-elsewhere")
    *_, drop = format_announcement(ANNOUNCED, 1, Path("none")).splitlines()
    script = f"{drop}\nsh -c 'echo ${{PINECONE_ACCESS_TOKEN-unset}}'"
    for shell in filter(shutil.which, ("sh", "bash", "zsh", "fish")):
        strict = [] if shell == "fish" else ["-eu"]
        assert subprocess.check_output([shell, *strict, "-c", script], text=True) == "unset\n", shell


def test_in_the_background_the_announcement_is_json_and_the_state_is_saved(tmp_path: Path) -> None:
    """Without a shell to wire, one line of JSON says where it listens; it ends when whoever started it does."""
    state = tmp_path / "state.json"
    script = f"{PROGRAM} emulator --background --state {state}; true"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, timeout=PATIENCE)
    announcement = json.loads(done.stdout)
    assert announcement["host"].startswith("http://127.0.0.1:")
    _wait_until_ended(announcement["pid"])
    assert "organization" in json.loads(state.read_text())


def test_in_the_background_the_owner_has_the_credentials_of_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables that fix the owner's credentials reach the background, and a shell trusts its authority."""
    monkeypatch.setenv("PINECONE_EMULATOR_CLIENT_ID", "tests")
    monkeypatch.setenv("PINECONE_EMULATOR_CLIENT_SECRET", "chosen")
    script = f"""
        eval "$({PROGRAM} emulator --tls --format env --background)"
        echo "$PINECONE_CLIENT_ID" "$PINECONE_CLIENT_SECRET" "$PINECONE_EMULATOR_PID"
        head -n 1 "$SSL_CERT_FILE"
        {PROGRAM} project list
    """
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    words = done.stdout.split()
    _wait_until_ended(int(words[2]))
    assert [*words[:2], *words[3:]] == ["tests", "chosen", "-----BEGIN", "CERTIFICATE-----", "[]"]


def test_an_emulator_that_cannot_start_ends_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state file that is damaged or could not be written, and a wrong option, exit with 2; a shell gets false."""
    damaged = tmp_path / "state.json"
    damaged.write_text("{")
    (loop := tmp_path / "loop").symlink_to(loop)
    long_name = tmp_path / ("x" * 250)  # the file beside it, which replaces it at the end, has a longer name
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for words, reason in (
            (("--state", str(damaged)), f"Cannot use the state file {damaged}"),
            *(
                (("--state", str(each)), f"Cannot use the state file {each}")
                for each in ("/proc/state.json", "/dev/null/state.json", tmp_path / "none/state.json", loop)
            ),
            (("--state", str(long_name)), "File name too long"),
            (("--host", "8.8.8.8"), "not a loopback address"),
            (("--port", f"{taken.getsockname()[1]}"), "Address already in use"),
            (("--token-lifetime", "0s"), "--token-lifetime: '0s' is too short: write 1s to 365d"),
            (("--token-lifetime", "366d"), "--token-lifetime: '366d' is too long: write 1s to 365d"),
            (("--port", "70000"), "--port: '70000' is not a port number"),
            (("--seed", "x"), "--seed: 'x' is not a whole number"),
            (("--plan", "None"), "None"),
        ):
            for more in ((), ("--format", "env")):
                _check_refused(words, more, reason)
        for words, reason in (
            (("--state", str(damaged)), f"Cannot use the state file {damaged}"),
            (("--port", f"{taken.getsockname()[1]}"), "Address already in use"),
        ):
            _check_refused(words, ("--background", "--format=env"), reason)
    assert {*tmp_path.iterdir()} == {damaged, loop}
    for line in ("project list --format env emulator", "help emulator --format env"):
        done = run(*line.split())
        assert (done.exit, done.stdout) == (2, ""), line


def _check_refused(words: Sequence[str], more: Sequence[str], reason: str) -> None:
    done = run("emulator", *words, *more, "--output", "json")
    stdout = "false\n" if "env" in " ".join(more) else ""
    assert (done.exit, done.stdout, done.error["exit"]) == (2, stdout, 2), (words, more, done)
    message = done.error["message"]
    assert reason in message
    assert (message[0].upper(), message[-1], "argument" in message) == (message[0], ".", False), message
    assert (done.error["code"], len(done.stderr.splitlines())) == ("PA101", 1)


def test_an_emulator_without_its_extra_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that serves it and is missing is named in one line, with exit code 2."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "pinecone_admin.emulator.http.server", raising=False)
    _check_refused((), (), 'pip install ".[emulator]"')
    _check_refused((), ("--format", "env"), 'pip install ".[emulator]"')


@pytest.mark.parametrize("module", some_daily(["pinecone_admin.cli", "pinecone_admin.emulator"], 2))
def test_a_shell_does_not_go_on_without_its_emulator(module: str, tmp_path: Path) -> None:
    """The line for a shell fails if the emulator cannot start, or if packages of an extra are missing."""
    words = "emulator " if module == "pinecone_admin.cli" else ""
    for missing, shell in (("", "--format env"), ("", "--form=env"), ("uvicorn", "--f env"), ("click", "--format env")):
        (tmp_path / "sitecustomize.py").write_text(f"import sys; sys.modules[{missing!r}] = None\n" if missing else "")
        refused = "" if missing == "uvicorn" else "--host 8.8.8.8"
        script = f'eval "$({sys.executable} -m {module} {words}{refused} {shell})" && echo went on'
        done = subprocess.run(
            ["sh", "-c", script],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert (done.returncode, done.stdout) == (1, ""), done
        assert done.stderr


def test_an_emulator_that_cannot_save_its_state_has_done_a_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state file that cannot be written at the end is an error with exit code 9."""
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.setattr("pinecone_admin.emulator.__main__._serve", lambda *_: folder.rmdir())
    done = run("emulator", "--state", str(folder / "state.json"), "--output", "json")
    assert (done.exit, done.stdout, done.error["outcome"]) == (9, "", "done")
    assert done.error["message"].startswith("Cannot write the state file ")


def test_the_options_are_those_of_the_emulator(capsys: pytest.CaptureFixture[str]) -> None:
    """Every option of the emulator's own command is an option here, with the same choices."""
    with pytest.raises(SystemExit):
        serve_emulator(["--help"])
    own = {word.strip("[],") for word in capsys.readouterr().out.split() if word.strip("[],").startswith("--")}
    options = {name: each for each in emulator_command.emulator.own_params for name in each.opts}
    assert own - {"--", "--help"} == set(options) - {"--background", "command"}
    choices = {name: each.type.choices for name, each in options.items() if isinstance(each.type, click.Choice)}
    assert tuple(choices["--plan"]) == tuple(PLANS)
    assert tuple(choices["--permissions"]) == PERMISSION_MODES


def test_the_shell_that_registers_is_the_one_to_wait_for(tmp_path: Path) -> None:
    """The process id in the file counts once its line is complete; without one in time, the launcher counts."""
    file = tmp_path / "shell"
    now = [0.0]
    written = {1.0: "12", 2.0: "1234\n"}

    def sleep(seconds: float) -> None:
        now[0] = round(now[0] + seconds, 1)
        if now[0] in written:
            file.write_text(written[now[0]])

    assert find_owner(1, file, lambda: now[0], sleep) == 1234
    assert now[0] == 2.0
    file.unlink()
    assert find_owner(1, file, lambda: now[0], sleep) == 1
    assert now[0] > REGISTRATION_SECONDS


def test_the_end_of_a_process_is_noticed_on_every_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting returns once the process has ended, with and without a file descriptor for it."""
    for _ in range(2):
        with subprocess.Popen(["sleep", "0.05"]) as sleeper:
            if hasattr(os, "pidfd_open"):
                wait_for_end(sleeper.pid)
        wait_for_end(sleeper.pid)
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    answers = iter([None, PermissionError(), ProcessLookupError()])

    def kill(_id: int, _signal: int) -> None:
        if (answer := next(answers)) is not None:
            raise answer

    monkeypatch.setattr(os, "kill", kill)
    monkeypatch.setattr(process, "_INTERVAL", 0)
    wait_for_end(1)
    assert list(answers) == []


def test_the_file_of_a_shell_is_quoted() -> None:
    """A temporary folder with a space in its name is written as one word."""
    text = format_announcement(ANNOUNCED, 5, Path("/tmp/a b/shell"))
    words = shlex.split(text.splitlines()[7])
    assert words[:2] == ["sh", "-c"]
    assert shlex.split(words[2]) == ["echo", "$PPID", ">", "/tmp/a b/shell"]
    assert "export PINECONE_CLIENT_ID='a b'" in text

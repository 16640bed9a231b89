"""The command as a process: what it loads, pipes that are closed, terminals, and environments that lack something."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

import pytest

from pinecone_admin.cli.commands import FORMATS
from pinecone_admin.emulator import Emulator, serving
from tests.cli.command_line import COMMANDS, fill
from tests.cli.terminals import read_piece, start_on_terminal
from tests.support.sampling import some_daily

COMMAND = [sys.executable, "-m", "pinecone_admin.cli"]
PATIENCE = 60.0


@pytest.fixture(scope="module")
def served() -> Generator[dict[str, str], None, None]:
    """Serve the organization of the examples; return the environment of its owner."""
    emulator = Emulator(seed=0)
    fill(emulator)
    with serving(emulator):
        yield {
            "PATH": os.environ["PATH"],
            "PINECONE_CLIENT_ID": emulator.client_id,
            "PINECONE_CLIENT_SECRET": emulator.client_secret,
            "PINECONE_CONTROLLER_HOST": emulator.host,
            "PINECONE_OAUTH_URL": emulator.oauth_url,
        }


def run_process(words: Sequence[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    """Run the command with exactly this environment."""
    return subprocess.run([*COMMAND, *words], env=env, capture_output=True, timeout=PATIENCE, check=False)


def run_on_terminal(words: Sequence[str], env: Mapping[str, str], answer: str = "") -> tuple[int, str]:
    """Run the command on a terminal of 100 columns, answer its prompt, and return the exit code and what is shown."""
    child, terminal = start_on_terminal([*COMMAND, *words], {**env, "COLUMNS": "100", "TERM": "xterm"})
    shown = ""
    while piece := read_piece(terminal):
        shown += piece
        if answer and shown.endswith("[y/N] "):
            os.write(terminal, answer.encode())
            answer = ""
    os.close(terminal)
    return child.wait(PATIENCE), shown


def test_helps_and_the_version_load_neither_httpx_nor_the_client() -> None:
    """Everything that a help needs is in the registry; only click is loaded besides it."""
    code = (
        "import io, json, sys\n"
        "from pinecone_admin.cli.main import main\n"
        "before = sys.stdout\n"
        "sys.stdout = io.StringIO()\n"
        "codes = [main(words) for words in json.loads(sys.argv[1])]\n"
        "sys.stdout = before\n"
        "print(json.dumps([codes, sorted(sys.modules)]))\n"
    )
    lines = [["--version"], ["--help"], *([*spec.path, "--help"] for spec in COMMANDS)]
    done = subprocess.run([sys.executable, "-c", code, json.dumps(lines)], capture_output=True, text=True, check=True)
    codes, modules = json.loads(done.stdout)
    assert set(codes) == {0}
    loaded = {name.split(".")[0] for name in modules}
    assert loaded & {"httpx", "httpcore", "rich", "yaml", "jmespath", "tomlkit", "platformdirs", "attrs"} == set()
    assert not any(name.startswith(("pinecone_admin._sync", "pinecone_admin._async")) for name in modules)


def test_a_list_loads_only_what_it_shows(served: dict[str, str]) -> None:
    """It loads neither the command line of httpx and what that loads, HTTP/2, trio, nor the models of other things."""
    loading = [sys.executable, "-X", "importtime", *COMMAND[1:], "project", "list"]
    done = subprocess.run(loading, env=served, capture_output=True, text=True, timeout=PATIENCE, check=True)
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "httpx" in modules
    unused = (
        "rich",
        "pygments",
        "h2.connection",
        "hpack",
        "trio.",
        "platformdirs",
        "difflib",
        "pinecone_admin.cli.secrets",
        "pinecone_admin.workflows.",
    )
    loaded = {name for name in modules if name.startswith(unused)}
    assert loaded == {"pinecone_admin.workflows.sent_changes"}  # which each request asks whether a workflow sends it
    assert {
        f"generated_client.models.{name}" for name in ("api_key", "invite", "user", "create_project_request")
    } & modules == set()


def test_a_person_at_a_terminal_gets_a_table_and_a_script_json(served: dict[str, str]) -> None:
    """The same command, without an option."""
    code, shown = run_on_terminal(["project", "list"], served)
    assert code == 0
    assert "NAME" in shown
    assert "search" in shown
    piped = run_process(["project", "list"], served)
    assert (piped.returncode, piped.stderr) == (0, b"")
    assert {each["name"] for each in json.loads(piped.stdout)} >= {"search", "empty"}


def test_a_person_is_asked(served: dict[str, str]) -> None:
    """The answer is read from the terminal."""
    code, shown = run_on_terminal(["project", "create", "asked"], served, answer="y\n")
    assert code == 0
    assert "About to: project create asked" in shown


def test_an_interrupted_prompt_changes_nothing(served: dict[str, str]) -> None:
    """Ctrl-C ends in one line and exit code 130."""
    code, shown = run_on_terminal(["project", "create", "interrupted"], served, answer="\x03")
    assert code == 130
    assert shown.splitlines()[-1] == "error: Interrupted. Nothing was changed."


def test_a_closed_pipe_ends_silently(served: dict[str, str]) -> None:
    """Whoever reads only the first line, as head does, sees no error."""
    script = f"{sys.executable} -m pinecone_admin.cli project list | head -c 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], env=served, capture_output=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_closed_stdout_is_found_before_anything_is_sent(served: dict[str, str]) -> None:
    """Output that would be lost without a word is a usage error; with stdin and stderr closed, a command goes on."""
    for words in ("--help", "project list", "project create lost --yes", "project list --output json"):
        closed = f"{sys.executable} -m pinecone_admin.cli {words} >&-; exit $?"
        done = subprocess.run(["bash", "-c", closed], env=served, capture_output=True, timeout=PATIENCE, check=False)
        (line,) = done.stderr.decode().splitlines()
        assert (done.returncode, "Standard output is closed. Nothing was changed." in line) == (2, True), words
    error = json.loads(done.stderr)["error"]
    assert (error["exit"], error["outcome"], error["worth_retrying"]) == (2, "not_sent", False)
    listing = f"{sys.executable} -m pinecone_admin.cli project list --query '[].name' <&- 2>&-; exit $?"
    done = subprocess.run(["bash", "-c", listing], env=served, capture_output=True, timeout=PATIENCE, check=False)
    assert (done.returncode, b"lost" in done.stdout) == (0, False)


@pytest.mark.parametrize("output", some_daily(FORMATS, len(FORMATS)))
def test_a_full_disk_is_no_wrong_command_line(output: str, served: dict[str, str]) -> None:
    """A read whose output cannot be written ends in one line and exit code 7 in every format; a change ends with 6."""
    for words, code in ((["project", "list"], 7), (["project", "create", f"full-{output}", "--yes"], 6)):
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [*COMMAND, *words, "--output", output], env=served, stdout=full, stderr=subprocess.PIPE, check=False
            )
        (line,) = done.stderr.decode().splitlines()
        assert done.returncode == code, (words, line)
        assert "The output cannot be written: No space left on device" in line
        assert line.startswith('{"error": ' if output == "json" else "error: ")


def test_a_row_whose_line_cannot_be_written_has_not_failed(served: dict[str, str]) -> None:
    """Its work is done, so that nobody is told to run it again."""
    words = ["each", "-", "--yes", "--", "project", "create", "{n}"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, *words], env=served, input=b"n\nea\neb\n", stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 9
    said = "error: The output cannot be written: No space left on device. The work of 1 row was carried out. [exit-9]\n"
    assert done.stderr.decode() == said


@pytest.mark.long
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"HOME": "/nonexistent", "TERM": "dumb"},
    ],
)
def test_it_works_without_a_home_and_without_utf_8(served: dict[str, str], changes: dict[str, str]) -> None:
    """Neither a home folder nor a locale is needed; a name that cannot be shown is shown by codes."""
    name = f"Łódź {len(changes)} {''.join(changes)}"  # all cases have one organization
    made = run_process(["project", "create", name, "--yes"], {**served, **changes})
    assert (made.returncode, made.stderr) == (0, b"")
    assert json.loads(made.stdout)["name"] == name


@pytest.mark.long
def test_bytes_that_are_no_text_are_an_error(served: dict[str, str]) -> None:
    """An argument that is not UTF-8 ends in one line."""
    done = subprocess.run(
        [*COMMAND, b"project", b"create", b"\xff", b"--yes"], env=served, capture_output=True, check=False
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_the_entry_point_is_installed() -> None:
    """Pip installs the command."""
    command = Path(sys.executable).with_name("pinecone-admin")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("pinecone-admin ")

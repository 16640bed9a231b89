"""Completion: offline of what is known, of names where a variable says so, and in each shell as a person uses it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from unittest import mock

import pytest

from pinecone_admin.cli.parameters import ORGANIZATION_ROLES, PROJECT_ROLES
from pinecone_admin.emulator import Emulator, serving
from tests.cli.command_line import COMMANDS, example_organization, run, save_profile
from tests.cli.terminals import read_piece, start_on_terminal

NAMES = {"PINECONE_ADMIN_COMPLETE_NAMES": "1"}
NOBODY = dict.fromkeys(("PINECONE_CLIENT_ID", "PINECONE_CLIENT_SECRET", "PINECONE_ACCESS_TOKEN"))
HOSTILE = "$(touch made) `touch made`; *"
PROGRAM = f"""#!{sys.executable}
from pinecone_admin.cli import completion
from pinecone_admin.cli.main import run
completion._TIME_LIMIT = 60  # a busy machine takes longer than a person waits
run()
"""


def complete(*words: str, env: Mapping[str, str | None] | None = None) -> list[str]:
    """Return the words that zsh offers in place of the last one."""
    asked = {"_PINECONE_ADMIN_COMPLETE": "zsh_complete", "COMP_CWORD": f"{len(words)}"}
    done = run(env={**asked, "COMP_WORDS": " ".join(("pinecone-admin", *words)), **(env or {})})
    assert (done.exit, done.stderr) == (0, "")
    return done.stdout.splitlines()[1::3]


def test_roles_kinds_and_profiles_are_completed_offline() -> None:
    """Roles of the organization, those behind a project or a holder, lists of kinds, and the saved profiles."""
    for name in ("work", "staging"):
        assert save_profile(name, client_id=name).exit == 0
    assert complete("invite", "create", "--role", "", env=NOBODY) == list(ORGANIZATION_ROLES)
    assert complete("invite", "create", "--role", "search:Project", env=NOBODY) == [
        f"search:{role}" for role in PROJECT_ROLES if role.startswith("Project")
    ]
    assert complete("api-key", "create", "--role", "DataPlaneE", env=NOBODY) == ["DataPlaneEditor"]
    grant = ["project", "provision", "--grant", "user:ada@example.com:ProjectO"]
    assert complete(*grant, env=NOBODY) == ["user:ada@example.com:ProjectOwner"]
    assert complete("access", "--fail-on", "many-owners,key-is-o", env=NOBODY) == ["many-owners,key-is-old"]
    assert complete("--profile", "w", env=NOBODY) == ["work"]
    for command in ("use", "remove"):
        assert complete("profile", command, "", env=NOBODY) == ["work", "staging"]
    assert complete("project", "list", "--output", "y", env=NOBODY) == ["yaml"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_tab_after_every_prefix_of_every_example_writes_nothing_to_stderr(
    shell: str, stride: Callable[[int], int]
) -> None:
    """Also after a word that is misspelt, a value that is wrong, and a quote that is open."""
    prefixes = [spec.example[:end] for spec in COMMANDS for end in range(len("pinecone-admin "), len(spec.example) + 1)]
    typed = [
        *prefixes,
        *(f"{each}#" for each in prefixes if each[-1:].isalpha()),
        *(f"{each} --x y" for each in prefixes),
    ]
    for line in typed[:: stride(61)]:
        words = line.split(" ")
        env = {"COMP_WORDS": line, "COMP_CWORD": words[-1] if shell == "fish" else f"{len(words) - 1}"}
        done = run(env={**NOBODY, **env, "_PINECONE_ADMIN_COMPLETE": f"{shell}_complete"})
        assert (done.exit, done.stderr) == (0, ""), line


def test_completion_offers_each_spelling_of_the_option_for_help() -> None:
    """In a process of its own: the first context decides on the spellings for all that follow."""
    env = {
        "COMP_WORDS": "pinecone-admin project list -",
        "COMP_CWORD": "3",
        "_PINECONE_ADMIN_COMPLETE": "bash_complete",
    }
    command = [sys.executable, "-m", "pinecone_admin.cli"]
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=True)
    assert {"plain,-h", "plain,--help"} <= set(done.stdout.splitlines()), done


@pytest.mark.parametrize("shell", ["powershell", "pwsh", "tcsh"])
def test_a_shell_without_completion_is_refused_with_those_that_have_it(shell: str) -> None:
    """Nothing is printed that the shell would run, and the help says that there is none."""
    done = run("completion", shell)
    assert (done.exit, done.stdout) == (2, "")
    assert "Write bash, zsh or fish instead." in done.stderr
    assert "such as PowerShell, have no completion." in " ".join(run("completion", "--help").stdout.split())


def test_names_are_completed_only_if_a_variable_says_so(home: Path) -> None:
    """Names are read at each Tab, and no file keeps them."""
    patience = mock.patch("pinecone_admin.cli.completion._TIME_LIMIT", 60)  # a busy machine is slow
    with example_organization() as emulator, mock.patch.dict("os.environ", {"HOME": str(home)}), patience:
        assert complete("project", "describe", "") == []
        assert len(emulator.requests) == 0
        assert complete("project", "describe", "", env=NAMES) == ["search", "empty"]
        assert complete("api-key", "list", "--project", "se", env=NAMES) == ["search"]
        assert len(emulator.requests.filter("list_projects")) == 2
        assert complete("user", "describe", "ada", env=NAMES) == ["ada@example.com"]
        assert complete("api-key", "describe", "", env=NAMES) == ["reader"]
        assert complete("role", "describe", "", env=NAMES) == []
        assert complete("project", "describe", "", env={**NAMES, "PINECONE_CLIENT_ID": "other"}) == []
        assert list(home.iterdir()) == []


def test_names_that_cannot_be_read_in_time_are_not_completed() -> None:
    """A server that does not answer, a refused account and one without credentials offer nothing, and say nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        account = {"PINECONE_ACCESS_TOKEN": "token", "PINECONE_CONTROLLER_HOST": url, "PINECONE_OAUTH_URL": url}
        with mock.patch("pinecone_admin.cli.completion._TIME_LIMIT", 0.1):
            assert complete("project", "describe", "", env={**NAMES, **account}) == []
    with example_organization() as emulator:
        emulator.faults.add("get_token", status=401)
        assert complete("project", "describe", "", env=NAMES) == []
    assert complete("project", "describe", "", env={**NAMES, **NOBODY}) == []


def type_lines(shell: str, lines: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """Return what becomes of each line in an interactive shell after the tabulator key."""
    if shell == "fish":
        script = "; echo; ".join(f"complete --do-complete '{line}'" for line in lines)
        command = ["fish", "--no-config", "--command", f"pinecone-admin completion fish | source; {script}"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True)
        offered = [each.partition("\t")[0].strip() for each in done.stdout.split("\n\n")]
        return [f"{line.rpartition(' ')[0]} {word}" for line, word in zip(lines, offered, strict=True)]
    options = ["--norc", "-i"] if shell == "bash" else ["-f", "-i"]
    setup = "" if shell == "bash" else "bindkey -e; "
    program = shutil.which(shell)
    assert program is not None
    child, terminal = start_on_terminal([program, *options], {**env, "TERM": "dumb", "PS1": "> "})
    # ^A is the beginning of the line.
    completed = "".join(f"{line}\t\x01echo RESULT \n" for line in lines)
    typed = f'{setup}eval "$(pinecone-admin completion {shell})"\n{completed}exit\n'
    os.write(terminal, typed.encode())
    shown = ""
    while piece := read_piece(terminal):
        shown += piece
    os.close(terminal)
    child.wait(60)
    results = [each for each in shown.replace("\r", "\n").splitlines() if each.startswith("RESULT ")]
    return [each.removeprefix("RESULT ").strip() for each in results]


@pytest.mark.parametrize("shell", ["bash", *(pytest.param(each, marks=pytest.mark.long) for each in ("zsh", "fish"))])
def test_each_shell_completes_commands_roles_and_names(shell: str, tmp_path: Path) -> None:
    """A command, a role behind a colon, a name with spaces, and one that is code if it is not quoted."""
    if shutil.which(shell) is None:
        assert os.environ.get("CI") != "true", f"{shell} is not installed"
        pytest.skip(f"{shell} is not installed: scripts/test installs it")
    program = tmp_path / "pinecone-admin"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    emulator = Emulator(seed=0)
    with emulator.admin() as admin:
        for name in ("my project", HOSTILE, "other", "two, three"):
            admin.projects.create(name=name)
    with serving(emulator):
        env = {
            **NAMES,
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "LC_ALL": "C.UTF-8",
            "PINECONE_CLIENT_ID": emulator.client_id,
            "PINECONE_CLIENT_SECRET": emulator.client_secret,
            "PINECONE_CONTROLLER_HOST": emulator.host,
            "PINECONE_OAUTH_URL": emulator.oauth_url,
        }
        completed = {
            "project prov": "project provision",
            "invite create --role search:ProjectEd": "invite create --role search:ProjectEditor",
            "project describe my": "project describe my project",
            "project describe ot": "project describe other",
            "project describe tw": "project describe two, three",
            "project describe \\$": f"project describe {HOSTILE}",
        }
        shown = type_lines(shell, [f"pinecone-admin {line}" for line in completed], env)
        assert shown == [f"pinecone-admin {line}" for line in completed.values()]
    assert not (Path.cwd() / "made").exists()
